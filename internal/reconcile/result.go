// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"errors"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// State is what became of an action.
type State string

// The states of a line.
const (
	Planned  State = "planned" // a dry run, or never reached
	Done     State = "done"
	Waiting  State = "waiting" // not in this pass; a later one tries again
	Skipped  State = "skipped"
	Failed   State = "failed"
	InDoubt  State = "in doubt" // the answer was lost; the next pass looks for the run
	Replaced State = "taken"    // another dispatcher got there first
	// NoVerdict: the last run told nothing, and none is to come by itself.
	NoVerdict State = "no verdict"
)

// Line is one action and what became of it.
type Line struct {
	plan.Action
	State State
	// Err is set for failed lines, and for those in doubt.
	Err error
	// Note replaces the plan's reason where the pass learned better.
	Note string
	// Run is the run that was started or found.
	Run change.Run
}

// Text is the line's reason as it stands after the pass.
func (l Line) Text() string {
	switch {
	case l.Err != nil:
		return l.Err.Error()
	case l.Note != "":
		return l.Note
	default:
		return l.Reason
	}
}

// Result is what one pass over one project did.
type Result struct {
	Project string
	DryRun  bool
	Lines   []Line
	// Listed are the changes that Gerrit listed as open, as their run keys begin. Each
	// has a line, or is counted once in Idle, by why it has none.
	Listed []change.Key
	Idle   map[plan.Rest]int
	// Unreadable counts refs in the mirror's own namespaces that are not ours.
	Unreadable int
	// Problems are failures that belong to no single line.
	Problems []error
	// Warnings are what was seen and does not count.
	Warnings []string
}

// rest counts the changes that no line is about.
func (r *Result) rest(idle map[int]plan.Rest) {
	about := map[int]bool{}
	for _, l := range r.Lines {
		about[l.About()] = true // it may have been answered
	}
	r.Idle = map[plan.Rest]int{}
	for number, why := range idle {
		if !about[number] {
			r.Idle[why]++
		}
	}
}

// Errs returns all failures of the pass.
func (r *Result) Errs() []error {
	errs := append([]error(nil), r.Problems...)
	for _, l := range r.Lines {
		if l.State == Failed {
			errs = append(errs, l.Err)
		}
	}
	return errs
}

// Configuration reports whether a person has to change a setting or a right
// before the pass can do all of its work.
func (r *Result) Configuration() bool {
	for _, err := range r.Errs() {
		if errors.Is(err, fault.Configuration) {
			return true
		}
	}
	return false
}

// stopped says plainly what failed only because the pass was told to stop: why
// is the error of its context.
func (r *Result) stopped(why error) {
	told := fault.New(fault.Transient, "the pass was told to stop before it was done")
	n := len(r.Problems)
	r.Problems = slices.DeleteFunc(r.Problems, func(err error) bool { return errors.Is(err, why) })
	if len(r.Problems) < n {
		r.Problems = append(r.Problems, told)
	}
	for i := range r.Lines {
		if l := &r.Lines[i]; l.State == Failed && errors.Is(l.Err, why) {
			l.Err = told
		}
	}
}

// failure turns a planned Fail into an error that carries its hint. A failing
// workflow is a matter of configuration; a failing patchset is not.
func failure(a plan.Action) error {
	kind := fault.Permanent
	if a.Change == nil {
		kind = fault.Configuration
	}
	e := fault.New(kind, "%s", a.Reason)
	e.Hint = a.Hint
	return e
}

func (l *Line) fail(err error) { l.State, l.Err = Failed, err }

func (l *Line) wait(note string) { l.State, l.Note = Waiting, note }

// Started reports whether the line's run was started by this pass.
func (l *Line) Started() bool { return l.Verb == plan.Dispatch && l.State == Done }
