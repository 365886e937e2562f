// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
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
// has failed.
func (c *environmentsCommand) without(stuck []environments.Waiting, deadline time.Duration) (int, error) {
	for _, s := range stuck {
		c.out.Warning(fmt.Sprintf("no runner with the labels %s took the job %s within %v: the lab is offline or too busy, or a label is wrong. It is optional, and the run is reported without it",
			strings.Join(s.Labels, ", "), s.Name, deadline))
	}
	return 0, c.out.SetOutput("offline", "true")
}

// givePause is how long a run may take to end after it was cancelled, before it is
// made to: GitHub takes the order, and may leave a job that waits for a runner
// where it is (paiml/paiml-mcp-agent-toolkit#1318).
const givePause = time.Minute

// giveUp is "environments give-up": it ends the run that it is a part of.
func (c *environmentsCommand) giveUp(ctx context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("give-up", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	run, err := strconv.ParseInt(c.app.Getenv("GITHUB_RUN_ID"), 10, 64)
	if err != nil {
		return 0, wrong("it is a step of the workflow autorun", "there is no run to end")
	}
	hub, err := c.hub()
	if err != nil {
		return 0, err
	}
	c.out.Println("all that this run waited for has ended and is reported; what is left are jobs that no runner takes, and so the run is cancelled")
	for _, force := range []bool{false, true} {
		if err := hub.Cancel(ctx, c.app.Getenv("GITHUB_REPOSITORY"), run, force); err != nil {
			return 0, err
		}
		if err := c.app.Sleep(ctx, givePause); err != nil {
			return ExitDone, nil // this is how it ends
		}
	}
	return ExitDone, nil
}
