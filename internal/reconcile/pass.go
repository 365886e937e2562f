// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Reviews reads changes from Gerrit.
type Reviews interface {
	// Open returns the open changes of a project.
	Open(ctx context.Context, p *config.Project) ([]change.Change, error)
	// Change reads one change whole; found is false when it is gone.
	Change(ctx context.Context, number int) (c change.Change, found bool, err error)
	// Closed returns those of the numbers that are merged or abandoned.
	Closed(ctx context.Context, numbers []int) ([]change.Change, error)
}

// Groups tells who is in a Gerrit group.
type Groups interface {
	Members(ctx context.Context, group string) (map[int]bool, error)
}

// Refs lists the refs of a repository below any of the prefixes.
type Refs interface {
	ListRefs(ctx context.Context, prefixes []string, visit func(name string, rev change.Revision) error) error
}

// Mover changes the mirror.
type Mover interface {
	Move(ctx context.Context, branches, items []relay.Item) (branchResults, itemResults []relay.ItemResult)
	Delete(ctx context.Context, updates []relay.Update) []relay.UpdateResult
}

// Workflows reads the CI repository's workflow files.
type Workflows interface {
	DefaultBranch(ctx context.Context, repository string) (string, error)
	WorkflowFile(ctx context.Context, repository, ref, file string) (change.WorkflowFile, error)
}

// Runs lists the CI repository's workflow runs.
type Runs interface {
	// Runs returns the dispatched runs that were created since then.
	Runs(ctx context.Context, repository string, since time.Time) ([]change.Run, error)
	// Busy returns the runs that have not ended.
	Busy(ctx context.Context, repository string) ([]change.Run, error)
}

// RunReader reads one run; found is false when GitHub does not know it any more.
type RunReader interface {
	Run(ctx context.Context, repository string, id int64) (run change.Run, found bool, err error)
}

// Canceller stops a run; one that has ended already is no error.
type Canceller interface {
	Cancel(ctx context.Context, repository string, runID int64) error
}

// Reporter tells Gerrit about a run that ended. It returns the run's outcome and
// a note for people on what was posted, or why nothing was.
type Reporter interface {
	Report(ctx context.Context, p *config.Project, a plan.Action) (outcome verdict.Outcome, note string, err error)
}

// Starter asks GitHub for a run. The run's ID is 0 where GitHub does not say.
type Starter interface {
	Dispatch(ctx context.Context, call change.Call) (change.Outcome, change.Run, error)
}

// Doors are the ways out of a pass.
type Doors struct {
	Reviews   Reviews
	Groups    Groups
	Source    Refs
	Mirror    Refs
	Mover     Mover
	Workflows Workflows
	Runs      Runs
	Starter   Starter
	// The rest is used only for projects whose results are reported.
	RunReader RunReader
	Canceller Canceller
	Reporter  Reporter
}

// Pass is one pass over one project.
type Pass struct {
	Project *config.Project
	Doors   Doors
	Now     func() time.Time
	Sleep   func(context.Context, time.Duration) error
	// DryRun ends the pass after the plan: nothing is changed anywhere.
	DryRun bool
	// Progress, if not nil, is told what the pass is about to do.
	Progress func(text string)
}

// Run observes, plans and, unless this is a dry run, acts. It always returns
// what became of each planned action, also when ctx ends half-way.
func (p *Pass) Run(ctx context.Context) Result {
	r := p.run(ctx)
	if ctx.Err() != nil {
		r.stopped(ctx.Err())
	}
	return r
}

func (p *Pass) run(ctx context.Context) Result {
	r := Result{Project: p.Project.Name, DryRun: p.DryRun}
	p.progress("reading Gerrit and the mirror")
	snapshot, problems := p.observe(ctx)
	if len(problems) > 0 {
		r.Problems = problems
		return r
	}
	made, problems := p.settlePlan(ctx, snapshot)
	r.Problems = append(r.Problems, problems...)
	r.Idle, r.Unreadable = made.Idle, snapshot.Mirror.Unreadable
	for _, a := range made.Actions {
		r.Lines = append(r.Lines, newLine(a))
	}
	if p.DryRun {
		return r
	}
	p.act(ctx, snapshot, made, &r)
	return r
}

func (p *Pass) progress(text string) {
	if p.Progress != nil {
		p.Progress(text)
	}
}

// newLine gives an action the state it has before anything was done.
func newLine(a plan.Action) Line {
	l := Line{Action: a, State: Planned}
	switch a.Verb {
	case plan.Wait:
		l.State = Waiting
	case plan.Skip:
		l.State = Skipped
	case plan.Fail:
		l.State = Failed
		l.Err = failure(a)
	}
	return l
}
