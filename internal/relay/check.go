// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ready says what is missing of the relay itself.
func (r *Relay) ready() error {
	if r.Source == nil || r.Mirror == nil || r.Allowed == nil || r.Sleep == nil || r.Now == nil {
		return fault.New(fault.Ours, "failed to begin a relay: Source, Mirror, Allowed, Sleep and Now must all be set")
	}
	return nil
}

// checkItem refuses an item that must not be pushed, whoever asked for it. One
// bad ref refuses the whole item: a claim without its patchset starts nothing
// and only blocks the next pass.
func (r *Relay) checkItem(it Item) error {
	if _, err := change.ParseRevision(string(it.Want)); err != nil {
		return fault.New(fault.Ours, "failed to relay %s: wanted object: %w", name(it), err)
	}
	if _, err := change.ParseRevision(string(it.Known)); it.Known != "" && err != nil {
		return fault.New(fault.Ours, "failed to relay %s: known object: %w", name(it), err)
	}
	for _, u := range it.Updates {
		if err := r.checkRef(u.Ref); err != nil {
			return err
		}
		if err := checkValues(u); err != nil {
			return err
		}
		if u.New == "" {
			return fault.New(fault.Ours, "failed to update %q: deletes are pushed apart from other updates", change.Clip(u.Ref, 120))
		}
		if !isLedger(u.Ref) && u.New != it.Want {
			return fault.New(fault.Ours, "failed to update %q: it would go to %s, but %s is relayed for it", change.Clip(u.Ref, 120), u.New.Short(), it.Want.Short())
		}
	}
	return nil
}

// checkDelete refuses a delete without an old value: the wire would take that
// for "whatever it is now".
func (r *Relay) checkDelete(u Update) error {
	if err := r.checkRef(u.Ref); err != nil {
		return err
	}
	if u.New != "" || u.Old == "" {
		return fault.New(fault.Ours, "failed to delete %q: a delete needs the old value and no new one", change.Clip(u.Ref, 120))
	}
	return checkValues(u)
}

func checkValues(u Update) error {
	for _, v := range []change.Revision{u.Old, u.New} {
		if v == "" {
			continue
		}
		if _, err := change.ParseRevision(string(v)); err != nil {
			return fault.New(fault.Ours, "failed to update %q: %w", change.Clip(u.Ref, 120), err)
		}
	}
	return nil
}

// checkRef is the last door before the wire: a full ref name that git accepts
// and that the caller's namespaces hold.
func (r *Relay) checkRef(ref string) error {
	if err := change.CheckRef(ref); err != nil {
		return fault.New(fault.Ours, "refused to write a ref: %w", err)
	}
	if !r.Allowed(ref) {
		return fault.New(fault.Ours, "refused to write %q: it is outside the configured namespaces", change.Clip(ref, 120))
	}
	return nil
}

// name says which item it is, for people.
func name(it Item) string {
	switch {
	case it.ID != (change.ID{}):
		return "patchset " + it.ID.String()
	case len(it.Updates) > 0 && isTag(it):
		return "tag " + strings.TrimPrefix(change.OneLine(change.Clip(it.Updates[0].Ref, 120)), tagPrefix)
	case len(it.Updates) > 0:
		return "branch " + strings.TrimPrefix(change.OneLine(change.Clip(it.Updates[0].Ref, 120)), "refs/heads/")
	default:
		return "object " + it.Want.Short()
	}
}
