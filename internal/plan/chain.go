// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// below visits the patchsets of open changes that a change builds on, nearest
// first, as far as their parents are known; false ends the walk.
func (b *builder) below(c *change.Change, visit func(id change.ID) bool) {
	next, seen := slices.Clone(c.Current.Parents), map[change.Revision]bool{}
	for len(next) > 0 {
		rev := next[0]
		next = next[1:]
		id, ours := b.revisions()[rev]
		if seen[rev] || !ours {
			continue
		}
		seen[rev] = true
		if !visit(id) {
			return
		}
		if parent := b.open[id.Change]; parent.Current.Revision == rev {
			next = append(next, parent.Current.Parents...)
		}
	}
}

// revisions are the patchsets of open changes, replaced ones too, by commit.
func (b *builder) revisions() map[change.Revision]change.ID {
	if b.patchsets != nil {
		return b.patchsets
	}
	b.patchsets = make(map[change.Revision]change.ID, len(b.open))
	for number, c := range b.open {
		for _, r := range b.s.Mirror.Changes[number] {
			if r.Entry.Kind == "" {
				b.patchsets[r.Revision] = r.ID
			}
		}
		b.patchsets[c.Current.Revision] = c.ID()
	}
	return b.patchsets
}

// depth counts the open changes that a change builds on.
func (b *builder) depth(c *change.Change) int {
	n := 0
	if len(c.Current.Parents) > 0 {
		b.below(c, func(change.ID) bool { n++; return true })
	}
	return n
}

// redParent says which patchset below a change has a failed test, or "". It
// holds the change only where the configuration wants that.
func (b *builder) redParent(c *change.Change) (reason string) {
	if b.p.RedParents != config.HoldChildren || c.Status == change.Merged {
		return ""
	}
	if c.Current.Parents == nil {
		b.touch(c) // who its parents are is not known yet
		return ""
	}
	b.below(c, func(id change.ID) bool {
		if workflow := b.failed(id); workflow != "" {
			reason = fmt.Sprintf("held: %s failed for %s below it; a comment \"recheck\" starts it all the same", workflow, id)
		}
		return reason == ""
	})
	return reason
}

// failed names a workflow that is required and whose latest attempt for a
// patchset had a failed test.
func (b *builder) failed(id change.ID) string {
	for _, w := range b.workflowsFor(b.open[id.Change]) {
		if w.Optional {
			continue
		}
		a := b.attempt(id, w.Name)
		outcome := a.ended
		if outcome == "" && a.number > 0 {
			key := b.key(b.open[id.Change], w, a.number)
			key.ID = id
			said, _ := b.told(b.open[id.Change], key, a.runID)
			outcome = said.Outcome
		}
		if outcome != "" && !outcome.Result() {
			outcome = a.before.word
		}
		if outcome == verdict.Failed && !a.called() {
			return w.Name
		}
	}
	return ""
}
