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
// those that nobody waits for, and reports those that ended without a word.
func (a *acting) lookAfter(ctx context.Context) {
	for i := range a.result.Lines {
		l := &a.result.Lines[i]
		switch {
		case l.Verb != plan.Cancel && l.Verb != plan.Report:
		case ctx.Err() != nil:
			l.wait("the pass was told to stop")
		case l.Verb == plan.Cancel:
			a.cancel(ctx, l)
		default:
			a.report(ctx, l)
		}
	}
}

// cancel asks GitHub to stop a run. That it has ended is seen, and noted, by a
// later pass.
func (a *acting) cancel(ctx context.Context, l *Line) {
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
func (a *acting) report(ctx context.Context, l *Line) {
	a.progress(fmt.Sprintf("reporting %s", l.Key))
	l.Run = l.Action.Run
	outcome, note, err := a.Doors.Reporter.Report(ctx, a.Project, l.Action)
	if err != nil {
		l.fail(err)
		return
	}
	l.State, l.Note = Done, note
	a.end(l, outcome)
}

// end notes that nothing is left to do about a run.
func (a *acting) end(l *Line, outcome verdict.Outcome) {
	if outcome == verdict.Running || outcome == "" {
		return
	}
	a.note(change.Entry{Kind: change.Ended, Key: l.Key, Word: string(outcome)}, l.Revision)
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
