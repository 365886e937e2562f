// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The values of Gerrit's NotifyHandling that we use (REST documentation of
// ReviewInput.notify).
const (
	NotifyNone  = "NONE"
	NotifyOwner = "OWNER"
)

// Notify returns who is to be told by mail: the owner where the state of the
// patchset changed or where we give up, nobody else. earlier are the residues of
// our messages on the change, oldest first.
func (r Residue) Notify(earlier []Residue, givenUp bool) string {
	if givenUp || r.News(earlier) {
		return NotifyOwner
	}
	return NotifyNone
}

// News reports whether r says something that the last verdict on the same
// patchset did not: another outcome, vote or set of failed jobs. That work was
// started, or that a workflow has ended without changing a vote that did not wait
// for it, is no news; the first verdict always is.
func (r Residue) News(earlier []Residue) bool {
	if r.running() {
		return false
	}
	for _, e := range slices.Backward(earlier) {
		if !e.running() && e.id() == r.id() {
			return !r.says(e)
		}
	}
	return true
}

// Reported reports whether r is the verdict on an attempt of a run.
func (r Residue) Reported(key change.Key, runID int64, attempt int) bool {
	return slices.ContainsFunc(r.Runs, func(run RunResidue) bool {
		return run.Key == key && run.RunID == runID && run.Attempt == attempt && run.Outcome != Running
	})
}

// running reports whether no run had ended when r was written.
func (r Residue) running() bool {
	return len(r.Runs) > 0 && !slices.ContainsFunc(r.Runs, func(run RunResidue) bool { return run.Outcome != Running })
}

// patchset names a patchset of one of several servers.
type patchset struct {
	server string
	id     change.ID
}

func (r Residue) id() patchset {
	if len(r.Runs) == 0 {
		return patchset{}
	}
	return patchset{r.Runs[0].Key.Server, r.Runs[0].Key.ID}
}

// says reports whether r and e tell people the same. Which attempt said so does
// not matter.
func (r Residue) says(e Residue) bool {
	// Where one of them has no vote, it was refused or stands from before.
	if r.Failed != e.Failed || r.Voted && e.Voted && r.Vote != e.Vote {
		return false
	}
	mine, theirs := r.outcomes(), e.outcomes()
	for workflow, o := range mine {
		before := theirs[workflow]
		ended := before == Running && (r.Vote < 0 || r.Failed != "") // after a vote that did not wait for it
		if before != o && !ended {
			return false
		}
	}
	return len(mine) == len(theirs)
}

// Only is what r says of some workflows: what does not decide is no news.
func (r Residue) Only(workflows []string) Residue {
	r.Runs = slices.DeleteFunc(slices.Clone(r.Runs), func(run RunResidue) bool { return !slices.Contains(workflows, run.Key.Workflow) })
	return r
}

// outcomes are those of the runs, by workflow. Where a later run told nothing, that
// of the one whose result stands comes first and counts.
func (r Residue) outcomes() map[string]Outcome {
	all := map[string]Outcome{}
	for _, run := range r.Runs {
		if _, there := all[run.Key.Workflow]; !there {
			all[run.Key.Workflow] = run.Outcome
		}
	}
	return all
}
