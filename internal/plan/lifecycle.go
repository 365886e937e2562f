// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// openRun is a run that something may be left to do about.
type openRun struct {
	key change.Key
	id  int64
	rev change.Revision
}

// lifecycle looks after the runs that were started: those that have become
// pointless are cancelled, those that ended without a word are reported, and
// each is noted as ended once nothing is left to do.
func (b *builder) lifecycle() {
	if !b.p.Report.On() || b.s.NoGitHub != "" {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(b.s.Mirror.Changes)) {
		for _, r := range openRuns(b.s.Mirror.Changes[number]) {
			w := workflowByName(b.p, r.key.Workflow)
			// A run after a merge tells its result itself, or nobody waits for it.
			if r.key.Server == b.p.Gerrit.Name && w != nil && !w.PostMerge {
				b.lookAfter(r)
			}
		}
	}
}

// openRuns finds the recorded runs of a change that are not noted as ended.
func openRuns(refs []Ref) []openRun {
	var runs []openRun
	ended := map[change.Key]bool{}
	for _, r := range refs {
		switch r.Entry.Kind {
		case change.RunOf:
			runs = append(runs, openRun{r.Entry.Key, r.Entry.RunID, r.Revision})
		case change.Ended:
			ended[r.Entry.Key] = true
		}
	}
	runs = slices.DeleteFunc(runs, func(r openRun) bool { return ended[r.key] || r.id == 0 })
	slices.SortFunc(runs, func(x, y openRun) int {
		return cmp.Or(cmp.Compare(x.key.Patchset, y.key.Patchset), cmp.Compare(x.key.Workflow, y.key.Workflow), cmp.Compare(x.key.Attempt, y.key.Attempt))
	})
	return runs
}

// lookAfter plans what is left to do about one run.
func (b *builder) lookAfter(r openRun) {
	reason, known := b.pointless(r.key)
	if !known {
		return
	}
	if b.needRun(r.id) {
		return
	}
	run, there := b.runByID(r.id)
	a := Action{Key: r.key, Revision: r.rev, Run: run, Reason: reason, Number: r.key.Change}
	switch done := !there || run.Status == "completed"; {
	case !done && reason != "":
		a.Verb = Cancel
	case !done && b.attempt(r.key.ID, r.key.Workflow).stopped >= r.key.Attempt:
		a.Verb, a.Reason = Cancel, "a comment called it off"
	case !done:
		return
	case reason != "":
		a.Verb, a.Outcome = End, verdict.Superseded
	case !b.conclude(&a, there):
		return // its own report may be on the way
	}
	b.add(a)
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
// wait for; false means nothing yet.
func (b *builder) conclude(a *Action, there bool) bool {
	c := b.open[a.Key.Change]
	if b.attempt(a.Key.ID, a.Key.Workflow).number != a.Key.Attempt {
		a.Verb, a.Outcome, a.Reason = End, verdict.Superseded, "a later attempt replaced it"
		return true
	}
	if outcome, ok := b.told(c, a.Key); ok {
		a.Verb, a.Outcome, a.Reason = End, outcome, "it was reported"
		return true
	}
	if there && b.now.Sub(a.Run.Updated) < b.p.Report.After {
		return false
	}
	b.report(c, a, there)
	return true
}

// told finds the report of a run among what we said on its change.
func (b *builder) told(c *change.Change, key change.Key) (verdict.Outcome, bool) {
	for _, residue := range verdict.Own(c.Messages, b.p.Gerrit.Username) {
		for _, run := range residue.Runs {
			if run.Key == key && run.Outcome != verdict.Running {
				return run.Outcome, true
			}
		}
	}
	return "", false
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

// pointless says why nobody waits for a run any more, or ""; known is false
// while that cannot be told.
func (b *builder) pointless(key change.Key) (reason string, known bool) {
	c, open := b.open[key.Change]
	switch {
	case !open:
		return b.closedReason(key.Change)
	case key.Patchset != c.Current.Number:
		return fmt.Sprintf("patchset %d replaced it", c.Current.Number), true
	case c.Private && b.p.Skip.Private:
		return "the change is private now", true
	case c.WIP && b.p.Skip.WIP:
		return "the change is work in progress now", true
	}
	return "", true
}

// closedReason asks Gerrit about a change that is not among the open ones: it
// may be closed, or left out by a filter.
func (b *builder) closedReason(number int) (string, bool) {
	if b.s.Closed == nil {
		b.plan.Needs.Closed = append(b.plan.Needs.Closed, number)
		return "", false
	}
	for _, c := range b.s.Closed {
		if c.Number == number {
			return "the change was " + statusText(c.Status), true
		}
	}
	return "", false
}
