// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Cancel asks GitHub to end a run; that it has ended already is fine. The run
// ends some time later, once its jobs did: those with if: always() are let go
// on, unless force says otherwise. The error is ErrGone where there is no such
// run.
// https://docs.github.com/rest/actions/workflow-runs#cancel-a-workflow-run
func (c *Client) Cancel(ctx context.Context, repository string, runID int64, force bool) error {
	path, err := repositoryPath(repository)
	if err != nil {
		return err
	}
	q := call{
		doing:  fmt.Sprintf("cancel run %d of %s", runID, repository),
		method: http.MethodPost, path: fmt.Sprintf("%s/actions/runs/%d/cancel", path, runID),
		deadline: actDeadline, needs: "Actions: write", missing: checkRepository(repository), done: isCancelled,
	}
	if force && !c.gitea { // neither Gitea nor Forgejo tells the two apart
		q.path = fmt.Sprintf("%s/actions/runs/%d/force-cancel", path, runID)
	}
	// Asking twice does no harm, so it is tried again like a read.
	resp, err := c.read(ctx, q, nil)
	if err != nil {
		return c.orGone(ctx, q, repository, c.unoffered(ctx, q, repository, runID, err))
	}
	done := c.gitea && resp.StatusCode == http.StatusNoContent // Forgejo
	if !done && resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusConflict {
		return unexpected(q, resp.StatusCode)
	}
	return nil
}

// isCancelled knows 202, and the 409 for a run that is completed, from the one
// for a run that cannot be cancelled yet ("has not yet queued").
func isCancelled(e *apiError) bool {
	return e.status == http.StatusAccepted || e.status == http.StatusConflict && strings.Contains(e.message, "completed")
}

// Rerun asks GitHub for a new attempt of a run, of all of its jobs or only of
// those that failed or were cancelled. It is asked once: after ErrUnsettled the
// run's attempt tells whether there is a new one. The error is Permanent where
// the run is too old or was repeated too often, Transient while it still runs,
// and ErrGone where there is no such run.
// https://docs.github.com/rest/actions/workflow-runs#re-run-a-workflow
func (c *Client) Rerun(ctx context.Context, repository string, runID int64, failedOnly bool) error {
	path, err := repositoryPath(repository)
	if err != nil {
		return err
	}
	q := call{
		doing:  fmt.Sprintf("rerun run %d of %s", runID, repository),
		method: http.MethodPost, path: fmt.Sprintf("%s/actions/runs/%d/rerun", path, runID),
		deadline: actDeadline, needs: "Actions: write", missing: checkRepository(repository),
	}
	if failedOnly {
		q.doing = fmt.Sprintf("rerun the failed jobs of run %d of %s", runID, repository)
		q.path += "-failed-jobs"
	}
	if err := c.checkRepeatable(ctx, q, repository, runID); err != nil {
		return err
	}
	return explainRerun(q, c.unoffered(ctx, q, repository, runID, c.act(ctx, q, repository)))
}

// explainRerun tells GitHub's refusals from a missing permission: all are 403.
// The text for too many attempts is not documented.
func explainRerun(q call, err error) error {
	e, ok := errors.AsType[*apiError](err)
	if !ok || e.status != http.StatusForbidden {
		return err
	}
	text := strings.ToLower(e.message)
	if strings.Contains(text, "already running") {
		return fault.New(fault.Transient, "failed to %s: %w", q.doing, e)
	}
	for _, part := range []string{"month ago", "cannot be retried", "cannot be rerun", "maximum", "too many", "attempt"} {
		if strings.Contains(text, part) {
			return fault.New(fault.Permanent, "failed to %s: %w", q.doing, e).
				WithHint("start a new run: GitHub repeats one for 30 days, at most 50 times, and while it has its logs")
		}
	}
	return err
}
