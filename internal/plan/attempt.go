// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"
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
	// asked is the latest attempt that a comment asks for, failedOnly whether for
	// failed jobs only; stopped is the latest that one calls off.
	asked, stopped int
	failedOnly     bool
	// rerun is the run whose failed jobs the attempt runs again, or would; known
	// counts the attempts that are recorded as parts of it.
	rerun int64
	known int
	// wasted counts the attempts, this one included, that ended for reasons
	// which trying again may help.
	wasted int
}

// called reports whether a comment asks for another attempt.
func (a attempt) called() bool { return a.asked > max(a.number, a.stopped) }

// calledOff reports whether a comment stopped the work: nothing more is started
// by itself.
func (a attempt) calledOff() bool { return a.stopped >= max(a.number, 1) && a.asked <= a.stopped }

// attempt reads the ledger for one patchset and workflow, and what comments have
// just added to it.
func (b *builder) attempt(id change.ID, workflow string) attempt {
	var a attempt
	refs := b.s.Mirror.Changes[id.Change]
	if said := b.said[id.Change]; len(said) > 0 {
		refs = slices.Concat(refs, said)
	}
	for _, r := range refs {
		if r.ID != id || r.Entry.Key.Workflow != workflow {
			continue
		}
		switch r.Entry.Kind {
		case change.Asked:
			if n := r.Entry.Key.Attempt; n >= a.asked {
				a.asked, a.failedOnly = n, r.Entry.Word == change.FailedJobs
			}
		case change.Stopped:
			a.stopped = max(a.stopped, r.Entry.Key.Attempt)
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
	if a.failedOnly && a.asked >= a.number {
		a.again(refs, id, workflow)
	}
	return a
}

// again finds the run of the attempt before the one that is asked for, if GitHub
// told its number.
func (a *attempt) again(refs []Ref, id change.ID, workflow string) {
	runs := map[int]int64{}
	last := 0
	for _, r := range refs {
		k := r.Entry.Key
		if r.Entry.Kind == change.RunOf && r.ID == id && k.Workflow == workflow && k.Attempt < a.asked {
			runs[k.Attempt], last = r.Entry.RunID, max(last, k.Attempt)
		}
	}
	a.rerun = runs[last]
	for _, run := range runs {
		if run == a.rerun {
			a.known++
		}
	}
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
