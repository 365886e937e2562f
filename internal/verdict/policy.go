// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Policy says what an outcome is worth as a vote.
type Policy struct {
	// Votes are the votes of outcomes; what is not named has its default: +1
	// for Passed, -1 for Failed, 0 for all else.
	Votes map[Outcome]int `json:"votes,omitempty"`
	// Min and Max are the lowest and highest vote that the label allows to us.
	// Votes beyond are clamped; both zero means that they are not known.
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
}

// NewPolicy returns the policy with the configured votes, by outcome.
func NewPolicy(configured map[string]int) Policy {
	votes := map[Outcome]int{}
	for name, vote := range configured {
		votes[Outcome(name)] = vote
	}
	return Policy{Votes: votes}
}

// Vote returns the vote for an outcome. 0 is always allowed: Gerrit takes it
// for no vote.
func (p Policy) Vote(o Outcome) int {
	vote, set := p.Votes[o]
	if !set {
		vote = o.trait().vote
	}
	low, high := -maxVote, maxVote
	if p.Min != 0 || p.Max != 0 {
		low, high = max(low, min(p.Min, 0)), min(high, max(p.Max, 0))
	}
	return min(max(vote, low), high)
}

// maxVote bounds a vote. Gerrit's labels go from -2 to +2; a site's own may go
// further, but hardly so far.
const maxVote = 99

// Want is one workflow that a patchset should see, with its latest run.
type Want struct {
	// Key is the latest run's, or that of the run there should be.
	Key change.Key
	// Optional workflows inform, but do not vote.
	Optional bool
	// Run is nil where there is none.
	Run *RunResult
	// Going is the run that has not ended, where one is Expected and there.
	Going Run
	// Latest is a later run that told nothing, if there is one: the result of Run
	// stands.
	Latest *RunResult
	// Expected: a run is still to come (it waits for its turn, or a rerun was
	// asked for). Without it, a workflow without a run is Missing.
	Expected bool
}

// result returns the run, or what stands for a run that is not there.
func (w Want) result() RunResult {
	switch {
	case w.Expected:
		going := w.Going
		going.Key = w.Key
		return RunResult{Run: going, Outcome: Running}
	case w.Run == nil:
		return RunResult{Run: Run{Key: w.Key}, Outcome: Missing}
	}
	r := *w.Run
	r.Latest = w.Latest
	return r
}

// Verdict is what all workflows of a patchset say together.
type Verdict struct {
	// Ready: all required workflows have ended, or will not come, or one of those
	// that have ended is red. A red result does not wait for what may wait at a
	// gate or for a lab; a green one does.
	Ready   bool
	Outcome Outcome
	// Voted is false while nothing is to be voted: not Ready, or no workflow is
	// required. A Vote of 0 with Voted takes an earlier vote away.
	Voted bool
	Vote  int
	// Required and Optional have a run for each workflow, in their order; one
	// that is Missing or still expected has a key only.
	Required, Optional []RunResult
}

// Combine makes one verdict over all workflows of a patchset. It holds no state:
// when one workflow was run again, the same call over the new results is the
// new verdict.
func (p Policy) Combine(wants []Want) Verdict {
	var v Verdict
	for _, w := range wants {
		if w.Optional {
			v.Optional = append(v.Optional, w.result())
		} else {
			v.Required = append(v.Required, w.result())
		}
	}
	var outcomes, red []Outcome
	for _, run := range v.deciding() {
		outcomes = append(outcomes, run.Outcome)
		if p.Vote(run.Outcome) < 0 {
			red = append(red, run.Outcome)
		}
	}
	v.Outcome = worst(outcomes)
	if len(red) > 0 { // what votes down neither waits nor is hidden by what votes nothing
		v.Outcome = worst(red)
	}
	v.Ready = v.Outcome != Running
	if v.Voted = v.Ready && len(v.Required) > 0; v.Voted {
		v.Vote = p.Vote(v.Outcome)
	}
	return v
}

// Workflows returns the required workflows with an outcome: those that are
// Running are waited for, those that are Missing should have been run.
func (v Verdict) Workflows(o Outcome) []string {
	var names []string
	for _, run := range v.Required {
		if run.Outcome == o {
			names = append(names, run.Run.Key.Workflow)
		}
	}
	return names
}

// deciding returns the runs that the outcome comes from: where no workflow is
// required, the optional ones.
func (v Verdict) deciding() []RunResult {
	if len(v.Required) == 0 {
		return v.Optional
	}
	return v.Required
}

// all returns the runs that a message is about, the required ones first.
func (v Verdict) all() []RunResult {
	return append(v.Required[:len(v.Required):len(v.Required)], v.Optional...)
}

// Retry is how often a patchset's workflow was tried again because of failures
// that were not the change's.
type Retry struct {
	// Done are the retries so far, Most how many there may be.
	Done int `json:"done"`
	Most int `json:"most"`
	// After is the time until the next one; 0 is at once.
	After time.Duration `json:"after,omitempty"`
	// Of is the outcome of the run that is reported on; empty is the verdict's.
	Of Outcome `json:"of,omitempty"`
}

// Again reports whether the run is to be tried again.
func (r Retry) Again() bool { return r.Of.Retryable() && r.Done < r.Most }

// GivenUp reports whether the run would have been tried again, had there not been
// so many tries before.
func (r Retry) GivenUp() bool { return r.Of.Retryable() && r.Done >= r.Most }
