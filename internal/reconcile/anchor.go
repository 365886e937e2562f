// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// anchor is a commit that the mirror surely has, for entries that are about
// none of their own; "" if there is none.
func (a *acting) anchor() change.Revision {
	if tips := append(a.landed, a.branchTips()...); len(tips) > 0 {
		return tips[0]
	}
	for i := range a.result.Lines { // where all branches are refused, what that was noted at
		if l := &a.result.Lines[i]; l.Branch != "" && l.Before.Known() {
			return l.Before.Refs[0].Revision
		}
	}
	return ""
}

// base is the tip of a branch that patchsets brought to a mirror which takes no
// branches; "" if there is none. Unlike a patchset it never has to leave the mirror.
func (a *acting) base() change.Revision {
	tips := slices.Collect(maps.Values(a.snapshot.Source))
	for _, c := range a.snapshot.Changes {
		for _, parent := range c.Current.Parents {
			if a.here[c.ID()] && slices.Contains(tips, parent) {
				return parent
			}
		}
	}
	return ""
}

// bases are the commits that the mirror surely has, or will be told of in the same
// pass: nobody else is to blame for what a patchset brings that builds on these.
func (a *acting) bases() map[change.Revision]bool {
	bases := map[change.Revision]bool{}
	for _, tip := range a.snapshot.Mirror.Branches {
		bases[tip] = true
	}
	for i := range a.snapshot.Changes {
		c := &a.snapshot.Changes[i]
		if a.snapshot.Mirror.Holds(c.ID(), c.Current.Revision) {
			bases[c.Current.Revision] = true
		}
	}
	for i := range a.result.Lines {
		if l := &a.result.Lines[i]; l.Verb == plan.Relay {
			bases[l.Revision] = true
		}
	}
	return bases
}

// maxTips bounds the branch tips that are offered to Gerrit as haves.
const maxTips = 200

// branchTips are the mirror's tips of branches that Gerrit has too.
func (a *acting) branchTips() []change.Revision {
	var tips []change.Revision
	for _, name := range slices.Sorted(maps.Keys(a.snapshot.Mirror.Branches)) {
		if _, known := a.snapshot.Source[name]; known && len(tips) < maxTips {
			tips = append(tips, a.snapshot.Mirror.Branches[name])
		}
	}
	return tips
}
