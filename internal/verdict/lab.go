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

// watchesLabs reports whether a run is one of autorun.yml that has a lab to watch: in
// no other do names mean anything.
func watchesLabs(run Run) bool {
	return slices.ContainsFunc(run.Jobs, func(j change.Job) bool { return lastName(j) == "lab" && isChore(j) })
}

// lastName is a job's name without those of the workflows that it was called by.
func lastName(j change.Job) string {
	return j.Name[strings.LastIndex(separator+j.Name, separator):]
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
