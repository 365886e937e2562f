// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// openRun is a run that something may be left to do about.
type openRun struct {
	key change.Key
	id  int64
	rev change.Revision
	// from is the earlier patchset that the run tested, if its result was carried.
	from int
}

// lifecycle looks after the runs that were started: those that have become
// pointless are cancelled, those that ended without a word are reported, and
// each is noted as ended once nothing is left to do.
func (b *builder) lifecycle() {
	if !b.p.Report.On() || b.s.NoGitHub != "" {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(b.s.Mirror.Changes)) {
		for _, r := range b.openRuns(number) {
			if w := workflowByName(b.p, r.key.Workflow); w != nil {
				b.lookAfter(w, r)
			} else {
				b.lookAfterRemoved(r)
			}
		}
		for _, r := range b.openClaims(number) {
			b.lookForRun(workflowByName(b.p, r.key.Workflow), r)
		}
	}
}

// watched reports whether runs of a key are looked after. A run after a merge tells its
// result itself, or nobody waits for it.
func (b *builder) watched(key change.Key) bool {
	w := workflowByName(b.p, key.Workflow)
	return w == nil || !w.PostMerge
}

// lookAfterRemoved looks after a run whose workflow has left the configuration:
// nobody is told of it, and it is cancelled where any other would be.
func (b *builder) lookAfterRemoved(r openRun) {
	c, open := b.open[r.key.Change]
	reason, known := "", true
	switch {
	case !open:
		reason, known = b.closedReason(r.key.Change)
	case b.isOld(r.key.ID):
		reason = fmt.Sprintf("patchset %d replaced it", c.Current.Number)
	default:
		reason = b.leftReason(c)
	}
	if !known || r.from > 0 || b.needRun(r.id) {
		return
	}
	run, there := b.runByID(r.id)
	if there && Foreign(b.p, r.key, run) != "" {
		return
	}
	a := Action{Verb: End, Key: r.key, Revision: r.rev, Run: run, Number: r.key.Change, Outcome: verdict.Superseded, Reason: "its workflow is not configured any more"}
	// A run that does not show its key may be anything: a ref alone stops nothing.
	if _, keyed := run.Key(); there && keyed && run.Status != "completed" {
		if reason == "" {
			return
		}
		a.Verb, a.Outcome, a.Reason = Cancel, "", reason
	}
	b.stopping(r, reason)
	b.add(a)
}

// openRuns finds the recorded runs of a change that are not noted as ended, and
// the results that were carried and not told yet.
func (b *builder) openRuns(number int) []openRun {
	var runs []openRun
	ended, carried := map[change.Key]bool{}, false
	for _, r := range b.refsOf(number) {
		e := r.Entry
		switch {
		case !b.believes(e), e.Key.Attempt > 0 && !b.watched(e.Key):
		case e.Kind == change.RunOf:
			runs = append(runs, openRun{key: e.Key, id: e.RunID, rev: r.Revision})
		case e.Kind == change.Carried:
			carried = true
			runs = append(runs, openRun{key: e.Key, rev: r.Revision, from: e.From})
		case e.Kind == change.Ended:
			ended[e.Key] = true
		}
	}
	if carried {
		for i, r := range runs {
			if r.from > 0 {
				runs[i].id = b.attempt(r.key.ID, r.key.Workflow).runID
			}
		}
	}
	runs = slices.DeleteFunc(runs, func(r openRun) bool { return ended[r.key] || r.id == 0 })
	slices.SortFunc(runs, func(x, y openRun) int {
		return cmp.Or(cmp.Compare(x.key.Patchset, y.key.Patchset), cmp.Compare(x.key.Workflow, y.key.Workflow), cmp.Compare(x.key.Attempt, y.key.Attempt))
	})
	return runs
}

