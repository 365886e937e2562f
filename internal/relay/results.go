// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// results closes the books: what is still open was not tried.
func (m *mover) results() []ItemResult {
	if m.end != nil {
		for _, w := range m.works {
			if w.open() {
				w.fail(m.end)
			}
		}
	}
	m.holdRefused()
	results := make([]ItemResult, len(m.works))
	for i, w := range m.works {
		word := m.verdictOn(i)
		switch {
		case w.blame == nil:
		case word == "":
			w.soften()
		case word == change.Borrowed:
			w.restate(errBorrowed(w.blame.err))
		}
		results[i] = w.result(word)
	}
	return results
}

// verdictOn is the word for what the mirror has definitely against a member, or
// "". A patchset is to blame only for its own: where its base may not be there, or the
// pack was too large, its pack is looked into for what it brings along.
func (m *mover) verdictOn(i int) string {
	w := m.works[i]
	switch {
	case w.branch:
		return m.verdictOnBranch(w)
	case w.blame == nil || w.under != nil || w.blame.word == "" || w.blame.err.Kind != fault.Permanent:
		return ""
	case !w.Unbased && w.blame.class != size && !m.branchRefused(w.blame.word):
		return w.blame.word
	}
	switch alone, known := m.alone(i); {
	case alone:
		return w.blame.word
	case known && w.blame.class != size: // a large base goes in slices
		return change.Borrowed
	}
	return ""
}

func errBorrowed(err error) error {
	return fault.New(fault.Permanent, "it may be a commit that it brings along: %w", err).
		WithHint("rebase it on something that the mirror takes")
}

// verdictOnBranch is one over where a branch is to go: there is no other, so an
// unknown reason counts, too, unless it may pass.
func (m *mover) verdictOnBranch(w *work) string {
	switch r := w.refusal; {
	case r == nil || r.err.Kind == fault.Transient || r.class == missing || r.class == size:
		return ""
	case r.word == "":
		return change.OtherReason
	default:
		return r.word
	}
}

// branchRefused reports whether a branch was refused with the same word.
func (m *mover) branchRefused(word string) bool {
	return slices.ContainsFunc(m.works, func(w *work) bool { return w.branch && w.blame != nil && w.blame.word == word })
}

// alone reports whether a patchset brings no commit but its own; known is false where
// its pack could not be read. What has landed meanwhile may stand on it, so only what it builds on is offered as haves.
func (m *mover) alone(i int) (alone, known bool) {
	w := m.works[i]
	switch {
	case slices.Contains(w.blame.named, w.Want):
		return true, true // in the mirror's own words
	case m.spent():
		return false, false
	}
	var haves idSet
	for j, other := range m.works {
		if other.done() && (other.branch || slices.Contains(m.family.parents[i], j)) {
			haves.add(string(other.Want))
		}
	}
	for _, h := range w.Haves {
		if _, err := change.ParseRevision(string(h)); err == nil && h != w.Want {
			haves.add(string(h))
		}
	}
	m.fetches++
	pack, err := m.r.Source.Fetch(m.ctx, gitwire.FetchRequest{Wants: []string{string(w.Want)}, Haves: haves.first(maxHaves)})
	if err != nil {
		return false, false
	}
	defer pack.Close()
	foreign := false
	err = gitwire.ScanCommits(pack, func(c gitwire.Commit) error {
		foreign = foreign || c.OID != string(w.Want)
		return nil
	})
	return err == nil && !foreign, err == nil
}

// holdRefused finds the patchsets that were refused one by one, in a single
// push, for what the one below them holds: only the lowest is to blame.
func (m *mover) holdRefused() {
	for _, i := range m.family.order {
		w := m.works[i]
		for _, p := range m.family.parents[i] {
			root := m.works[p]
			if root.under != nil {
				root = root.under
			}
			if w.blame != nil && w.under == nil && root.blame != nil && (!root.branch || root.blame.word == w.blame.word) {
				w.under = root
				w.restate(errHeld(root.Item))
			}
		}
	}
}

// soften makes an error that may be another's fault one to try again.
func (w *work) soften() {
	if w.under != nil || w.blame.err.Kind != fault.Permanent || w.branch {
		return
	}
	err := *w.blame.err
	err.Kind = fault.Transient
	w.restate(&err)
}

// restate replaces the error of what was refused.
func (w *work) restate(err error) {
	if w.err != nil {
		w.err = err
	}
	for i := range w.updates {
		if p := &w.updates[i]; p.State == Refused && p.Err == error(w.blame.err) {
			p.Err = err
		}
	}
}
