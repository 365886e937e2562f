// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Run reads one run as it is now: its newest attempt. The error is ErrGone
// where there is no such run.
// https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run
func (c *Client) Run(ctx context.Context, repository string, id int64) (change.Run, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return change.Run{}, err
	}
	return c.readRun(ctx, repository, id, call{
		doing:  fmt.Sprintf("read run %d of %s", id, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/runs/%d?exclude_pull_requests=true", path, id),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	})
}

// RunAttempt reads one attempt of a run, from 1: its state and how it ended. The
// error is ErrGone where there is no such run or attempt.
// https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run-attempt
func (c *Client) RunAttempt(ctx context.Context, repository string, id int64, attempt int) (change.Run, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return change.Run{}, err
	}
	if c.gitea { // which has the last one alone
		return c.Run(ctx, repository, id)
	}
	return c.readRun(ctx, repository, id, call{
		doing:  fmt.Sprintf("read attempt %d of run %d of %s", attempt, id, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/runs/%d/attempts/%d?exclude_pull_requests=true", path, id, attempt),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	})
}

func (c *Client) readRun(ctx context.Context, repository string, id int64, q call) (change.Run, error) {
	var entry runEntry
	if _, err := c.read(ctx, q, &entry); err != nil {
		return change.Run{}, c.orGone(ctx, q, repository, err)
	}
	c.note(entry)
	run, err := entry.run()
	if err == nil && run.ID != id {
		err = fmt.Errorf("the answer is about run %d", run.ID)
	}
	if err != nil {
		return change.Run{}, fault.New(fault.Transient, "failed to %s: %w", q.doing, err)
	}
	c.markSeen(repository)
	return run, nil
}
