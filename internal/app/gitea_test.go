// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// onGitea is a story whose mirror and CI repository are on a Gitea.
func onGitea(t *testing.T) *story {
	t.Helper()
	s := reporting(t, "", func(o *servers) { o.github.GiteaAPI = true })
	s.env["GITHUB_API_URL"] = s.github.URL() + "/api/v1"
	return s
}

// TestGitea: patchsets are relayed, tested one at a time, and reported on.
func TestGitea(t *testing.T) {
	t.Parallel()
	s := onGitea(t)
	one, two := s.push("ann", "nvme: split the probe loop", nil), s.push("bob", "bdev: fix a leak on reset", nil)
	s.pass(ExitDone)
	s.pass(ExitDone)
	if runs := s.github.Runs(); len(runs) != 1 {
		t.Fatalf("got %d runs, want one at a time", len(runs))
	}
	s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "failure", "not ok 1"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.expects(one, -1, "1 failed")
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.github.SetJobs(s.github.Runs()[1].ID, testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.expects(two, 1, "1 passed")
	if text := one.Messages()[len(one.Messages())-1].Text; !strings.Contains(text, "not ok 1") {
		t.Errorf("the log's end is not told:\n%s", text)
	}
}

// TestGiteaWithManyRuns: all of a long list are seen, and none is started twice.
func TestGiteaWithManyRuns(t *testing.T) {
	t.Parallel()
	s := onGitea(t)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.quietly(1, 0)
	run := s.github.Runs()[0]
	s.github.SetJobs(run.ID, testJob("unit tests", "success"))
	for n := range 120 {
		s.github.AddRun(github.Run{Repository: run.Repository, Workflow: run.Workflow, Title: fmt.Sprintf("by hand %d", n), Head: run.Head, Status: "completed", Conclusion: "success"})
	}
	s.quietly(3, 15*time.Minute)
	s.expects(c, 1, "1 passed")
	if got := s.runsOf(c); got != 1 {
		t.Errorf("got %d runs of the patchset, want 1", got)
	}
}

// TestGiteaCannotStopRuns: what its API lacks is said, once the call was made, and
// holds nothing up.
func TestGiteaCannotStopRuns(t *testing.T) {
	t.Parallel()
	s := onGitea(t)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	c.Amend(map[string]string{"a.c": "int a;\n"})
	s.clock.advance(15 * time.Minute)
	s.pass(ExitFailed)
	s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.github.SetJobs(s.github.Runs()[1].ID, testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.expects(c, 1, "1 passed")
}
