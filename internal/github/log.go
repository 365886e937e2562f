// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// JobLog reads a job's log as a whole, up to one GiB, and keeps what tells why the
// job failed: what the step that failed ran, which only the steps of the job can
// tell; what that step's lines, or else all, say of failures; and the last lines, at
// most so many and at most 1000, without their time stamps and each at most 4 KiB:
// those of that step, up to its last error, where the log tells, or else those of
// the whole log. All of it is raw text that the job printed. A job that has no log,
// or none any more, has no lines, and so has one without an error in the first GiB
// of a longer log.
// https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
func (c *Client) JobLog(ctx context.Context, repository string, job change.Job, lines int) (change.JobLog, error) {
	path, err := repositoryPath(repository)
	if err != nil || lines <= 0 {
		return change.JobLog{}, err
	}
	q := call{
		doing:  fmt.Sprintf("read the log of job %d of %s", job.ID, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/jobs/%d/logs", path, job.ID),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}
	var t *tailReader
	err = c.again(ctx, func() error {
		t = newTail(min(lines, maxTail), spanOf(job.Steps))
		return c.readLog(ctx, q, t)
	})
	if err = c.orGone(ctx, q, repository, err); errors.Is(err, ErrGone) {
		return change.JobLog{}, nil
	}
	if err != nil {
		return change.JobLog{}, err
	}
	return change.JobLog{Run: t.head.run(), Tail: t.lines(), Told: t.said.Report()}, nil
}

// OpenLog begins the download of a job's whole log. Reading it fails rather than
// ends if it is cut short. The error is ErrGone where there is no log, or none any
// more.
// https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
func (c *Client) OpenLog(ctx context.Context, repository string, jobID int64) (io.ReadCloser, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return nil, err
	}
	d, err := c.openFile(ctx, repository, call{
		doing:  fmt.Sprintf("download the log of job %d of %s", jobID, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/jobs/%d/logs", path, jobID),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}, logDeadline)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// readLog makes one try of reading a log.
func (c *Client) readLog(ctx context.Context, q call, t *tailReader) error {
	d, err := c.open(ctx, q, logDeadline)
	if err != nil {
		return err
	}
	defer d.Close()
	return t.readLog(d)
}
