// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

const carrying = "workflows: [{file: autorun.yml, trivial-rebase: carry, no-code-change: carry}]\n"

// rebased moves the branch and rebases a change onto it.
func (s *story) rebased(c *gerrit.Change) {
	s.project.Commit("master", map[string]string{"x": s.clock.Now().String() + "\n"})
	c.Rebase()
	s.says("It is rebased.")
}

// TestCarriedResult: a result stands for a patchset that only rebases, with a vote
// and a message that says whose it is; a comment asks for a run all the same.
func TestCarriedResult(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.rebased(c)
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.ticks(1)
	s.runs("101/1/autorun.yml/1")
	s.says("Then the message changes, too.")
	c.Reword("nvme: split the loop")
	s.ticks(1)
	s.votes(c, map[string]int{"bot": 1})
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "101/3/autorun.yml/2")
	s.ends(testJob("unit tests", "failure", "not ok 3"))
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": -1})
}

// TestCarryWaits: a run that goes on is not cancelled for a rebase; the new
// patchset waits for its result.
func TestCarryWaits(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.clock.advance(2 * time.Minute)
	s.rebased(c)
	s.ticks(2)
	s.ends(testJob("unit tests", "success"))
	s.says("Its run ends.")
	s.ticks(3)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.runs("101/1/autorun.yml/1")
}

// TestCarryOfNothing: a run that told nothing is not carried, the new patchset
// runs.
func TestCarryOfNothing(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.rebased(c)
	s.ticks(1)
	s.ends(lostJob("unit tests"))
	s.ticks(2)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1")
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": 1})
}

// TestCarriedRed: a red result stays red beside a green one that is new, and a
// patchset that no pass has seen does not break the chain.
func TestCarriedRed(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, {file: docs.yml, no-code-change: carry}]\n")
	s.workflow("docs.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		if r.Workflow == "docs.yml" {
			s.github.SetJobs(r.ID, testJob("docs", "failure", "boom"))
		} else {
			s.github.SetJobs(r.ID, testJob("unit tests", "success"))
		}
	}
	s.ticks(1)
	s.votes(c, map[string]int{"bot": -1})
	c.Reword("nvme: split the loop")
	c.Reword("nvme: split the loop that probes")
	s.says("The message changes twice between two passes.")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "101/1/docs.yml/1", "101/3/autorun.yml/1")
	s.ends(testJob("unit tests", "success"))
	s.ticks(2)
	s.gerritShows(c, map[string]int{"bot": -1})
}

// TestCarryGivesUp: a comment on the patchset that waits has it tested itself; then
// nobody waits for the run of the one before.
func TestCarryGivesUp(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.rebased(c)
	s.ticks(1)
	s.comments(c, "ann", "recheck autorun")
	s.pass(ExitDone)
	s.ticks(1)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1")
	if run := s.github.Runs()[0]; run.Conclusion != "cancelled" {
		t.Errorf("got %s/%s, want the run of patchset 1 to be cancelled", run.Status, run.Conclusion)
	}
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": 1})
}
