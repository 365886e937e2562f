// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
)

// watchLimit is how long a job may watch: GitHub ends those on its own runners
// after 6 hours, and then the job itself would have failed.
const watchLimit = 5*time.Hour + 30*time.Minute

// enough ends the watch at its limit.
func (c *environmentsCommand) enough() (int, error) {
	c.out.Warning(fmt.Sprintf("jobs for self-hosted runners are not watched any longer, after %v: one of an offline lab may wait for 24 hours, and the report does not wait for optional ones", watchLimit))
	return 0, nil
}

// without lets the run be reported without optional jobs that nobody took. Nothing
// has failed. The output is the attempt: when failed jobs are run again, the outputs of
// those that are not stay as they were.
func (c *environmentsCommand) without(stuck []environments.Waiting, deadline time.Duration) (int, error) {
	for _, s := range stuck {
		c.out.Warning(fmt.Sprintf("no runner with the labels %s took the job %s within %v: the lab is offline or too busy, or a label is wrong. It is optional, and the run is reported without it",
			strings.Join(s.Labels, ", "), s.Name, deadline))
	}
	return 0, c.out.SetOutput("offline", cmp.Or(c.app.Getenv("GITHUB_RUN_ATTEMPT"), "1"))
}

// givePause is how long a run may take to end after it was cancelled, before it is
// made to: GitHub takes the order, and may leave a job that waits for a runner
// where it is (paiml/paiml-mcp-agent-toolkit#1318).
const givePause = time.Minute

// forceLimit bounds the wait for jobs that clean up after themselves. They have five
// minutes, and so has a step with always() in the cancelled job that waits for them
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation).
const forceLimit = 4 * time.Minute

// giveUp is "environments give-up": it ends the run that it is a part of, once nothing
// but optional jobs that no runner takes is left of it.
func (c *environmentsCommand) giveUp(ctx context.Context) (int, error) {
	set := flag.NewFlagSet("give-up", flag.ContinueOnError)
	force := set.Bool("force", false, "")
	if err := c.parse(set, 0); err != nil {
		return 0, err
	}
	env := c.app.Getenv
	run, err := strconv.ParseInt(env("GITHUB_RUN_ID"), 10, 64)
	if err != nil {
		return 0, wrong("it is a step of the workflow autorun", "there is no run to end")
	}
	plan, err := environments.Unpack(env("PLAN"))
	if err != nil {
		return 0, err
	}
	w := environments.Watch{Self: env("GITHUB_JOB"), Lab: plan.Lab}
	// What lab saw was of its own attempt. In a later one somebody may have mended the
	// lab, and wants to see its test.
	if env("OFFLINE") != env("GITHUB_RUN_ATTEMPT") {
		if w.Deadline, err = c.deadline(); err != nil {
			return 0, err
		}
	}
	hub, err := c.hub()
	if err != nil {
		return 0, err
	}
	if *force {
		return c.makeEnd(ctx, hub, run, w)
	}
	v, err := c.untilUntaken(ctx, hub, run, &w)
	switch {
	case err != nil:
		return 0, err
	case v.Done:
		c.out.Println("each job has found its runner meanwhile, so nothing is given up")
		return 0, nil
	case !v.GiveUp && !v.Cancel:
		return c.enough()
	}
	c.out.Println("all that this run waited for has ended and is reported; what is left are jobs that no runner takes, and so the run is cancelled")
	// This job is cancelled with it: what is left to do is another step's.
	if err := c.out.SetOutput("cancelled", "true"); err != nil {
		return 0, err
	}
	return ExitDone, hub.Cancel(ctx, env("GITHUB_REPOSITORY"), run, false)
}

// untilUntaken waits while any job works: one that has got its runner in the last
// moment has a host to leave in order.
func (c *environmentsCommand) untilUntaken(ctx context.Context, hub *github.Client, run int64, w *environments.Watch) (environments.Verdict, error) {
	attempt, _ := strconv.Atoi(c.app.Getenv("GITHUB_RUN_ATTEMPT")) // 0 is the latest
	for begun := c.app.Now(); ; {
		jobs, err := hub.Jobs(ctx, c.app.Getenv("GITHUB_REPOSITORY"), run, attempt)
		if err != nil && !errors.Is(err, fault.Transient) {
			return environments.Verdict{}, err
		}
		var v environments.Verdict
		if err == nil {
			v = w.Look(c.app.Now(), jobs)
		}
		if v.Done || v.GiveUp || v.Cancel || c.app.Now().Sub(begun) >= watchLimit {
			return v, nil
		}
		if err := c.app.Sleep(ctx, watchPause); err != nil {
			return v, err
		}
	}
}

// makeEnd ends a run that was cancelled and goes on. Force ends steps with always(),
// too, so it comes when no other job works any more.
func (c *environmentsCommand) makeEnd(ctx context.Context, hub *github.Client, run int64, w environments.Watch) (int, error) {
	w.Deadline = 0
	attempt, _ := strconv.Atoi(c.app.Getenv("GITHUB_RUN_ATTEMPT"))
	for waited := time.Duration(0); waited < forceLimit; waited += givePause {
		if err := c.app.Sleep(ctx, givePause); err != nil {
			return 0, err
		}
		jobs, err := hub.Jobs(ctx, c.app.Getenv("GITHUB_REPOSITORY"), run, attempt)
		if err != nil {
			continue // the next look may tell more
		}
		switch v := w.Look(c.app.Now(), jobs); {
		case v.Done:
			return ExitDone, nil
		case v.GiveUp || v.Cancel:
			return ExitDone, hub.Cancel(ctx, c.app.Getenv("GITHUB_REPOSITORY"), run, true)
		}
	}
	c.out.Warning("the run is cancelled, and jobs of it still work: what waits for a runner may wait on, for 24 hours at most")
	return ExitDone, nil
}
