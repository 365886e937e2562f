// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// lookBack is how long after a branch moved merged changes are looked for:
	// Gerrit's index may be late, and a call may be lost.
	lookBack = 30 * time.Minute
	// firstLook is how far back the first look goes.
	firstLook = 6 * time.Hour
)

// postMerge plans the workflows that test a branch after a change was merged into
// it. Each branch is tested where it is now, for the change that was merged last:
// those before it are part of that.
func (b *builder) postMerge() {
	if len(b.afterMerge) == 0 {
		return
	}
	last, moved := b.last(change.Merges), b.movedBranch()
	if !moved && b.now.Sub(last) > lookBack {
		return
	}
	if moved { // nobody sees that again
		b.mark(change.Merges, b.now)
	}
	if b.s.NoGitHub != "" {
		return
	}
	if b.s.Merged == nil {
		since := b.now.Add(-firstLook)
		if !last.IsZero() {
			since = last.Add(-lookBack)
		}
		b.plan.Needs.Merged = since
		return
	}
	newest := b.newestMerged()
	for _, branch := range slices.Sorted(maps.Keys(newest)) {
		c := newest[branch]
		for _, w := range b.afterMerge {
			b.workflow(c, w)
		}
	}
}

// movedBranch reports whether a branch that the mirror has is elsewhere now.
func (b *builder) movedBranch() bool {
	return slices.ContainsFunc(b.plan.Actions, func(a Action) bool { return a.Verb == MirrorBranch && a.Old != "" })
}

// newestMerged are the changes that were merged last, by branch, standing at the
// branch's tip: that is what is tested.
func (b *builder) newestMerged() map[string]*change.Change {
	newest := map[string]*change.Change{}
	for _, c := range b.s.Merged {
		tip := b.s.Source[c.Branch]
		if tip == "" || b.filter.scope(&c) != "" || c.Private && b.p.Skip.Private {
			continue
		}
		if old := newest[c.Branch]; old != nil && cmp.Or(old.Submitted.Compare(c.Submitted), cmp.Compare(old.Number, c.Number)) > 0 {
			continue
		}
		c.Current.Revision = tip
		newest[c.Branch] = &c
	}
	return newest
}
