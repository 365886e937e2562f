// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// Pass is one pass over one project.
type Pass struct {
	Project *config.Project
	Doors   Doors
	Now     func() time.Time
	Sleep   func(context.Context, time.Duration) error
	// Taken names the other project whose changes have run keys that begin so in the same
	// CI repository; it may be nil.
	Taken map[change.Key]string
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
	for _, c := range snapshot.Changes {
		r.Listed = append(r.Listed, change.Key{Server: p.Project.Server(c.Imported), ID: change.ID{Change: c.Number}})
	}
	snapshot.Taken = p.Taken
	made, problems := p.settlePlan(ctx, snapshot)
	if !p.DryRun {
		if r.Lines = p.answer(ctx, snapshot, made); len(r.Lines) > 0 {
			// What was promised is part of the plan from now on.
			var more []error
			made, more = p.settlePlan(ctx, snapshot)
			made.Actions = slices.DeleteFunc(made.Actions, func(a plan.Action) bool { return a.Verb == plan.Answer })
			problems = append(problems, more...)
		}
	}
	r.Problems = append(r.Problems, problems...)
	r.Warnings = made.Warnings
	r.Unreadable = snapshot.Mirror.Unreadable
	for _, a := range made.Actions {
		r.Lines = append(r.Lines, newLine(a))
	}
	r.rest(made.Idle)
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
	case plan.NoVerdict:
		l.State = NoVerdict
	case plan.Fail:
		l.State = Failed
		l.Err = failure(a)
	}
	return l
}
