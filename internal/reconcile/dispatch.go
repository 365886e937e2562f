// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// calls is the state of the calls of one pass.
type calls struct {
	*acting
	last     time.Time // when the call before was made
	deadline time.Time // no call is made later than this
	// stopped is why no further call is made, if so; broken is the same for one
	// workflow.
	stopped error
	broken  map[string]error
	// nameless are the lines whose runs GitHub did not name.
	nameless []int
}

// dispatch makes the calls whose claims are ours and whose patchsets are there,
// in the plan's order. A claim that is not used is given back, so that the next
// pass need not wait for it to count as lost.
func (a *acting) dispatch(ctx context.Context, claimedAt time.Time) {
	c := &calls{acting: a, deadline: claimedAt.Add(a.Project.Grace / 2), broken: map[string]error{}}
	for i := range a.result.Lines {
		l := &a.result.Lines[i]
		if l.Verb != plan.Dispatch {
			continue
		}
		if !a.claimed[i] {
			if l.State == Planned {
				l.wait("it could not be claimed in this pass")
			}
			continue
		}
		if !a.here[l.Change.ID()] {
			a.release(l)
			continue
		}
		c.one(ctx, i)
	}
	c.nameRuns(ctx)
}

// one makes one call, or says why it is not made.
func (c *calls) one(ctx context.Context, i int) {
	l := &c.result.Lines[i]
	if why := c.hold(ctx, l); why != "" {
		l.wait(why)
		c.release(l)
		return
	}
	c.progress(fmt.Sprintf("dispatching %s", l.Key))
	c.last = c.Now()
	outcome, run, err := c.call(ctx, l)
	switch outcome {
	case change.Accepted:
		l.State, l.Run = Done, run
		if run.ID == 0 {
			c.nameless = append(c.nameless, i)
			return
		}
		c.record(l)
	case change.Refused:
		l.fail(err)
		c.release(l)
		c.learn(l, err)
	default:
		l.State = InDoubt
		l.Err = fmt.Errorf("the answer was lost, the next pass looks for the run: %w", err)
	}
}

// call starts a run, or the failed jobs of one that has ended. Where GitHub will
// not repeat that, a new run does as well.
func (c *calls) call(ctx context.Context, l *Line) (change.Outcome, change.Run, error) {
	if l.Rerun != 0 {
		outcome, err := c.Doors.Rerunner.Rerun(ctx, c.Project.CI.Repository, l.Rerun)
		switch {
		case outcome == change.Accepted:
			run := c.snapshot.RunsByID[l.Rerun]
			run.ID = l.Rerun
			return outcome, run, nil
		case outcome == change.Unsettled || !errors.Is(err, fault.Permanent):
			return outcome, change.Run{}, err
		}
	}
	return c.Doors.Starter.Dispatch(ctx, l.Call)
}

// hold waits for the pace and says why a call must not be made, or "".
func (c *calls) hold(ctx context.Context, l *Line) string {
	if c.stopped != nil {
		return "not tried: " + c.stopped.Error()
	}
	if err := c.broken[l.Key.Workflow]; err != nil {
		return "not tried: " + err.Error()
	}
	if wait := c.last.Add(c.Project.Limits.Pace).Sub(c.Now()); wait > 0 && !c.last.IsZero() {
		if err := c.Sleep(ctx, wait); err != nil {
			return "the pass was told to stop"
		}
	}
	if ctx.Err() != nil {
		return "the pass was told to stop"
	}
	// Past half of the grace time another pass may already count this claim as
	// lost and make the call itself.
	if c.Now().After(c.deadline) {
		return "no time was left in this pass"
	}
	return ""
}

// learn decides what a refusal means for the calls that follow.
func (c *calls) learn(l *Line, err error) {
	switch {
	case errors.Is(err, fault.Transient):
		c.stopped = err // a limit: more calls would only make it worse
	case errors.Is(err, fault.Configuration):
		c.broken[l.Key.Workflow] = err
	}
}

// record has the run of a claim written down.
func (a *acting) record(l *Line) {
	a.note(change.Entry{Kind: change.RunOf, Key: l.Key, ID: l.Key.ID, RunID: l.Run.ID}, l.Revision)
}

// release gives a claim back.
func (a *acting) release(l *Line) {
	ref := a.Project.Mirror.Ledger.Ref(change.Entry{Kind: change.Claim, Key: l.Key})
	a.drops = append(a.drops, relay.Update{Ref: ref, Old: l.Revision})
}

// nameRuns looks for the runs that GitHub started without naming them: an older
// server answers 204. One that is not visible yet is recorded without its
// number; that it was accepted is what counts.
func (c *calls) nameRuns(ctx context.Context) {
	if len(c.nameless) == 0 {
		return
	}
	since := c.Now().Add(-c.Project.Grace)
	runs, err := c.Doors.Runs.Runs(ctx, c.Project.CI.Repository, since)
	if err != nil {
		c.result.Problems = append(c.result.Problems, fmt.Errorf("failed to look for the runs just started: %w", err))
	}
	index := byKey(runs)
	for _, i := range c.nameless {
		l := &c.result.Lines[i]
		if run, ok := index[l.Key]; ok {
			l.Run = run
		}
		c.record(l)
	}
}
