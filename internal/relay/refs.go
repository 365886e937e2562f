// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// values reads what some refs of the mirror are now; absent ones are missing.
func (r *Relay) values(ctx context.Context, refs []string) (map[string]change.Revision, error) {
	asked := make(map[string]bool, len(refs))
	for _, ref := range refs {
		asked[ref] = true
	}
	var found map[string]change.Revision
	err := r.list(ctx, refs, func() { found = map[string]change.Revision{} }, func(ref gitwire.Ref) {
		if asked[ref.Name] { // a prefix may also match longer names
			found[ref.Name] = change.Revision(ref.OID)
		}
	})
	return found, err
}

// list reads refs of the mirror, and again if that fails; begin is called
// before each try.
func (r *Relay) list(ctx context.Context, prefixes []string, begin func(), visit func(gitwire.Ref)) error {
	for n := 0; ; n++ {
		begin()
		err := r.Mirror.ListRefs(ctx, prefixes, func(ref gitwire.Ref) error {
			visit(ref)
			return nil
		})
		if err == nil {
			return nil
		}
		if err = r.retry(ctx, n, err); err != nil {
			return fault.New(kindOr(err, fault.Transient), "failed to read the mirror's refs: %w", err)
		}
	}
}

// tips are the mirror's own words on what it has.
type tips struct {
	// offered are those of the haves offered so far that are really there.
	offered map[string]bool
	// heads and others are tips worth offering instead, at most maxHaves each.
	heads, others []string
}

// tips reads all refs of the mirror. Only ids are kept.
func (r *Relay) tips(ctx context.Context, offered []string) (*tips, error) {
	asked := make(map[string]bool, len(offered))
	for _, id := range offered {
		asked[id] = true
	}
	var t *tips
	err := r.list(ctx, nil, func() { t = &tips{offered: map[string]bool{}} }, func(ref gitwire.Ref) {
		if asked[ref.OID] {
			t.offered[ref.OID] = true
		}
		switch {
		case strings.HasPrefix(ref.Name, "refs/heads/") && len(t.heads) < maxHaves:
			t.heads = append(t.heads, ref.OID)
		case len(t.others) < maxHaves:
			t.others = append(t.others, ref.OID)
		}
	})
	return t, err
}
