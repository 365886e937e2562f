// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// told matches the words of a message's last line about one run.
var told = regexp.MustCompile(`attempt=(\d+) outcome=(\S+)`)

// tells are the ends of runs that messages on a change tell, oldest first, as
// "ATTEMPT OUTCOME"; a message that tells of several has them joined by a comma.
func tells(c *gerrit.Change) (all []string) {
	for _, m := range c.Messages() {
		var one []string
		for _, found := range told.FindAllStringSubmatch(m.Text, -1) {
			if found[2] != "running" {
				one = append(one, found[1]+" "+found[2])
			}
		}
		if len(one) > 0 {
			all = append(all, strings.Join(one, ", "))
		}
	}
	return all
}

// expects holds what was told on a change, and the bot's vote.
func (s *story) expects(c *gerrit.Change, vote int, want ...string) {
	s.Helper()
	if got := tells(c); !slices.Equal(got, want) {
		s.Errorf("told %q, want %q; the last pass:\n%s%s", got, want, s.stdout, s.stderr)
	}
	if got := c.Votes()["Verified"]["bot"]; got != vote {
		s.Errorf("got the vote %d, want %d", got, vote)
	}
}

// quietly makes passes and checks that none fails.
func (s *story) quietly(n int, every time.Duration) {
	s.Helper()
	for range n {
		s.clock.advance(every)
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d:\n%s%s", status, s.stdout, s.stderr)
		}
	}
}

// TestDeletedRun: somebody deletes a run on GitHub's page, before it has ended or
// after. That is told once, votes nothing, and a comment begins anew.
func TestDeletedRun(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		if ended {
			s.ends(testJob("unit", "failure", "not ok 1"))
		}
		s.github.DeleteRun(s.github.Runs()[0].ID)
		s.quietly(4, 15*time.Minute)
		s.expects(c, 0, "0 missing")
		c.Reply("ann", "recheck")
		s.quietly(1, 15*time.Minute)
		s.ends(testJob("unit", "success"))
		s.quietly(2, 15*time.Minute)
		s.expects(c, 1, "0 missing", "1 passed")
	}
}

// lastJob plays the last job of a run's attempt: it reports, and the run ends after it.
func (s *story) lastJob(id int64, attempt int, jobs ...github.Job) {
	s.Helper()
	s.github.SetJobs(id, append(slices.Clone(jobs), github.Job{Name: "report", Status: "in_progress", Always: true})...)
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"] = strconv.FormatInt(id, 10), strconv.Itoa(attempt), "report"
	s.env["INPUT_NEEDS"] = needsOf(jobs)
	if status := s.run(s.Context(), "report", "--key", s.github.Runs()[0].Inputs["key"]); status != ExitDone {
		s.Errorf("report: got exit status %d:\n%s%s", status, s.stdout, s.stderr)
	}
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_NEEDS"] = "", "", "", ""
	s.github.SetJobs(id, append(slices.Clone(jobs), github.Job{Name: "report", Conclusion: "success", Always: true})...)
}

// TestLateAPI: whichever part of GitHub's API is late, each run has one verdict, and it
// is the right one.
func TestLateAPI(t *testing.T) {
	t.Parallel()
	const late = 8 * time.Minute // less than the time after which a pass reports
	for _, lag := range []github.Lag{{List: late}, {Run: late}, {Jobs: late}, {List: late, Run: late, Jobs: late}, {List: time.Hour, Run: 25 * time.Minute}} {
		for _, own := range []bool{true, false} {
			for conclusion, want := range map[string]int{"success": 1, "failure": -1} {
				t.Run(fmt.Sprintf("%+v own %v %s", lag, own, conclusion), func(t *testing.T) {
					oneOfThree(t)
					t.Parallel()
					s := reporting(t, "", func(o *servers) { o.github.Details = github.IgnoreDetails })
					if lag.Run > lag.List {
						s = reporting(t, "")
					}
					c := s.push("ann", "nvme: split the probe loop", nil)
					s.github.SetLag(lag)
					s.run(t.Context(), "sync")
					s.quietly(2, 4*time.Minute)
					id := s.github.Runs()[0].ID
					s.github.SetJobs(id, github.Job{Name: "unit", Status: "in_progress"})
					s.quietly(2, 4*time.Minute)
					if own {
						s.lastJob(id, 1, testJob("unit", conclusion, "not ok 1"))
					} else {
						s.github.SetJobs(id, testJob("unit", conclusion, "not ok 1"))
					}
					s.quietly(3, 5*time.Minute)
					s.quietly(4, 15*time.Minute)
					s.runs("101/1/autorun.yml/1")
					s.expects(c, want, "1 "+map[int]string{1: "passed", -1: "failed"}[want])
				})
			}
		}
	}
}

