// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// LabSuffix ends the names of those jobs of our own autorun.yml that are for an
// optional environment in a lab. Nothing in the run waits for them, and they do not
// decide.
const LabSuffix = " (optional lab)"

// giveUp is the job of autorun.yml that ends a run whose report is made and in which
// nothing is left but jobs that no runner takes, and giveUpStep its step.
const (
	giveUp     = "give-up"
	giveUpStep = "rig: end the run without the labs that are offline"
)

// labs are the callers, as they stand before the names of jobs, of those calls of
// autorun.yml in a run that have a lab to watch: nowhere else do names mean anything.
type labs []string

func labsOf(run Run) labs {
	var l labs
	for _, j := range run.Jobs {
		if lastName(j) == "lab" && isChore(j) {
			l = append(l, callers(j))
		}
	}
	return l
}

// has reports whether a job is one of theirs. Another job of the calling workflow may
// have any name, that of a test in a patchset for instance; the steps of ours begin
// with one that others do not have, as soon as the runner knows of any.
func (l labs) has(j change.Job) bool {
	known := slices.ContainsFunc(j.Steps, func(s change.Step) bool { _, runners := runnerSteps[s.Name]; return !runners })
	return slices.Contains(l, callers(j)) && (!known || hasStep(j, choreStep))
}

// lastName is a job's name without those of the workflows that it was called by.
func lastName(j change.Job) string { return j.Name[len(callers(j)):] }

// callers is the rest of a job's name.
func callers(j change.Job) string {
	return j.Name[:max(0, strings.LastIndex(separator+j.Name, separator))]
}

func isOptionalLab(j change.Job) bool { return strings.HasSuffix(j.Name, LabSuffix) }

// untaken reports whether no runner has taken a job.
func untaken(j change.Job) bool {
	return j.Runner == "" && (j.Status != "completed" || j.Conclusion == "cancelled")
}

// gaveUp reports whether the run was ended by itself, after all that it waited for.
// The job that does so begins after the report, and only in a run that nobody has
// cancelled.
func (f *folding) gaveUp() bool {
	return slices.ContainsFunc(f.aside, func(j change.Job) bool {
		return lastName(j) == giveUp && j.Runner != "" && hasStep(j, giveUpStep)
	})
}
