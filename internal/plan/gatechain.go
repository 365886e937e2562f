// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// maxBelow bounds how many commits below a patchset a gate looks at: each change is
// read again before something starts.
const maxBelow = 60

// gateChain looks at all that a patchset builds on, down to what is on a mirrored
// branch. It returns the open changes among that, and what one of the commits lacks
// to be trusted, or "".
func (b *builder) gateChain(c *change.Change, t config.Trust) (below []*change.Change, reason string) {
	next, reason := b.knownParents(c)
	seen := map[change.Revision]bool{}
	for reason == "" && len(next) > 0 {
		rev := next[0]
		next = next[1:]
		if seen[rev] || b.branchTips()[rev] {
			continue
		}
		seen[rev] = true
		if len(seen) > maxBelow {
			return below, fmt.Sprintf("builds on more than %d commits that are not merged: too many to see whether all are trusted", maxBelow)
		}
		var parents []change.Revision
		if parent, open := b.tips[rev]; open {
			below = append(below, parent)
			parents, reason = b.openBelow(parent, t)
		} else {
			parents, reason = b.originBelow(rev, t)
		}
		if reason != "" {
			return below, reason
		}
		next = append(next, parents...)
	}
	return below, reason
}

// openBelow says what the current patchset of an open change lacks, and what it
// builds on itself.
func (b *builder) openBelow(c *change.Change, t config.Trust) (parents []change.Revision, reason string) {
	if reason := b.distrust(c, t); reason != "" {
		return nil, fmt.Sprintf("builds on %s, which is not trusted: %s", c.ID(), reason)
	}
	return b.knownParents(c)
}

// isFresh reports whether a change was read whole in this pass: one by one, or because
// a commit that no listed change is at is its patchset.
func (b *builder) isFresh(c *change.Change) bool { return b.s.Fresh[c.Number] || b.open[c.Number] != c }

// originBelow does so for a commit that no open change is at now.
func (b *builder) originBelow(rev change.Revision, t config.Trust) (parents []change.Revision, reason string) {
	o, asked := b.s.Origins[rev]
	if id, known := b.revisions()[rev]; known && !asked && len(t.Groups) == 0 { // it needs no request to say no
		return nil, staleText(id, b.open[id.Change])
	}
	if !asked {
		b.plan.Needs.Origins = append(b.plan.Needs.Origins, rev)
		return nil, fmt.Sprintf("where %s below it comes from is not known yet", rev.Short())
	}
	if slices.ContainsFunc(o.Branches, func(name string) bool { return matchAny(b.p.Branches, name) }) {
		return nil, ""
	}
	c := o.Change
	if c == nil {
		return nil, fmt.Sprintf("builds on %s, which is on no mirrored branch and of no change that is seen here: rebase it", rev.Short())
	}
	if c.Status == change.New && c.Current.Revision == rev {
		return b.openBelow(c, t)
	}
	p, ok := patchsetAt(c, rev)
	id := change.ID{Change: c.Number, Patchset: p.Number}
	veto := vetoReason(c, t)
	member, _ := b.byMember(c, p, t)
	switch {
	case !ok || p.Parents == nil:
		return nil, fmt.Sprintf("what %s below it is cannot be read: rebase it", rev.Short())
	case c.Status == change.Merged && matchAny(b.p.Branches, c.Branch) && sameCode(c, p):
		return p.Parents, ""
	case veto != "":
		return nil, fmt.Sprintf("builds on %s, which is not trusted: %s", id, veto)
	case member:
		return p.Parents, ""
	}
	return nil, staleText(id, c)
}

// staleText says that nobody votes on a patchset any more.
func staleText(id change.ID, c *change.Change) string {
	return fmt.Sprintf("builds on %s, %s, and no vote tells now whether that is trusted: rebase it", id, fateText(c))
}

func patchsetAt(c *change.Change, rev change.Revision) (change.Patchset, bool) {
	for _, p := range append(slices.Clone(c.Earlier), c.Current) {
		if p.Revision == rev {
			return p, true
		}
	}
	return change.Patchset{}, false
}

// sameCode reports whether a patchset of a merged change differs in nothing but its
// base and message from the one that was merged: Gerrit makes such a one when it
// submits by cherry-pick or rebase.
func sameCode(c *change.Change, p change.Patchset) bool {
	for _, later := range append(slices.Clone(c.Earlier), c.Current) {
		if later.Number <= p.Number {
			continue
		}
		switch later.Kind {
		case change.TrivialRebase, change.TrivialRebaseMessage, change.NoCodeChange, change.NoChange:
		default:
			return false
		}
	}
	return true
}

// fateText says why a patchset is not the one that people vote on.
func fateText(c *change.Change) string {
	switch c.Status {
	case change.Abandoned:
		return "which is abandoned"
	case change.Merged:
		return fmt.Sprintf("which was merged into %s as patchset %d", c.Branch, c.Current.Number)
	}
	return fmt.Sprintf("which patchset %d replaced", c.Current.Number)
}

// branchTips are the tips of the branches that are mirrored: what is on them is
// merged.
func (b *builder) branchTips() map[change.Revision]bool {
	if b.merged == nil {
		b.merged = map[change.Revision]bool{}
		for name, tip := range b.s.Source {
			if matchAny(b.p.Branches, name) {
				b.merged[tip] = true
			}
		}
	}
	return b.merged
}

// touchChain asks for a change and, behind a gate, for all that it builds on to be
// read again: votes are taken back, and what is listed may be minutes old.
func (b *builder) touchChain(c *change.Change, t config.Trust) {
	b.touch(c)
	if !t.Required() || c.Status == change.Merged {
		return
	}
	below, _ := b.gateChain(c, t)
	for _, parent := range below {
		b.touch(parent)
		if !slices.Contains(b.plan.Below[c.Number], parent.Number) { // one workflow's gate may look further than another's
			b.plan.Below[c.Number] = append(b.plan.Below[c.Number], parent.Number)
		}
	}
}
