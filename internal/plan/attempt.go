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
	recorded bool      // a run record exists, or what came of the run
	runID    int64     // of the record; 0 where GitHub did not say
	lostAt   time.Time // when it was first seen without a run
	// from is the earlier patchset that the run tested, if its result was carried.
	from int
	// ended is how the run ended, once that is noted, and endedAt when that was.
	ended   verdict.Outcome
	endedAt time.Time
	// left: we cancelled its run because the change was left alone.
	left bool
	// before is the last earlier attempt that has a result.
	before outcome
	// asked is the latest attempt that a comment asks for, failedOnly whether for
	// failed jobs only; stopped is the latest that one calls off.
	asked, stopped int
	failedOnly     bool
	// rerun is the run whose failed jobs the attempt runs again, or would; known
	// counts the attempts that are recorded as parts of it.
	rerun int64
	known int
	// wasted counts the attempts, this one included, that ended for reasons
	// which trying again may help, since a comment asked for one.
	wasted int
}

// outcome is how an attempt ended.
type outcome struct {
	attempt int // 0: there is none
	runID   int64
	// part is which attempt of the run it was, where later ones are parts of the same
	// run; else 0.
	part int
	// from is the earlier patchset that the run tested, if it was carried; else 0.
	from int
	word verdict.Outcome
}

// called reports whether a comment asks for another attempt.
func (a attempt) called() bool { return a.asked > max(a.number, a.stopped) }

// calledOff reports whether a comment stopped the work: nothing more is started
// by itself.
func (a attempt) calledOff() bool { return a.stopped >= max(a.number, 1) && a.asked <= a.stopped }

// attempt reads the ledger for one patchset and workflow, and what comments have
// just added to it.
func (b *builder) attempt(id change.ID, workflow string) attempt {
	a := attempt{}
	refs := b.withoutForeign(b.refsOf(id.Change))
	since := 0 // the last attempt that was asked for and is there
	for _, r := range refs {
		if r.ID != id || r.Entry.Key.Workflow != workflow || !b.believes(r.Entry) {
			continue
		}
		switch n := r.Entry.Key.Attempt; r.Entry.Kind {
		case change.Asked:
			if n >= a.asked {
				a.asked, a.failedOnly = n, r.Entry.Word == change.FailedJobs
			}
		case change.Stopped:
			a.stopped = max(a.stopped, n)
		case change.Claim, change.RunOf, change.Carried, change.Ended:
			a.number = max(a.number, n)
		}
	}
	for _, r := range refs {
		e := r.Entry
		if r.ID != id || e.Key.Workflow != workflow || !b.believes(e) {
			continue
		}
		switch {
		case e.Kind == change.Asked && e.Key.Attempt <= a.number:
			since = max(since, e.Key.Attempt)
		case e.Key.Attempt == a.number:
			a.take(r)
			if e.Kind == change.Carried {
				_, run := b.sourceResult(e) // -1 is none
				a.runID = max(a.runID, run)
			}
		case e.Kind == change.Ended && e.Key.Attempt < a.number && e.Key.Attempt > a.before.attempt && verdict.Outcome(e.Word).Result():
			a.before = outcome{attempt: e.Key.Attempt, word: verdict.Outcome(e.Word)}
		case e.Kind == change.Carried && e.Key.Attempt < a.number && e.Key.Attempt >= a.before.attempt:
			a.before = outcome{attempt: e.Key.Attempt, from: e.From}
			a.before.word, a.before.runID = b.sourceResult(e)
		}
	}
	if a.number == 0 {
		b.remember(&a, id, workflow)
	}
	a.more(refs, id, workflow, since)
	if a.failedOnly && a.asked >= a.number {
		a.again(refs, id, workflow)
	}
	return a
}

// remember reads our own messages where the ledger says nothing: its refs were
// pruned, or somebody deleted them. A result that we have told stands.
func (b *builder) remember(a *attempt, id change.ID, workflow string) {
	for _, residue := range b.own(b.open[id.Change]) {
		for _, run := range residue.Runs {
			k := run.Key
			if k.ID == id && k.Workflow == workflow && run.Outcome.Result() && !run.Empty() && k.Attempt >= a.number {
				a.number, a.recorded, a.runID, a.ended, a.endedAt = k.Attempt, true, run.RunID, run.Outcome, residue.At
			}
		}
	}
}

// refsOf are the refs about a change that count, and what this pass adds to them.
func (b *builder) refsOf(number int) []Ref {
	refs := b.s.Mirror.Changes[number]
	if strange := func(r Ref) bool { return !b.counts(r.Entry) }; slices.ContainsFunc(refs, strange) {
		refs = slices.DeleteFunc(slices.Clone(refs), strange)
	}
	if said := b.said[number]; len(said) > 0 {
		return slices.Concat(refs, said)
	}
	return refs
}

// more finds what other refs say of the attempt: how often it was tried in vain,
// and the run of the one before.
func (a *attempt) more(refs []Ref, id change.ID, workflow string, since int) {
	wasted := map[int]bool{} // two dispatchers may have noted the same end
	for _, r := range refs {
		e := r.Entry
		switch {
		case e.Key.Workflow != workflow:
		case r.ID == id && e.Kind == change.Ended && e.Key.Attempt >= since && verdict.Outcome(e.Word).Retryable():
			wasted[e.Key.Attempt] = true
		case r.ID == id && e.Kind == change.RunOf && e.Key.Attempt == a.before.attempt:
			a.before.runID = max(a.before.runID, e.RunID)
		}
	}
	a.wasted = len(wasted)
	if a.before.runID != 0 && a.before.from == 0 {
		a.before.part = part(refs, id, workflow, a.before)
	}
}

// part counts the attempts that share the run of one of them up to that one; 0 if
// none came after it.
func part(refs []Ref, id change.ID, workflow string, o outcome) int {
	upTo, after := 0, 0
	for _, r := range refs {
		e := r.Entry
		if e.Kind != change.RunOf || r.ID != id || e.Key.Workflow != workflow || e.RunID != o.runID {
			continue
		}
		if e.Key.Attempt <= o.attempt {
			upTo++
		} else {
			after++
		}
	}
	if after == 0 {
		return 0
	}
	return upTo
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
	case change.Carried:
		a.recorded, a.from = true, e.From
	case change.Ended:
		// Of two dispatchers one may have seen a result, and one that nobody waits.
		if word := verdict.Outcome(e.Word); word.Result() || !a.ended.Result() {
			a.recorded, a.ended, a.endedAt = true, word, e.At
		}
	case change.Left:
		a.left = true
	case change.Lost:
		if a.lostAt.IsZero() || e.At.Before(a.lostAt) {
			a.lostAt = e.At
		}
	}
}
