// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Jobs lists the jobs of an attempt of a run, of the newest one if attempt is 0,
// without their annotations and logs. The error is ErrGone where there is no
// such run or attempt.
// https://docs.github.com/rest/actions/workflow-jobs
func (c *Client) Jobs(ctx context.Context, repository string, runID int64, attempt int) ([]change.Job, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return nil, err
	}
	q := call{
		doing:  fmt.Sprintf("list the jobs of run %d of %s", runID, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/runs/%d/jobs?filter=latest&", path, runID),
		deadline: listDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}
	if attempt > 0 && !c.gitea { // which has the last one's alone
		q.doing += fmt.Sprintf(" (attempt %d)", attempt)
		q.path = fmt.Sprintf("%s/actions/runs/%d/attempts/%d/jobs?", path, runID, attempt)
	}
	entries, whole, err := list(ctx, c, q, maxJobs, func(p jobPage) []jobEntry { return p.Jobs })
	switch {
	case err != nil:
		return nil, c.orGone(ctx, q, repository, c.unoffered(ctx, q, repository, runID, err))
	case !whole: // one that is left out may be the one that failed
		return nil, fault.New(fault.Permanent, "failed to %s: more than %d of them", q.doing, maxJobs)
	}
	c.markSeen(repository)
	if c.gitea {
		for i := range entries {
			entries[i].fromGitea(attempt)
		}
	}
	return uniqueJobs(q, entries, attempt)
}

// uniqueJobs leaves out what was seen twice: a job that is added while a list
// is read may move others to the next page.
func uniqueJobs(q call, entries []jobEntry, attempt int) ([]change.Job, error) {
	jobs := make([]change.Job, 0, len(entries))
	seen := map[int64]bool{}
	for _, entry := range entries {
		job, err := entry.job(attempt)
		if err != nil {
			return nil, fault.New(fault.Transient, "failed to %s: %w", q.doing, err)
		}
		if !seen[job.ID] {
			seen[job.ID] = true
			jobs = append(jobs, job)
		}
	}
	return jobs, nil
}

// jobPage is a page of a list of jobs.
type jobPage struct {
	Jobs []jobEntry `json:"jobs"`
	last bool
}

// jobEntry is the part of a job that we read.
type jobEntry struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Attempt     int         `json:"run_attempt"`
	Status      string      `json:"status"`
	Conclusion  string      `json:"conclusion"`
	StartedAt   time.Time   `json:"started_at"`
	CompletedAt time.Time   `json:"completed_at"`
	HTMLURL     string      `json:"html_url"`
	Runner      string      `json:"runner_name"`
	Steps       []stepEntry `json:"steps"`
}

type stepEntry struct {
	Number      int       `json:"number"`
	Name        string    `json:"name"`
	Status      string    `json:"status"`
	Conclusion  string    `json:"conclusion"`
	StartedAt   time.Time `json:"started_at"`
	CompletedAt time.Time `json:"completed_at"`
}

// job makes a job of what GitHub sent. Each attempt has jobs of its own, so a
// job's page belongs to its attempt.
func (e jobEntry) job(attempt int) (change.Job, error) {
	if e.ID <= 0 {
		return change.Job{}, fmt.Errorf("a job without an id (id %d)", e.ID)
	}
	if e.Attempt <= 0 { // older servers do not tell
		e.Attempt = max(attempt, 1)
	}
	job := change.Job{
		ID: e.ID, Name: e.Name, Attempt: e.Attempt, Status: e.Status, Conclusion: e.Conclusion,
		Started: e.StartedAt.UTC(), Completed: e.CompletedAt.UTC(), URL: pageURL(e.HTMLURL), Runner: e.Runner,
	}
	for _, s := range e.Steps {
		job.Steps = append(job.Steps, change.Step{
			Number: s.Number, Name: s.Name, Status: s.Status, Conclusion: s.Conclusion,
			Started: s.StartedAt.UTC(), Completed: s.CompletedAt.UTC(),
		})
	}
	return job, nil
}
