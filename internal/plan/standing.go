// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Standing is where one workflow of a patchset is, for those who report on
// another one: they vote only when all have ended.
type Standing struct {
	Workflow string
	Optional bool
	// Key is the latest attempt; Attempt 0 is none yet.
	Key   change.Key
	RunID int64
	// Outcome is set once the attempt has ended and was reported.
	Outcome verdict.Outcome
	// Expected: the workflow has not ended, or is still to be started.
	Expected bool
	// Wasted counts the attempts that ended for reasons which trying again may
	// help.
	Wasted int
}

// Standings tells where the workflows of a patchset are that it should see.
// What is known of one is the ledger's word, or that of our own messages.
func Standings(p *config.Project, s *Snapshot, c *change.Change, now time.Time) []Standing {
	b := newBuilder(p, s, now)
	return b.standings(c, change.Key{})
}

// standings leaves it to the caller to fill in what is being reported.
func (b *builder) standings(c *change.Change, reporting change.Key) []Standing {
	var all []Standing
	for _, w := range b.workflowsFor(c) {
		a := b.attempt(c.ID(), w.Name)
		st := Standing{Workflow: w.Name, Optional: w.Optional, Key: b.key(c, w, a.number), RunID: a.runID, Outcome: a.ended, Wasted: a.wasted}
		if !a.recorded && a.rerun > 0 && a.asked == a.number {
			st.RunID = a.rerun // the call was made, and is not noted yet
		}
		switch {
		case a.called(), a.number == 0 && a.calledOff():
			st.Key, st.RunID, st.Outcome, st.Expected = b.key(c, w, max(a.asked, a.number)), 0, "", true
		case a.number == 0:
			switch b.decide(c, w).standing {
			case candidate, gated:
				st.Expected = true
			default:
				continue // a filter leaves it out, or an earlier result stands
			}
		case st.Outcome == "" && st.Key != reporting:
			st.Outcome, _ = b.told(c, st.Key)
			st.Expected = st.Outcome == ""
		}
		all = append(all, st)
	}
	return all
}
