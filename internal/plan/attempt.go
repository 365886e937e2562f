// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// attempt is what the ledger says about the last attempt of one workflow for
// one patchset.
type attempt struct {
	number   int // 0: never claimed
	claim    change.Revision
	recorded bool      // a run record exists
	runID    int64     // of the record; 0 where GitHub did not say
	lostAt   time.Time // when it was first seen without a run
	carried  bool
	ended    verdict.Outcome // once nothing is left to do about the run
	// wasted counts the attempts, this one included, that ended for reasons
	// which trying again may help.
	wasted int
}

// lastAttempt reads the ledger for one patchset and workflow.
func (m *Mirror) lastAttempt(id change.ID, workflow string) attempt {
	var a attempt
	refs := m.Changes[id.Change]
	for _, r := range refs {
		if r.ID != id || r.Entry.Key.Workflow != workflow {
			continue
		}
		switch r.Entry.Kind {
		case change.Carried:
			a.carried = true
		case change.Claim, change.RunOf:
			a.number = max(a.number, r.Entry.Key.Attempt)
		case change.Ended:
			if verdict.Outcome(r.Entry.Word).Retryable() {
				a.wasted++
			}
		}
	}
	for _, r := range refs {
		if r.ID == id && r.Entry.Key.Workflow == workflow && r.Entry.Key.Attempt == a.number {
			a.take(r)
		}
	}
	return a
}

// take reads one entry about the attempt.
func (a *attempt) take(r Ref) {
	switch e := r.Entry; e.Kind {
	case change.Claim:
		a.claim = r.Revision
	case change.RunOf:
		a.recorded, a.runID = true, max(a.runID, e.RunID)
	case change.Ended:
		a.ended = verdict.Outcome(e.Word)
	case change.Lost:
		if a.lostAt.IsZero() || e.At.Before(a.lostAt) {
			a.lostAt = e.At
		}
	}
}
