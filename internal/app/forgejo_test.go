// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// onForgejo is a story whose mirror and CI repository are on a Forgejo.
func onForgejo(t *testing.T, edit func(*github.Options)) *story {
	t.Helper()
	s := reporting(t, "", func(o *servers) {
		o.github.ForgejoAPI = true
		edit(&o.github)
	})
	s.env["GITHUB_API_URL"] = s.github.URL() + "/api/v1"
	return s
}

// TestForgejo: patchsets are relayed, started once and reported on, whether titles show
// the keys of runs or not.
func TestForgejo(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]bool{"run-name": false, "no run-name": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := onForgejo(t, func(o *github.Options) { o.PlainTitles = plain })
			one := s.push("ann", "nvme: split the probe loop", nil)
			s.quietly(3, 15*time.Minute)
			s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "failure", "not ok 1", "\u274c  Failure - Main make test", "\U0001f3c1  Job failed"))
			s.quietly(2, 15*time.Minute)
			s.expects(one, -1, "1 failed")
			if text := one.Messages()[len(one.Messages())-1].Text; !strings.Contains(text, "not ok 1") {
				t.Errorf("the log's end is not told:\n%s", text)
			}
			two := s.push("bob", "bdev: fix a leak on reset", nil)
			s.quietly(2, 15*time.Minute)
			s.github.SetJobs(s.github.Runs()[1].ID, testJob("unit tests", "success"))
			s.quietly(2, 15*time.Minute)
			s.expects(two, 1, "1 passed")
			if runs := s.github.Runs(); len(runs) != 2 {
				t.Errorf("got %d runs, want one of each patchset", len(runs))
			}
		})
	}
}

// TestForgejoEndsRuns: a run whose start was not answered is found by its input, and
// ended once its patchset was replaced.
func TestForgejoEndsRuns(t *testing.T) {
	t.Parallel()
	s := onForgejo(t, func(o *github.Options) { o.PlainTitles = true })
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.github.Faults.Add(faults.Rule{Times: 1, Path: regexp.MustCompile("/dispatches"), Do: faults.LoseReply()})
	s.pass(ExitDone)
	s.quietly(1, 15*time.Minute)
	c.Amend(map[string]string{"a.c": "int a;\n"})
	s.quietly(3, 15*time.Minute)
	runs := s.github.Runs()
	if len(runs) != 2 || runs[0].Conclusion != "cancelled" {
		t.Fatalf("got %+v, want the first of two ended", runs)
	}
	s.github.SetJobs(runs[1].ID, testJob("unit tests", "success"))
	s.quietly(2, 15*time.Minute)
	s.expects(c, 1, "1 passed")
}

// TestForgejoIsTooOld: without a list of jobs there is no verdict, and each pass says
// what to do; nothing is started again.
func TestForgejoIsTooOld(t *testing.T) {
	t.Parallel()
	s := onForgejo(t, func(o *github.Options) { o.NoJobCalls = true })
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "failure"))
	for range 3 {
		s.clock.advance(15 * time.Minute)
		s.pass(ExitConfiguration)
		if text := s.stdout + s.stderr; !strings.Contains(text, "use Forgejo 16") {
			t.Errorf("got %s", text)
		}
	}
	s.expects(c, 0)
	if runs := s.github.Runs(); len(runs) != 1 {
		t.Errorf("got %d runs, want 1", len(runs))
	}
}
