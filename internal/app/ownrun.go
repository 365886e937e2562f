// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/report"
)

// readOwn lets a report read the run that its job is part of with the job's own
// token: it may (actions: read), whatever the project's token is for, and it alone
// reads annotations (checks: read) where that is a fine-grained one of a person,
// which has no permission for checks (orgs/community#179545). Other runs, and what
// the job's own token does not get, are read with the project's: GitHub gives 1,000
// requests an hour to the own tokens of all jobs of a repository.
func (a *App) readOwn(wire *wiring, p *config.Project, hub *github.Client, run int64, r *report.Reporter) error {
	token := config.Secret(strings.TrimSpace(cmp.Or(a.Getenv("INPUT_GITHUB-TOKEN"), a.Getenv("GITHUB_TOKEN"))))
	if token == "" || token == p.CI.Credential.Token || a.Getenv("GITHUB_REPOSITORY") != p.CI.Repository {
		return nil
	}
	// Another server may have a repository of the same name. The token is not for it.
	if own := a.Getenv("GITHUB_API_URL"); own != "" && hostOf(own) != hostOf(p.CI.APIURL) {
		return nil
	}
	wire.mask(token.Reveal())
	own := *p
	own.CI.Credential = config.Credential{Token: token, Setting: "github-token"}
	client, err := wire.githubOnce(&own)
	if err != nil {
		return err
	}
	reader := &ownRun{own: client, other: hub, ids: map[int64]bool{}}
	if a.Getenv("GITHUB_RUN_ID") == strconv.FormatInt(run, 10) {
		reader.run = run
	}
	r.Runs, r.Details, r.Artifacts = reader, reader, reader
	if p, ok := r.Publisher.(*results); ok {
		p.source = reader
	}
	return nil
}

// ownRun reads one run with a token of its own, and others with another.
type ownRun struct {
	// own is of the run, and tries once; other reads what it does not get.
	own, other *github.Client
	run        int64 // 0 is none

	mu sync.Mutex
	// ids are those of its jobs and artifacts.
	ids map[int64]bool
}

// errNotFound stands for what one of the two tokens does not see.
var errNotFound = errors.New("it is not there")

// first asks the one that is of the run, if the question is about the run. That the
// other does not see it says nothing where the first one had no answer.
func first[T any](mine bool, own, other func() (T, error)) (T, error) {
	if !mine {
		return other()
	}
	v, err := own()
	if err == nil {
		return v, nil
	}
	v, otherErr := other()
	if errors.Is(otherErr, errNotFound) && !errors.Is(err, errNotFound) {
		return v, err
	}
	return v, otherErr
}

// ofRun asks both, the second where the first does not see the run.
func (r *ownRun) ofRun(id int64, ask func(runReader) (change.Run, bool, error)) (change.Run, bool, error) {
	from := func(c *github.Client) func() (change.Run, error) {
		return func() (change.Run, error) {
			run, known, err := ask(runReader{c})
			if err == nil && !known {
				err = errNotFound
			}
			return run, err
		}
	}
	run, err := first(id == r.run, from(r.own), from(r.other))
	if errors.Is(err, errNotFound) {
		return run, false, nil
	}
	return run, err == nil, err
}

// Run reads one run.
func (r *ownRun) Run(ctx context.Context, repository string, id int64) (change.Run, bool, error) {
	return r.ofRun(id, func(c runReader) (change.Run, bool, error) { return c.Run(ctx, repository, id) })
}

// RunAttempt reads one attempt of a run.
func (r *ownRun) RunAttempt(ctx context.Context, repository string, id int64, attempt int) (change.Run, bool, error) {
	return r.ofRun(id, func(c runReader) (change.Run, bool, error) { return c.RunAttempt(ctx, repository, id, attempt) })
}

// Jobs lists the jobs of an attempt.
func (r *ownRun) Jobs(ctx context.Context, repository string, id int64, attempt int) ([]change.Job, error) {
	jobs, err := first(id == r.run,
		func() ([]change.Job, error) { return r.own.Jobs(ctx, repository, id, attempt) },
		func() ([]change.Job, error) { return r.other.Jobs(ctx, repository, id, attempt) })
	for _, j := range jobs {
		r.note(id, j.ID)
	}
	return jobs, err
}

// Annotations lists what a job remarked, of any run.
func (r *ownRun) Annotations(ctx context.Context, repository string, job change.Job) ([]change.Annotation, error) {
	return first(true,
		func() ([]change.Annotation, error) { return r.own.Annotations(ctx, repository, job) },
		func() ([]change.Annotation, error) { return r.other.Annotations(ctx, repository, job) })
}

// JobLog reads the end of a job's log.
func (r *ownRun) JobLog(ctx context.Context, repository string, job change.Job, lines int) (change.JobLog, error) {
	return first(r.mine(job.ID),
		func() (change.JobLog, error) { return r.own.JobLog(ctx, repository, job, lines) },
		func() (change.JobLog, error) { return r.other.JobLog(ctx, repository, job, lines) })
}

// Artifacts lists the artifacts of a run.
func (r *ownRun) Artifacts(ctx context.Context, repository string, id int64) ([]change.Artifact, error) {
	list, err := first(id == r.run,
		func() ([]change.Artifact, error) { return r.own.Artifacts(ctx, repository, id) },
		func() ([]change.Artifact, error) { return r.other.Artifacts(ctx, repository, id) })
	for _, a := range list {
		r.note(id, a.ID)
	}
	return list, err
}

// Artifact opens an artifact.
func (r *ownRun) Artifact(ctx context.Context, repository string, id int64) (io.ReadCloser, error) {
	return first(r.mine(id),
		func() (io.ReadCloser, error) { return downloads{r.own}.Artifact(ctx, repository, id) },
		func() (io.ReadCloser, error) { return downloads{r.other}.Artifact(ctx, repository, id) })
}

// Log opens the whole log of a job.
func (r *ownRun) Log(ctx context.Context, repository string, jobID int64) (io.ReadCloser, error) {
	return first(r.mine(jobID),
		func() (io.ReadCloser, error) { return downloads{r.own}.Log(ctx, repository, jobID) },
		func() (io.ReadCloser, error) { return downloads{r.other}.Log(ctx, repository, jobID) })
}

func (r *ownRun) note(run, id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = r.ids[id] || run == r.run
}

func (r *ownRun) mine(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id]
}
