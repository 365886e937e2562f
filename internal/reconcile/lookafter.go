// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// lookAfter looks after the runs that were started by earlier passes: cancels
// those that nobody waits for, reports those that ended without a word, and sets
// the votes that are owed.
func (a *acting) lookAfter(ctx context.Context) {
	do := map[plan.Verb]func(context.Context, int){plan.Cancel: a.cancel, plan.Report: a.report, plan.Judge: a.judge, plan.Vote: a.vote}
	for i := range a.result.Lines {
		l := &a.result.Lines[i]
		act, mine := do[l.Verb]
		switch {
		case !mine:
		case ctx.Err() != nil:
			l.wait("the pass was told to stop")
		default:
			act(ctx, i)
		}
	}
}

// cancel asks GitHub to stop a run. That it has ended is seen, and noted, by a
// later pass.
func (a *acting) cancel(ctx context.Context, line int) {
	l := &a.result.Lines[line]
	a.progress(fmt.Sprintf("cancelling %s", l.Key))
	l.Run = l.Action.Run
	if err := a.Doors.Canceller.Cancel(ctx, a.Project.CI.Repository, l.Run.ID); err != nil {
		l.fail(err)
		return
	}
	l.State = Done
}

// report tells Gerrit about a run. Where there was nothing to tell, its outcome
// is noted all the same: the report of another workflow asks for it.
func (a *acting) report(ctx context.Context, line int) {
	l := &a.result.Lines[line]
	a.progress(fmt.Sprintf("reporting %s", l.Key))
	l.Run = l.Action.Run
	told, err := a.Doors.Reporter.Report(ctx, a.Project, l.Action)
	if a.said(line, err); err != nil {
		return
	}
	l.State, l.Note = Done, told.Note
	a.refused(told)
	a.end(l, told.Outcome)
}

// judge notes how a run ended that nobody is told about.
func (a *acting) judge(ctx context.Context, line int) {
	l := &a.result.Lines[line]
	a.progress(fmt.Sprintf("reading %s", l.Key))
	l.Run = l.Action.Run
	outcome, err := a.Doors.Reporter.Judge(ctx, a.Project, l.Action)
	if err != nil {
		l.fail(err)
		return
	}
	l.State, l.Note = Done, fmt.Sprintf("%s: %s", outcome, l.Reason)
	a.end(l, outcome)
}

// kindOfVote is what Gerrit gives the right for: votes on changes for a branch, up
// to a value.
type kindOfVote struct {
	branch string
	red    bool
}

// vote sets a vote that is owed. Once Gerrit has refused one, others of the kind wait
// for the next pass: what one lacks, all lack.
func (a *acting) vote(ctx context.Context, line int) {
	l := &a.result.Lines[line]
	kind := kindOfVote{l.Change.Branch, plan.Red(a.Project, l.Standings, nil)}
	if a.voteless[kind] {
		l.wait(l.Reason + ": not tried, another one was refused just now")
		return
	}
	a.progress(fmt.Sprintf("setting the vote on %s", l.Key.ID))
	told, err := a.Doors.Reporter.Vote(ctx, a.Project, l.Action)
	switch a.refused(told); {
	case err != nil:
		a.said(line, err)
	case told.Refused != nil:
		a.voteless[kind] = true
		l.wait(l.Reason)
	default:
		l.State, l.Note = Done, told.Note
		a.takenAfterAll(l)
	}
}

// refused notes that Gerrit did not take a vote: somebody has to give a right, or
// to correct the label's name.
func (a *acting) refused(told Told) {
	if told.Refused != nil {
		a.problem("Gerrit did not take a vote, which is set once it does", told.Refused)
	}
}

// end notes that nothing is left to do about a run.
func (a *acting) end(l *Line, outcome verdict.Outcome) {
	if outcome == verdict.Running || outcome == "" {
		return
	}
	a.note(change.Entry{Kind: change.Ended, Key: l.Key, ID: l.Key.ID, Word: string(outcome), At: a.Now()}, l.Revision)
}

// manyRuns is how many runs are worth a list of the last day's before they are
// asked for one by one.
const manyRuns = 10

// readRuns reads the state of runs by their numbers.
func (p *Pass) readRuns(ctx context.Context, s *plan.Snapshot, ids []int64) error {
	repository := p.Project.CI.Repository
	listed := map[int64]change.Run{}
	if len(ids) > manyRuns {
		runs, err := p.Doors.Runs.Runs(ctx, repository, p.Now().Add(-24*time.Hour))
		if err != nil {
			return err
		}
		for _, r := range runs {
			listed[r.ID] = r
		}
	}
	if s.RunsByID == nil {
		s.RunsByID = map[int64]change.Run{}
	}
	for _, id := range ids {
		run, found := listed[id]
		if !found {
			var err error
			if run, found, err = p.Doors.RunReader.Run(ctx, repository, id); err != nil {
				return err
			}
		}
		if !found {
			run = change.Run{}
		}
		s.RunsByID[id] = run
	}
	return nil
}
