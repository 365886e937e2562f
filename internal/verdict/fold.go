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
	// Superseded: a newer patchset is there, and that is why work was cancelled.
	Superseded bool              `json:"superseded,omitempty"`
	Jobs       []change.Job      `json:"jobs,omitempty"`
	Artifacts  []change.Artifact `json:"artifacts,omitempty"`
}

// RunResult is what became of a run.
type RunResult struct {
	Run     Run
	Outcome Outcome
	// Jobs are the jobs of the run in their order, without the ignored ones.
	Jobs []JobResult
	// Latest is a later run of the same workflow that told nothing.
	Latest *RunResult
}

// Fold makes one outcome of the jobs of a run: the one that matters most.
// Skipped jobs and those that may fail do not count. The run's own conclusion is
// asked where no job is known: a job that is left out, such as the one that
// reports, has a part in it.
func (r Rules) Fold(run Run) RunResult {
	rd := r.compile()
	res := RunResult{Run: run}
	if len(run.Jobs) == 0 {
		whole := change.Job{Status: run.Run.Status, Conclusion: run.Run.Conclusion}
		res.Outcome = rd.job(whole, run.Superseded).Outcome
		return res
	}
	// A run succeeds although a job failed if the job has continue-on-error.
	succeeded := run.Run.Conclusion == "success"
	var count []Outcome
	for _, j := range run.Jobs {
		if rd.ignore.match(j.Name) {
			continue
		}
		job := rd.job(j, run.Superseded)
		job.MayFail = job.MayFail || succeeded && !slices.Contains(quiet, job.Outcome)
		res.Jobs = append(res.Jobs, job)
		if !job.MayFail {
			count = append(count, job.Outcome)
		}
	}
	res.Outcome = worst(count)
	return res
}

// quiet are the outcomes with which a job does not fail its run.
var quiet = []Outcome{Passed, Skipped, Neutral}

// decided returns the jobs that decide and were not skipped.
func (r RunResult) decided() []JobResult {
	return slices.DeleteFunc(slices.Clone(r.Jobs), func(j JobResult) bool { return j.MayFail || j.Outcome == Skipped })
}