// TestNoJobsAreListed: of a run that has ended a server lists no jobs
// (go-gitea/gitea#38286). What the run says as a whole makes +1, and never -1.
func TestNoJobsAreListed(t *testing.T) {
	t.Parallel()
	for conclusion, want := range map[string]struct {
		vote    int
		outcome string
		runs    int
	}{"success": {1, "passed", 1}, "failure": {0, "startup-failure", 2}, "cancelled": {0, "dropped", 2}, "timed_out": {0, "timed-out", 1}, "skipped": {0, "skipped", 1}} {
		s := reporting(t, "", func(o *servers) { o.github.NoJobs = true })
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		s.ends(testJob("unit", conclusion, "not ok 1"))
		s.github.SetRunState(s.github.Runs()[0].ID, "completed", conclusion)
		s.quietly(3, 15*time.Minute)
		s.expects(c, want.vote, "1 "+want.outcome)
		if n := len(s.github.Runs()); n != want.runs {
			t.Errorf("%s: got %d runs, want %d", conclusion, n, want.runs)
		}
	}
}

// TestJobsAndRunDisagree: the run has ended and a job has not, or the other way round.
// Nothing is told before both say so.
func TestJobsAndRunDisagree(t *testing.T) {
	t.Parallel()
	for _, conclusion := range []string{"success", "failure"} {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		id := s.github.Runs()[0].ID
		s.github.SetJobs(id, testJob("docs", "success"), github.Job{Name: "unit", Status: "in_progress"})
		s.github.SetRunState(id, "completed", conclusion)
		s.quietly(3, 15*time.Minute)
		s.expects(c, 0)
		s.github.SetJobs(id, testJob("docs", "success"), testJob("unit", conclusion, "not ok 1"))
		s.github.SetRunState(id, "in_progress", "")
		s.quietly(3, 15*time.Minute)
		s.expects(c, 0)
		s.github.SetRunState(id, "completed", conclusion)
		s.quietly(3, 15*time.Minute)
		s.expects(c, map[string]int{"success": 1, "failure": -1}[conclusion], "1 "+map[string]string{"success": "passed", "failure": "failed"}[conclusion])
	}
}

// TestWedgedRun: GitHub can neither end nor stop the run of a patchset. The next one has
// its verdict all the same.
func TestWedgedRun(t *testing.T) {
	t.Parallel()
	s := reporting(t, "", func(o *servers) { o.github.Wedged = true })
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.run(t.Context(), "sync")
	id := s.github.Runs()[0].ID
	s.github.SetJobs(id, testJob("unit", "failure", "not ok 1"))
	s.github.SetRunState(id, "in_progress", "")
	c.Amend(map[string]string{"lib/nvme.c": "int x;\n"})
	s.clock.advance(15 * time.Minute)
	if status := s.run(t.Context(), "sync"); status != ExitFailed || !strings.Contains(s.stdout, "Failed to cancel workflow run") {
		t.Errorf("got exit status %d, and no word of the cancel that failed:\n%s", status, s.stdout)
	}
	s.ends(testJob("unit", "success"))
	s.clock.advance(15 * time.Minute)
	s.run(t.Context(), "sync")
	s.expects(c, 1, "1 passed")
}

// TestWordOfTheRun: what GitHub makes of a run with jobs that were stopped or reached a
// limit is not documented. The verdict comes from the jobs, whichever word it is.
func TestWordOfTheRun(t *testing.T) {
	t.Parallel()
	cancelled := github.Job{Name: "docs", Conclusion: "cancelled", Runner: "runner-1"}
	limit := testJob("unit", "timed_out") // the job's, while a test ran
	limit.Steps[1].Conclusion = "cancelled"
	for _, tt := range []struct {
		jobs  []github.Job
		words []string
		vote  int
		want  string
	}{
		{[]github.Job{testJob("unit", "failure", "not ok 1"), cancelled}, []string{"failure", "cancelled"}, -1, "1 failed"},
		{[]github.Job{testJob("unit", "success"), cancelled}, []string{"failure", "cancelled"}, 0, "1 cancelled"},
		{[]github.Job{testJob("docs", "success"), limit}, []string{"failure", "timed_out", "cancelled"}, 0, "1 timed-out"},
		{[]github.Job{{Name: "docs", Conclusion: "skipped"}}, []string{"success", "skipped"}, 0, "1 skipped"},
		{[]github.Job{testJob("unit", "success"), {Name: "docs", Conclusion: "skipped"}}, []string{"success"}, 1, "1 passed"},
	} {
		for _, word := range tt.words {
			s := reporting(t, "")
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.run(t.Context(), "sync")
			s.github.SetRunState(s.ends(tt.jobs...), "completed", word)
			s.quietly(1, 15*time.Minute)
			s.expects(c, tt.vote, tt.want)
		}
	}
}
