// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// maxRounds bounds how often a pass plans again: each round asks for facts that
// the one before could not know to be needed, and six kinds follow each other
// at most (comments, issues, fresh changes, files, runs, busy); the rest is for
// changes that move while they are read.
const maxRounds = 8

// settlePlan plans until the plan stands on complete facts. What still lacks a
// fact after the last round waits for the next pass.
func (p *Pass) settlePlan(ctx context.Context, s *plan.Snapshot) (plan.Plan, []error) {
	var problems []error
	for range maxRounds {
		made := plan.Make(p.Project, s, p.Now())
		if made.Needs.None() {
			return made, problems
		}
		p.progress("reading what the plan still needs")
		problems = append(problems, p.fill(ctx, s, made.Needs)...)
	}
	made := plan.Make(p.Project, s, p.Now())
	postpone(&made)
	return made, problems
}

// postpone turns actions on changes that would not hold still into waits.
func postpone(made *plan.Plan) {
	moving := map[int]bool{}
	for _, n := range made.Needs.Fresh {
		moving[n] = true
	}
	for i := range made.Actions {
		a := &made.Actions[i]
		number := a.Number
		if a.Change != nil {
			number = a.Change.Number
		}
		moves := moving[number] || slices.ContainsFunc(made.Below[number], func(n int) bool { return moving[n] })
		if moves && a.Verb != plan.Skip {
			a.Verb, a.Reason = plan.Wait, "it changed while it was read"
		}
	}
}

// fill observes what a plan asked for. A failure here is a problem of the pass,
// and the snapshot says so where a plan must not go on without the fact.
func (p *Pass) fill(ctx context.Context, s *plan.Snapshot, needs plan.Needs) []error {
	var problems []error
	if len(needs.Fresh) > 0 {
		problems = append(problems, p.refresh(ctx, s, needs.Fresh)...)
	}
	if len(needs.Comments) > 0 {
		problems = append(problems, p.readComments(ctx, s, needs.Comments)...)
		problems = append(problems, p.readGroups(ctx, s, needs.Groups)...)
	}
	if len(needs.Issues) > 0 {
		if err := p.readIssues(ctx, s, needs.Issues); err != nil {
			problems = append(problems, fmt.Errorf("failed to look up what a comment names: %w", err))
		}
	}
	if !needs.Merged.IsZero() {
		merged, err := p.Doors.Reviews.Merged(ctx, p.Project, max(time.Minute, p.Now().Sub(needs.Merged).Round(time.Second)))
		if err != nil {
			problems = append(problems, fmt.Errorf("failed to look for merged changes; their branch is tested by a later pass: %w", err))
		}
		s.Merged = append([]change.Change{}, merged...) // not nil: asked
	}
	if needs.Private {
		if err := p.readPrivate(ctx, s); err != nil {
			problems = append(problems, err)
		}
	}
	if len(needs.Origins) > 0 {
		problems = append(problems, p.readOrigins(ctx, s, needs.Origins)...)
	}
	if len(needs.Closed) > 0 {
		closed, err := p.Doors.Reviews.Closed(ctx, p.Project, needs.Closed)
		if err != nil {
			problems = append(problems, fmt.Errorf("failed to look for closed changes; nothing is pruned: %w", err))
		}
		s.Closed = append([]change.Change{}, closed...) // not nil: asked
	}
	if len(needs.Hidden) > 0 {
		p.readHidden(ctx, s, needs.Hidden, &problems)
	}
	if needs.Self {
		if err := p.readSelf(ctx, s); err != nil {
			problems = append(problems, err)
		}
	}
	if err := p.fillGitHub(ctx, s, needs); err != nil {
		s.NoGitHub = "GitHub could not be asked about runs and workflows"
		problems = append(problems, err)
	}
	return problems
}

// readHidden asks which changes our account cannot see. What is not known is taken
// for seen: nothing is cancelled or deleted for it.
func (p *Pass) readHidden(ctx context.Context, s *plan.Snapshot, numbers []int, problems *[]error) {
	hidden, err := p.Doors.Reviews.Hidden(ctx, p.Project, numbers)
	if err != nil {
		*problems = append(*problems, fmt.Errorf("failed to look for hidden changes; their runs go on: %w", err))
	}
	if s.Hidden == nil {
		s.Hidden = map[int]bool{}
	}
	for _, n := range numbers {
		s.Hidden[n] = hidden[n]
	}
}

// readSelf asks for our own account; -1 stands for one that cannot be read, which
// has said nothing.
func (p *Pass) readSelf(ctx context.Context, s *plan.Snapshot) error {
	if s.Self != 0 {
		return nil
	}
	self, err := p.Doors.Talk.Self(ctx)
	if err != nil {
		s.Self = -1
		return err
	}
	s.Self = self.ID
	for _, name := range []string{self.Username, self.Name, self.Email} {
		if name != "" {
			s.Called = append(s.Called, name)
		}
	}
	return nil
}

func (p *Pass) fillGitHub(ctx context.Context, s *plan.Snapshot, needs plan.Needs) error {
	repository := p.Project.CI.Repository
	if len(needs.Workflows) > 0 {
		if err := p.readWorkflows(ctx, s, needs.Workflows); err != nil {
			return err
		}
	}
	if needs.Runs {
		runs, err := p.Doors.Runs.Runs(ctx, repository, needs.RunsSince)
		if err != nil {
			return err
		}
		s.Runs = byKey(runs)
	}
	if len(needs.RunIDs) > 0 {
		if err := p.readRuns(ctx, s, needs.RunIDs); err != nil {
			return err
		}
	}
	if needs.Busy {
		busy, err := p.Doors.Runs.Busy(ctx, repository)
		if err != nil {
			return err
		}
		s.Busy = append([]change.Run{}, busy...) // not nil: asked
	}
	return nil
}

func (p *Pass) readWorkflows(ctx context.Context, s *plan.Snapshot, files []string) error {
	repository := p.Project.CI.Repository
	if s.Ref == "" {
		ref, err := p.Doors.Workflows.DefaultBranch(ctx, repository)
		if err != nil {
			return err
		}
		s.Ref = ref
	}
	if s.Workflows == nil {
		s.Workflows = map[string]change.WorkflowFile{}
	}
	for _, file := range files {
		f, err := p.Doors.Workflows.WorkflowFile(ctx, repository, s.Ref, file)
		if err != nil {
			return err
		}
		s.Workflows[file] = f
	}
	return nil
}

// byKey indexes runs by the key in their names. Of several runs with one key the
// oldest counts: the others ended at once when they saw it.
func byKey(runs []change.Run) map[change.Key]change.Run {
	index := make(map[change.Key]change.Run, len(runs))
	for _, r := range runs {
		key, ok := r.Key()
		if old, seen := index[key]; ok && (!seen || r.ID < old.ID) {
			index[key] = r
		}
	}
	return index
}
