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
	key, _, _ := strings.Cut(s.github.Runs()[0].Title, " ")
	s.github.SetJobs(id, append(slices.Clone(jobs), github.Job{Name: "report", Status: "in_progress", Always: true})...)
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"] = strconv.FormatInt(id, 10), strconv.Itoa(attempt), "report"
	s.env["INPUT_NEEDS"] = needsOf(jobs)
	if status := s.run(s.Context(), "report", "--key", key); status != ExitDone {
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
	for _, lag := range []github.Lag{{List: late}, {Run: late}, {Jobs: late}, {List: late, Run: late}, {Run: late, Jobs: late}, {List: late, Run: late, Jobs: late}, {List: time.Hour, Run: 25 * time.Minute}} {
		for _, own := range []bool{true, false} {
			for conclusion, want := range map[string]int{"success": 1, "failure": -1} {
				t.Run(fmt.Sprintf("%+v own %v %s", lag, own, conclusion), func(t *testing.T) {
					t.Parallel()
					s := reporting(t, "", func(o *servers) { o.github.Details = github.IgnoreDetails })
					if lag.Run > lag.List {
						s = reporting(t, "")
					}
					c := s.push("ann", "nvme: split the probe loop", nil)
					s.github.SetLag(lag)
					s.run(t.Context(), "sync")
					s.quietly(3, 3*time.Minute)
					id := s.github.Runs()[0].ID
					s.github.SetJobs(id, github.Job{Name: "unit", Status: "in_progress"})
					s.quietly(3, 3*time.Minute)
					if own {
						s.lastJob(id, 1, testJob("unit", conclusion, "not ok 1"))
					} else {
						s.github.SetJobs(id, testJob("unit", conclusion, "not ok 1"))
					}
					s.quietly(16, 5*time.Minute)
					s.runs("101/1/autorun.yml/1")
					s.expects(c, want, "1 "+map[int]string{1: "passed", -1: "failed"}[want])
				})
			}
		}
	}
}

// TestRunAgainByHand: somebody runs a run again on GitHub's page. What its own report job
// tells of the new attempt counts, and so does what a pass tells that has not closed the
// run yet; an attempt that tells nothing takes no vote away.
func TestRunAgainByHand(t *testing.T) {
	t.Parallel()
	job := func(word string) github.Job {
		switch word {
		case "runner-lost":
			return lostJob("unit")
		case "cancelled":
			return github.Job{Name: "unit", Conclusion: "cancelled", Runner: "runner-1"}
		}
		return testJob("unit", map[string]string{"passed": "success", "failed": "failure"}[word], "not ok 1")
	}
	votes := map[string]int{"passed": 1, "failed": -1}
	for _, first := range []string{"passed", "failed"} {
		for _, second := range []string{"passed", "failed", "runner-lost", "cancelled"} {
			for _, tt := range []struct {
				firstJob, closed, secondJob bool
				told                        bool // a result of the second attempt
			}{
				{true, false, true, true},
				{true, false, false, true},
				{false, true, true, true},
				{true, true, false, false}, // its end is noted, and GitHub is not asked about it again
			} {
				t.Run(fmt.Sprintf("%s, %s, %+v", first, second, tt), func(t *testing.T) {
					t.Parallel()
					s := reporting(t, "")
					c := s.push("ann", "nvme: split the probe loop", nil)
					s.run(t.Context(), "sync")
					id := s.github.Runs()[0].ID
					play := func(attempt int, own bool, word string) {
						if own {
							s.lastJob(id, attempt, job(word))
						} else {
							s.github.SetJobs(id, job(word))
						}
					}
					play(1, tt.firstJob, first)
					if tt.closed {
						s.quietly(2, 15*time.Minute)
					}
					s.github.Rerun(id, false)
					s.quietly(1, 15*time.Minute)
					play(2, tt.secondJob, second)
					s.quietly(3, 15*time.Minute)
					want, vote := []string{"1 " + first}, votes[first]
					if v, result := votes[second]; result && tt.told {
						want, vote = append(want, "2 "+second), v
					}
					s.expects(c, vote, want...)
					s.runs("101/1/autorun.yml/1")
				})
			}
		}
	}
}

// TestRunAgainBesides: a run that is run again by hand, beside another workflow that
// reports: what the first attempt told stands there, too.
func TestRunAgainBesides(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{true, false} {
		s := reporting(t, "workflows: [autorun.yml, metal.yml]\n")
		s.workflow("metal.yml", autorun)
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		ids := map[string]int64{}
		for _, r := range s.github.Runs() {
			ids[r.Workflow] = r.ID
		}
		s.github.SetJobs(ids["autorun.yml"], testJob("unit", "failure", "not ok 1"))
		s.quietly(2, 15*time.Minute)
		s.expects(c, -1, "1 failed")
		s.github.Rerun(ids["autorun.yml"], false)
		s.quietly(1, 15*time.Minute)
		want := []string{"1 failed", "1 failed, 2 runner-lost, 1 passed"}
		if lost {
			s.github.SetJobs(ids["autorun.yml"], lostJob("unit"))
		}
		s.github.SetJobs(ids["metal.yml"], testJob("dpdk", "success"))
		s.quietly(3, 15*time.Minute)
		if !lost { // it goes on
			s.expects(c, -1, "1 failed")
			s.github.SetJobs(ids["autorun.yml"], testJob("unit", "success"))
			s.quietly(3, 15*time.Minute)
			want[1] = "2 passed, 1 passed"
		}
		s.expects(c, map[bool]int{true: -1, false: 1}[lost], want...)
	}
}
