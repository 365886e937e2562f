// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Run is one run of a workflow with all that was read of it.
type Run struct {
	Key change.Key `json:"key"`
	// Run is as GitHub describes it. Its URL should be pinned to the attempt
	// (.../actions/runs/ID/attempts/N), or a rerun changes what it shows.
	Run change.Run `json:"run"`
	// Attempt is the run attempt that the jobs belong to, from 1; it counts
	// reruns of one run, where the key's attempt counts runs.
	Attempt int `json:"attempt"`
	// Carried is the earlier patchset that the run tested, where its result stands
	// for the one in Key; else 0.
	Carried int `json:"carried,omitempty"`
	// Superseded: a newer patchset is there, or the change was left alone, and that is
	// why work was cancelled.
	Superseded bool `json:"superseded,omitempty"`
	// CalledOff: the dispatcher cancelled it because a comment asked for that.
	CalledOff bool `json:"called_off,omitempty"`
	// Needs are the results of jobs by their ids, as GitHub's needs context tells
	// them to a job of the run: what it waited for. Empty where nobody told.
	Needs map[string]string `json:"needs,omitempty"`
	// Self is the id of the job that reports, where that is known. It is left out.
	Self int64 `json:"self,omitempty"`

	Jobs      []change.Job      `json:"jobs,omitempty"`
	Artifacts []change.Artifact `json:"artifacts,omitempty"`
}

// RunResult is what became of a run.
type RunResult struct {
	Run     Run
	Outcome Outcome
	// Awaits says what is not known yet of a run whose jobs have ended; Outcome is
	// Running then. It is outside text in part.
	Awaits string
	// Jobs are the jobs of the run in their order, without the ignored ones.
	Jobs []JobResult
	// Latest is a later run of the same workflow that told nothing.
	Latest *RunResult
}

// Fold makes one outcome of the jobs of a run: the one that matters most. Skipped
// jobs and those that may fail do not count. But the jobs that are listed may be a
// part of the run only, so nothing passed unless GitHub says so of the run as a
// whole. While it does not (the job that reports is a part of it), the needs of that
// job must agree; what they do not settle is Running until the run has ended.
func (r Rules) Fold(run Run) RunResult {
	f := folding{reader: r.compile(), run: run, result: RunResult{Run: run}}
	if len(run.Jobs) == 0 {
		f.result.Outcome = f.whole()
		return f.result
	}
	f.sort()
	f.weigh()
	return f.result
}

// Ignored returns what knows the jobs of a run that Fold leaves out.
func (r Rules) Ignored(run Run) func(change.Job) bool {
	rd := r.compile()
	return func(j change.Job) bool { return rd.ignored(run, j) }
}

func (rd *reader) ignored(run Run, j change.Job) bool {
	switch {
	case rd.ignore.match(j.Name), j.ID != 0 && j.ID == run.Self:
		return true
	case !rd.reports.match(j.Name):
		return false
	}
	// A workflow that is called may have a job "report" of its own.
	_, needed := newNeeds(run, rd.reporting(run)).of(j.Name)
	return !needed
}

// reporting returns the jobs that may be the one that reports.
func (rd *reader) reporting(run Run) []change.Job {
	return slices.DeleteFunc(slices.Clone(run.Jobs), func(j change.Job) bool {
		return !rd.reports.match(j.Name) && !rd.ignore.match(j.Name) && (j.ID == 0 || j.ID != run.Self)
	})
}

// quiet are the outcomes with which a job does not fail its run.
var quiet = []Outcome{Passed, Skipped, Neutral}

// decided returns the jobs that decide and were not skipped.
func (r RunResult) decided() []JobResult {
	return slices.DeleteFunc(slices.Clone(r.Jobs), func(j JobResult) bool { return j.MayFail || j.Outcome == Skipped })
}
