// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// readComments reads what was said on changes, whole. A change that cannot be
// read is noted as such, and its comments wait for the next pass.
func (p *Pass) readComments(ctx context.Context, s *plan.Snapshot, numbers []int) []error {
	if s.Comments == nil {
		s.Comments = map[int]bool{}
	}
	for _, n := range numbers {
		s.Comments[n] = false
	}
	if s.Self == 0 {
		self, err := p.Doors.Talk.Self(ctx)
		if err != nil {
			return []error{err}
		}
		s.Self = self.ID
	}
	problems := p.refresh(ctx, s, numbers)
	if len(problems) == 0 { // what is gone was closed meanwhile
		maps.DeleteFunc(s.Comments, func(n int, read bool) bool { return !read && slices.Contains(numbers, n) })
	}
	for i := range s.Changes {
		c := &s.Changes[i]
		if !slices.Contains(numbers, c.Number) {
			continue
		}
		replies, err := p.Doors.Talk.Replies(ctx, c.Number)
		if err != nil {
			problems = append(problems, err)
		}
		s.Comments[c.Number] = err == nil
		c.Messages = append(c.Messages, replies...)
	}
	return problems
}

// readIssues looks up issues that comments name.
func (p *Pass) readIssues(ctx context.Context, s *plan.Snapshot, numbers []int) error {
	if s.Issues == nil {
		s.Issues = map[int]command.Issue{}
	}
	for _, n := range numbers {
		state, err := p.Doors.Issues.Issue(ctx, p.issues(), n)
		if err != nil {
			s.NoIssues = true
			return err
		}
		s.Issues[n] = state
	}
	return nil
}

// readGroups reads who may be obeyed. Nobody is in a group that cannot be read.
func (p *Pass) readGroups(ctx context.Context, s *plan.Snapshot, groups []string) (problems []error) {
	for _, group := range groups {
		ids, err := p.Doors.Groups.Members(ctx, group)
		if err != nil {
			problems = append(problems, err)
		}
		if ids == nil {
			ids = map[int]bool{}
		}
		s.Members[group] = ids
	}
	return problems
}

// issues is the repository whose issues comments mean.
func (p *Pass) issues() string {
	if r := p.Project.Report.Commands.Issues; r != "" {
		return r
	}
	return p.Project.Mirror.Repository
}

// answer posts the answers of a plan. An answer comes before what it promises:
// killed in between, the next pass reads the promise and keeps it.
func (p *Pass) answer(ctx context.Context, s *plan.Snapshot, made plan.Plan) []Line {
	var lines []Line
	for _, a := range made.Actions {
		if a.Verb != plan.Answer {
			continue
		}
		l := newLine(a)
		c := *a.Change // the snapshot moves on
		l.Change = &c
		if ctx.Err() != nil {
			l.wait("the pass was told to stop")
		} else if err := p.answerOne(ctx, s, &l); err != nil {
			l.fail(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// answerOne notes the failures that are called known on their issues, posts the
// answer, and takes it into the snapshot.
func (p *Pass) answerOne(ctx context.Context, s *plan.Snapshot, l *Line) error {
	c := l.Change
	p.progress(fmt.Sprintf("answering comments on %s", c.ID()))
	review := change.Review{Message: l.Reply, Tag: command.Tag, Notify: verdict.NotifyNone}
	for _, e := range l.Excused {
		for _, n := range e.Issues {
			err := p.Doors.Issues.Note(ctx, p.issues(), n, e.Body, e.Mark, p.Now().Add(-noteAge))
			if errors.Is(err, fault.Transient) {
				return err // the next pass tries again
			}
			if err != nil { // it would stand in the way of the answer for ever
				review.Message = fmt.Sprintf("Issue #%d could not be commented on: %s\n\n%s", n, change.Clip(change.OneLine(err.Error()), 300), review.Message)
			}
		}
		if label := p.Project.Report.Label; label != "" {
			review.Labels = map[string]int{label: 0}
		}
	}
	_, unsettled, err := p.Doors.Talk.Post(ctx, c.Number, c.Current.Revision, review)
	if unsettled { // the next pass sees whether it is there
		err = fault.Wrap(fault.Transient, err)
	}
	if err != nil {
		return err
	}
	l.State = Done
	for i := range s.Changes {
		if s.Changes[i].Number == c.Number {
			s.Changes[i].Messages = append(s.Changes[i].Messages, change.Message{
				ID: "posted", Author: change.Account{ID: s.Self}, At: p.Now(), Patchset: c.Current.Number, Tag: command.Tag, Text: l.Reply,
			})
		}
	}
	return nil
}

// noteAge is how far back a note on an issue is looked for before it is made
// again: as long as comments are answered.
const noteAge = 80 * time.Hour

// announce tells Gerrit of the runs that this pass has started, where that is
// wanted: one message for each change. It is a courtesy, told once or not at all.
func (a *acting) announce(ctx context.Context) {
	policy := a.Project.Report.Started
	if policy == config.StartedOff || policy == "" || !a.Project.Report.On() {
		return
	}
	var order []*change.Change
	runs := map[*change.Change][]verdict.Run{}
	for i := range a.result.Lines {
		if l := &a.result.Lines[i]; l.Started() && l.Change.Status == change.New {
			if runs[l.Change] == nil {
				order = append(order, l.Change)
			}
			runs[l.Change] = append(runs[l.Change], verdict.Run{Key: l.Key, Run: l.Run, Attempt: l.Run.Attempt})
		}
	}
	for _, c := range order {
		review := change.Review{Message: verdict.Started(runs[c], policy == config.StartedReset), Tag: startedTag, Notify: verdict.NotifyNone}
		if label := a.Project.Report.Label; policy == config.StartedReset && label != "" {
			review.Labels = map[string]int{label: 0}
		}
		if _, _, err := a.Doors.Talk.Post(ctx, c.Number, c.Current.Revision, review); err != nil {
			a.problem(fmt.Sprintf("failed to tell %s that runs started", c.ID()), err)
		}
	}
}

// startedTag names the message that runs started.
const startedTag = "autogenerated:dispatcher~started"
