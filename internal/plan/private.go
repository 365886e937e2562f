// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// privateReason says which private change a patchset builds on that is not on the
// mirror yet, or "": the commits below it would come along. Where no change is private
// that costs one request in a pass that relays something, and nothing in others.
func (b *builder) privateReason(c *change.Change) string {
	switch {
	case !b.p.Skip.Private || c.Status == change.Merged || b.s.Mirror.patchset(c.ID()) != "":
		return ""
	case b.s.NoPrivate != "":
		return b.s.NoPrivate
	case b.s.Private == nil:
		b.plan.Needs.Private = true
		return "whether it builds on a private change " + notKnownYet
	case len(b.s.Private) == 0:
		return ""
	}
	next, reason := b.knownParents(c)
	seen, asked := map[change.Revision]bool{}, 0
	for reason == "" && len(next) > 0 {
		rev := next[0]
		next = next[1:]
		if seen[rev] || b.branchTips()[rev] {
			continue
		}
		seen[rev] = true
		if id, private := b.s.Private[rev]; private {
			return fmt.Sprintf("builds on %s, which is private: tested once that is public or merged", id)
		}
		var parents []change.Revision
		if parent, open := b.tips[rev]; open {
			parents, reason = b.knownParents(parent)
		} else if asked++; asked > maxBelow {
			return fmt.Sprintf("builds on more than %d patchsets that were replaced or merged: too many to see whether one is private", maxBelow)
		} else {
			parents, reason = b.originParents(rev)
		}
		next = append(next, parents...)
	}
	return reason
}

// mirrorOnly reports whether a patchset that no workflow tests may come to the mirror.
func (b *builder) mirrorOnly(c *change.Change) bool {
	if b.s.Mirror.patchset(c.ID()) != "" {
		return true
	}
	b.touch(c)
	reason := b.privateReason(c)
	if reason != "" {
		b.add(Action{Verb: Wait, Change: c, Reason: reason})
	}
	return reason == ""
}

// knownParents are what a patchset builds on, or the reason why that is not known.
func (b *builder) knownParents(c *change.Change) (parents []change.Revision, reason string) {
	if c.Current.Parents == nil && !b.isFresh(c) {
		b.touch(c)
		return nil, fmt.Sprintf("what %s builds on %s", c.ID(), notKnownYet)
	}
	return slices.Clone(c.Current.Parents), ""
}

// originParents does so for a commit that no open change at hand is at now. What is
// on a branch is not private.
func (b *builder) originParents(rev change.Revision) (parents []change.Revision, reason string) {
	o, asked := b.s.Origins[rev]
	if !asked {
		b.plan.Needs.Origins = append(b.plan.Needs.Origins, rev)
		return nil, fmt.Sprintf("where %s below it comes from %s", rev.Short(), notKnownYet)
	}
	if len(o.Branches) > 0 || o.Change == nil {
		return nil, ""
	}
	p, _ := patchsetAt(o.Change, rev)
	return p.Parents, ""
}
