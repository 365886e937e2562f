// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

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
					oneOfThree(t)
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

// TestServersDiffer: what GitHub does not promise, or other servers do otherwise, changes
// no verdict. The failed jobs of a red run are run again, by a comment.
func TestServersDiffer(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*github.Options){
		"as documented":            func(*github.Options) {},
		"no run id for a dispatch": func(o *github.Options) { o.Details = github.IgnoreDetails },
		"attempts counted late":    func(o *github.Options) { o.LateAttempts = true },
		"only what ran again":      func(o *github.Options) { o.PartialReruns = true },
		"oldest first":             func(o *github.Options) { o.OldestFirst, o.Details = true, github.IgnoreDetails },
		"the title grows":          func(o *github.Options) { o.Retitle = func(r github.Run) string { return r.Title + " again" } },
		"the title is lost":        func(o *github.Options) { o.Retitle = func(github.Run) string { return "autorun" } },
		"as Gitea describes runs":  func(o *github.Options) { o.Gitea, o.Details = true, github.IgnoreDetails },
	} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, own %v", name, own), func(t *testing.T) {
				oneOfThree(t)
				t.Parallel()
				s := reporting(t, "", func(o *servers) { edit(&o.github) })
				c := s.push("ann", "nvme: split the probe loop", nil)
				s.quietly(2, 15*time.Minute)
				id := s.github.Runs()[0].ID
				play := func(attempt int, conclusion string) {
					jobs := []github.Job{testJob("unit", conclusion, "not ok 1"), testJob("docs", "success")}
					if own {
						s.lastJob(id, attempt, jobs...)
					} else {
						s.github.SetJobs(id, jobs...)
					}
					s.quietly(2, 15*time.Minute)
				}
				play(1, "failure")
				if v := c.Votes()["Verified"]["bot"]; v != -1 {
					t.Errorf("got the vote %d, want -1:\n%s%s", v, s.stdout, s.stderr)
				}
				c.Reply("ann", "recheck failed")
				s.quietly(2, 15*time.Minute)
				play(2, "success")
				if got := tells(c); len(got) != 2 || !strings.HasSuffix(got[0], " failed") || !strings.HasSuffix(got[1], " passed") {
					t.Errorf("told %q, want failed and passed once each", got)
				}
				if v := c.Votes()["Verified"]["bot"]; v != 1 || len(s.github.Runs()) != 1 {
					t.Errorf("got the vote %d and %d runs, want 1 and 1:\n%s%s", v, len(s.github.Runs()), s.stdout, s.stderr)
				}
			})
		}
	}
}

// TestTwoRunsOfAKey: two runs show the same key, whichever comes first in the list. The
// older one counts, alone.
func TestTwoRunsOfAKey(t *testing.T) {
	t.Parallel()
	for _, oldestFirst := range []bool{true, false} {
		s := reporting(t, "", func(o *servers) { o.github.Details, o.github.OldestFirst = github.IgnoreDetails, oldestFirst })
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		double := s.github.Runs()[0]
		other := s.github.AddRun(github.Run{Repository: double.Repository, Workflow: double.Workflow, Title: double.Title, Head: double.Head})
		passes := func(n int) { // the story's own checks would mind two runs
			for range n {
				s.clock.advance(15 * time.Minute)
				var out, errs bytes.Buffer
				if status := s.app("test", &out, &errs).Main(t.Context(), []string{"sync"}); status != ExitDone {
					t.Errorf("got exit status %d:\n%s%s", status, &out, &errs)
				}
			}
		}
		passes(1)
		s.github.SetJobs(double.ID, testJob("unit", "failure", "not ok 1"))
		s.github.SetJobs(other, testJob("unit", "success"))
		passes(3)
		s.expects(c, -1, "1 failed")
	}
}
