// SPDX-License-Identifier: BSD-3-Clause

package verdict

import "slices"

// Outcome is what became of a job, of a run or of a patchset. The values are
// written into messages and configuration: they do not change.
type Outcome string

// The outcomes; docs/verdicts.md tells when each is given.
const (
	Running        Outcome = "running"
	Failed         Outcome = "failed"
	TimedOut       Outcome = "timed-out"
	TimedOutSetup  Outcome = "timed-out-setup"
	OutOfDisk      Outcome = "out-of-disk"
	RunnerLost     Outcome = "runner-lost"
	SetupFailed    Outcome = "setup-failed"
	Dropped        Outcome = "dropped"
	StartupFailure Outcome = "startup-failure"
	Missing        Outcome = "missing"
	Unknown        Outcome = "unknown"
	ActionRequired Outcome = "action-required"
	Stale          Outcome = "stale"
	Superseded     Outcome = "superseded"
	Cancelled      Outcome = "cancelled"
	Passed         Outcome = "passed"
	Neutral        Outcome = "neutral"
	Skipped        Outcome = "skipped"
)

// trait is what is known of an outcome.
type trait struct {
	outcome Outcome
	// vote is what it is worth where nothing else is configured.
	vote int
	// retry: trying again may help, and no test was seen to fail.
	retry bool
	// means explains it in docs/verdicts.md.
	means string
	// one and many follow "1 job" and "2 jobs" in a sentence.
	one, many string
}

// traits are all outcomes, in the order in which they matter: what is first in
// this list among the jobs of a run is the run's outcome.
var traits = [...]trait{
	{Running, 0, false, "It has not ended, so nothing is said yet.", "is still running", "are still running"},
	{Failed, -1, false, "A test failed: a step that is neither set-up nor tear-down ended in failure, its own time limit included.", "failed", "failed"},
	{TimedOut, 0, false, "The time limit of the whole job was reached while a test ran. It may hang because of the change or because of the machine.", "reached the time limit", "reached the time limit"},
	{TimedOutSetup, 0, true, "A time limit was reached outside the tests: in set-up or in tear-down.", "reached a time limit outside the tests", "reached a time limit outside the tests"},
	{OutOfDisk, 0, true, "The runner's disk was full.", "ran out of disk", "ran out of disk"},
	{RunnerLost, 0, true, "The machine went away, was shut down, or none ever took the job.", "lost the runner", "lost the runner"},
	{SetupFailed, 0, true, "A step failed that is not a test: set-up, checkout, image pull, service container, tear-down, or the rig that a test runs on.", "failed outside the tests", "failed outside the tests"},
	{Dropped, 0, true, "GitHub dropped it before a job began: another one waited in its concurrency group.", "was dropped by GitHub before it began", "were dropped by GitHub before they began"},
	{StartupFailure, 0, true, "GitHub did not start it: the workflow file is invalid, or the account may not run anything.", "could not be started", "could not be started"},
	{Missing, 0, false, "A required workflow has no run, and none is to come.", "has no run", "have no run"},
	{Unknown, 0, true, "GitHub does not say how it ended, or not why.", "ended without a result", "ended without a result"},
	{ActionRequired, 0, false, "It waits for somebody's approval on GitHub.", "needs an approval on GitHub", "need an approval on GitHub"},
	{Stale, 0, true, "GitHub gave it up because it did not end for too long.", "was given up by GitHub", "were given up by GitHub"},
	{Superseded, 0, false, "It was cancelled because a newer patchset is there.", "was stopped for a newer patchset", "were stopped for a newer patchset"},
	{Cancelled, 0, false, "Somebody or something cancelled it.", "was cancelled", "were cancelled"},
	{Passed, +1, false, "All of it succeeded.", "passed", "passed"},
	{Neutral, 0, false, "It says neither yes nor no.", "said neither yes nor no", "said neither yes nor no"},
	{Skipped, 0, false, "A condition or a filter left it out. Skipped jobs do not count unless all were skipped.", "was skipped", "were skipped"},
}

// Outcomes returns all outcomes, the one that matters most first.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, len(traits))
	for i := range traits {
		all = append(all, traits[i].outcome)
	}
	return all
}

// Valid reports whether o is one of Outcomes.
func (o Outcome) Valid() bool { return o.rank() < len(traits) }

// Retryable reports whether trying again may help: nothing about the change
// was learned, and the reason may be gone.
func (o Outcome) Retryable() bool { return o.trait().retry }

// Result reports whether o says something about the patchset that a further run
// would say again. All other ends told nothing: they count only as long as their
// cause lasts.
func (o Outcome) Result() bool {
	switch o {
	case Passed, Failed, TimedOut, Neutral, Skipped:
		return true
	}
	return false
}

// Phrase says what became of one job or run, to follow its name in a sentence.
func (o Outcome) Phrase() string { return o.trait().one }

// rank is the outcome's place among Outcomes; what is none of them comes last.
func (o Outcome) rank() int {
	i := slices.IndexFunc(traits[:], func(t trait) bool { return t.outcome == o })
	if i < 0 {
		return len(traits)
	}
	return i
}

func (o Outcome) trait() trait {
	if i := o.rank(); i < len(traits) {
		return traits[i]
	}
	return trait{outcome: o, one: "ended without a result", many: "ended without a result"}
}

// worst returns what matters most among some outcomes, Skipped if there are
// none.
func worst(outcomes []Outcome) Outcome {
	w := Skipped
	for _, o := range outcomes {
		if o.rank() < w.rank() {
			w = o
		}
	}
	return w
}