// lookAfter plans what is left to do about one run.
func (b *builder) lookAfter(w *config.Workflow, r openRun) {
	reason, known := b.pointless(w, r)
	if r.from > 0 && reason != "" {
		if b.isOld(r.key.ID) {
			b.stopping(r, reason)
			b.add(Action{Verb: End, Key: r.key, Revision: r.rev, Number: r.key.Change, Reason: reason, Outcome: verdict.Superseded})
		}
		return // it is told when the patchset is back
	}
	if a := b.attempt(r.key.ID, w.Name); r.from > 0 && a.number > r.key.Attempt {
		word, _ := b.sourceResult(change.Entry{Key: r.key, ID: r.key.ID, From: r.from})
		b.add(Action{Verb: End, Key: r.key, Revision: r.rev, Number: r.key.Change, Reason: "a later attempt replaced it", Outcome: word})
		return
	}
	if !known || b.needRun(r.id) {
		return
	}
	run, there := b.runByID(r.id)
	if there && r.from == 0 && Foreign(b.p, r.key, run) != "" {
		return // the next round of the plan does without the record
	}
	a := Action{Key: r.key, Revision: r.rev, Run: run, Reason: reason, Number: r.key.Change}
	said, told := b.told(b.open[r.key.Change], r.key, r.id)
	told = told && !b.ranAgain(r, run)
	switch done := !there || run.Status == "completed"; {
	case !done && reason != "":
		a.Verb = Cancel
		if !b.isOld(r.key.ID) && !b.attempt(r.key.ID, r.key.Workflow).left {
			a.Entry = change.Entry{Kind: change.Left, Key: r.key, ID: r.key.ID}
		}
	case !done && b.attempt(r.key.ID, r.key.Workflow).stopped >= r.key.Attempt:
		a.Verb, a.Reason = Cancel, "a comment called it off"
	case !done:
		return
	case told:
		a.Verb, a.Outcome, a.Reason = End, said.Outcome, "it was reported"
	case reason != "" && !b.worthJudging(w, r.key, run):
		a.Verb, a.Outcome = End, verdict.Superseded
	case reason != "":
		a.Verb = Judge
	case b.attempt(r.key.ID, r.key.Workflow).number != r.key.Attempt:
		a.Verb, a.Reason = Judge, "a later attempt replaced it"
	case b.isOld(r.key.ID):
		a.Verb, a.Reason = Judge, "a later patchset takes its result over"
	default:
		b.conclude(&a, there, r)
	}
	b.stopping(r, reason)
	b.add(a)
}

// stopping asks for the change of a run that nobody waits for to be read again: the
// list of changes may be older than what the run was started for.
func (b *builder) stopping(r openRun, reason string) {
	if c, open := b.open[r.key.Change]; open && reason != "" {
		b.touch(c)
	}
}

// worthJudging reports whether a run that nobody waits for any more ended by
// itself: its result stands when the patchset comes back, or the later one that takes
// it over.
func (b *builder) worthJudging(w *config.Workflow, key change.Key, run change.Run) bool {
	if c, open := b.open[key.Change]; b.s.Hidden[key.Change] || open && c.Private {
		return false // nothing of it stays
	}
	switch run.Conclusion {
	case "success", "failure", "timed_out":
		if b.isOld(key.ID) {
			source, found, _ := b.carrySource(b.open[key.Change], w)
			return found && source.id == key.ID && source.number == key.Attempt
		}
		return true
	}
	return false
}

// isOld reports whether a patchset of an open change was replaced.
func (b *builder) isOld(id change.ID) bool {
	c, open := b.open[id.Change]
	return open && id.Patchset != c.Current.Number
}

// runByID is a run that was asked for, if GitHub still knows it.
func (b *builder) runByID(id int64) (run change.Run, there bool) {
	run = b.s.RunsByID[id]
	return run, run.ID != 0
}

// needRun asks for a run, unless it was asked for.
func (b *builder) needRun(id int64) bool {
	_, asked := b.s.RunsByID[id]
	if !asked {
		b.plan.Needs.RunIDs = append(b.plan.Needs.RunIDs, id)
	}
	return !asked
}

// conclude plans what is to be said about a run that has ended and that people
// wait for, once its own report must have come.
func (b *builder) conclude(a *Action, there bool, r openRun) {
	if due := a.Run.Updated.Add(b.p.Report.After); there && r.from == 0 && b.now.Before(due) {
		a.Verb, a.Reason = Wait, fmt.Sprintf("ended, reported from %s on", due.UTC().Format("15:04"))
		return
	}
	if !there && b.unseenYet(a, r) {
		return
	}
	b.report(b.open[a.Key.Change], a, there)
	if r.from > 0 {
		a.Reason = fmt.Sprintf("the result of patchset %d stands", r.from)
	}
}

// report plans a report in place of the run's own, which never came.
func (b *builder) report(c *change.Change, a *Action, there bool) {
	b.touch(c)
	a.Verb, a.Change, a.Reason = Report, c, "it ended without a report"
	if !there {
		a.Reason = "GitHub does not know its run any more"
	}
	a.Standings = b.standings(c, a.Key)
}
