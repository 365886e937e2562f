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
	q := call{
		doing:  fmt.Sprintf("read run %d of %s", id, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/runs/%d?exclude_pull_requests=true", path, id),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}
	var entry runEntry
	if _, err := c.read(ctx, q, &entry); err != nil {
		return change.Run{}, c.orGone(ctx, q, repository, err)
	}
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
