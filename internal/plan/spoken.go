// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// spoken is what our messages on a change say together about its current patchset.
type spoken struct {
	ends []verdict.RunResidue
	// refused and reset tell of the last vote that Gerrit did not take it, or that
	// we took it back ourselves; empty that nothing was to be run.
	refused, reset, empty bool
	// vote is the last one that Gerrit took, if voted.
	voted bool
	vote  int
}

func saidOf(c *change.Change, self change.Account) spoken {
	var all spoken
	for _, m := range c.Messages {
		if m.Patchset != 0 && m.Patchset != c.Current.Number || !verdict.IsOwn(m, self) {
			continue
		}
		if command.TakesBack(m) {
			all.refused, all.reset = false, true
			continue
		}
		r, ok := verdict.ParseResidue(m.Text)
		if !ok || len(r.Runs) == 0 || r.Runs[0].Key.ID != c.ID() {
			continue
		}
		started := true
		for _, run := range r.Runs {
			all.empty = all.empty || run.Empty()
			if run.Outcome != verdict.Running {
				all.ends, started = append(all.ends, run), false
			}
		}
		if r.Voted || r.Refused {
			all.refused, all.reset = r.Refused, started && r.Voted
			if r.Voted && !started {
				all.voted, all.vote = true, r.Vote
			}
		}
	}
	return all
}

// told reports whether the result of an attempt was told.
func (s spoken) told(st Standing) bool {
	return slices.ContainsFunc(s.ends, func(run verdict.RunResidue) bool {
		return run.Key == st.Key && (run.RunID == st.RunID || st.RunID == 0)
	})
}
