// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// Stories that try to refute what is promised of results and votes. What a user
// sees of them is told only where one fails.

// telling begins a story with an account that may vote, and settings of its own.
func telling(t *testing.T, settings string) *story {
	t.Helper()
	s := begin(t, settings)
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	s.gerrit.Account("bot")
	return s
}

// mails counts our messages on a change of which somebody got a mail.
func (s *story) mails(c *gerrit.Change) (n int) {
	for _, m := range c.Messages() {
		if m.Author == "bot" && len(m.Mailed) > 0 {
			n++
		}
	}
	return n
}

// unwritten has what happened told only if the story fails.
func (s *story) unwritten(c *gerrit.Change) {
	s.Cleanup(func() {
		if s.Failed() {
			for _, r := range s.github.Runs() {
				s.Logf("RUN %d %q %s/%s attempt %d", r.ID, r.Title, r.Status, r.Conclusion, r.Attempt)
			}
			for n := range s.mirror.Refs() {
				s.Log("REF " + n)
			}
			for _, m := range c.Messages() {
				s.Logf("MSG %s ps%d mailed %v: %s", m.Author, m.Patchset, m.Mailed, m.Text)
			}
			s.Log(s.transcript.String())
		}
		s.transcript.Reset()
	})
}

// titles are those of all runs.
func (s *story) titles() string {
	var t []string
	for _, r := range s.github.Runs() {
		t = append(t, r.Title)
	}
	return strings.Join(t, " ")
}

// soft makes passes, a quarter of an hour apart, whatever their exit status.
func (s *story) soft(n int) {
	s.Helper()
	for range n {
		s.clock.advance(15 * time.Minute)
		st := s.run(s.Context(), "sync")
		s.written(st, "sync")
	}
}

// TestBackBeforeTheNextPass: a change that comes back before the pass that would note
// the end of the run that we cancelled is tested again.
func TestBackBeforeTheNextPass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		leave, back func(*gerrit.Change)
	}{
		{"abandoned", (*gerrit.Change).Abandon, (*gerrit.Change).Restore},
		{"wip", func(c *gerrit.Change) { c.SetWIP(true) }, func(c *gerrit.Change) { c.SetWIP(false) }},
		{"private", func(c *gerrit.Change) { c.SetPrivate(true) }, func(c *gerrit.Change) { c.SetPrivate(false) }},
		{"hidden", func(c *gerrit.Change) { c.Hide(true) }, func(c *gerrit.Change) { c.Hide(false) }},
		{"branch", func(c *gerrit.Change) { c.Move("side") }, func(c *gerrit.Change) { c.Move("master") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "branches: [master]\n")
			s.project.Commit("side", map[string]string{"side.md": "side\n"})
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			s.github.SetJobs(s.github.Runs()[0].ID, github.Job{Name: "unit", Status: "in_progress", Runner: "runner-1"})
			tt.leave(c)
			s.ticks(1)
			if run := s.github.Runs()[0]; run.Conclusion != "cancelled" {
				t.Errorf("not cancelled: %v", run)
			}
			tt.back(c)
			s.ticks(3)
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
		})
	}
}

// TestCancelledRunReports: the job that reports runs in a cancelled run, too (if: always());
// what it could tell is no end that counts when the change is back.
func TestCancelledRunReports(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		leave, back func(*gerrit.Change)
	}{
		{"wip", func(c *gerrit.Change) { c.SetWIP(true) }, func(c *gerrit.Change) { c.SetWIP(false) }},
		{"private", func(c *gerrit.Change) { c.SetPrivate(true) }, func(c *gerrit.Change) { c.SetPrivate(false) }},
		{"branch", func(c *gerrit.Change) { c.Move("side") }, func(c *gerrit.Change) { c.Move("master") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "branches: [master]\n")
			s.project.Commit("side", map[string]string{"side.md": "side\n"})
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			id := s.github.Runs()[0].ID
			s.github.SetJobs(id, github.Job{Name: "unit", Status: "in_progress"}, github.Job{Name: "report", Status: "queued", Always: true})
			tt.leave(c)
			s.ticks(1)
			s.github.SetJobs(id, testJob("unit", "cancelled"), github.Job{Name: "report", Status: "in_progress", Always: true})
			s.env["INPUT_NEEDS"] = `{"unit":{"result":"cancelled"}}`
			s.reportJob(id, 1, "101/1/autorun.yml/1")
			s.github.SetJobs(id, testJob("unit", "cancelled"), testJob("report", "success"))
			s.github.SetRunState(id, "completed", "cancelled")
			s.ticks(2)
			tt.back(c)
			s.ticks(3)
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
		})
	}
}

// TestCarriedVoteIsRestored: nobody takes a carried -1 away by asking for a run and
// calling it off.
func TestCarriedVoteIsRestored(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.fails(c)
	s.rebased(c)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.comments(c, "ann", "cancel")
	s.pass(ExitDone)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/2")
}

// TestCarriedTwiceAfterACancel: a carried result that a comment questioned in vain can
// be carried further.
func TestCarriedTwiceAfterACancel(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.ends(testJob("unit", "success"))
	s.ticks(1)
	s.rebased(c)
	s.ticks(2)
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.comments(c, "ann", "cancel")
	s.pass(ExitDone)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
	s.rebased(c)
	s.ticks(3)
	s.votes(c, map[string]int{"bot": 1})
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/2")
}

// TestGivenUpBesideAGate: the owner is mailed once when CI gives up, although another
// workflow waits at a gate.
func TestGivenUpBesideAGate(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, {file: metal.yml, trust: {label: Allow-CI}}]\n")
	s.workflow("metal.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	for range 5 {
		s.ends(lostJob("unit tests"))
		n := len(s.github.Runs())
		for i := 0; i < 40 && len(s.github.Runs()) == n; i++ {
			s.clock.advance(time.Hour)
			s.run(t.Context(), "sync")
		}
	}
	s.soft(2)
	if n := s.mails(c); n != 1 {
		t.Errorf("mailed %d times, want once", n)
	}
	if !strings.Contains(s.stdout, "no verdict") {
		t.Errorf("got %s", s.stdout)
	}
}

// TestEndNotedTwice: two dispatchers note the end of an attempt at different seconds; it
// counts once.
func TestEndNotedTwice(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.ends(lostJob("unit"))
	end := s.clock.Now().Add(15 * time.Minute).Unix()
	s.ticks(1)
	// the other dispatcher noted it a second later
	s.git("update-ref", "refs/dispatcher/"+fmt.Sprintf("ended/101/1/autorun.yml/1/runner-lost/%d", end+1), string(c.Revision()))
	s.soft(1)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
}

// TestForgedEnds: an end in the ledger that the run does not bear out starts no second
// run and switches nothing off.
func TestForgedEnds(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"cancelled", "runner-lost/1700000000", "superseded/1700000000", "passed", "missing", "failed/1700000000"} {
		t.Run(strings.ReplaceAll(word, "/", " "), func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "")
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			s.git("update-ref", "refs/dispatcher/"+"ended/101/1/autorun.yml/1/"+word, string(c.Revision()))
			s.soft(2)
			if n := len(s.github.Runs()); n != 1 {
				t.Errorf("%d runs: %s", n, s.titles())
			}
			s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit", "success"))
			s.soft(3)
			s.votes(c, map[string]int{"bot": 1})
		})
	}
}

// notFound has GitHub know no run while it is on.
type notFound struct{ on *bool }

// RoundTrip answers for GitHub.
func (n notFound) RoundTrip(r *http.Request) (*http.Response, error) {
	if *n.on && strings.Contains(r.URL.Path, "/actions/runs/") {
		return &http.Response{StatusCode: 404, Status: "404 Not Found", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}`)), Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestRunsNotFoundForAWhile: GitHub answers 404 for all runs for a while.
func TestRunsNotFoundForAWhile(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	on := true
	s.transport = notFound{&on}
	s.ticks(2)
	on = false
	s.ends(testJob("unit", "failure", "boom"))
	s.soft(4)
	s.votes(c, map[string]int{"bot": -1})
}

// TestReportOfAnUnknownWorkflow: report refuses a key that the ledger does not know,
// also of a workflow that is not configured.
func TestReportOfAnUnknownWorkflow(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	a := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(a)
	s.pass(ExitDone)
	s.ends(testJob("unit", "success"))
	s.ticks(1)
	a.RemoveVote("ann", "bot", "Verified")
	id := s.github.AddRun(github.Run{Repository: "example/ci", Workflow: "lint.yml", Title: "Update README", Event: "push", Status: "completed", Conclusion: "success"})
	s.github.SetJobs(id, testJob("lint", "success"))
	n := len(a.Messages())
	s.shows(ExitConfiguration, "report", "--key", "101/1/lint.yml/1", "--run", strconv.FormatInt(id, 10))
	s.votes(a, nil)
	if len(a.Messages()) != n {
		t.Errorf("said: %v", a.Messages()[n:])
	}
}

// TestRefusedOnOneBranch: a vote that is refused on one branch holds up none on another.
func TestRefusedOnOneBranch(t *testing.T) {
	t.Parallel()
	s := reporting(t, "branches: [master, stable]\nlimits: {running: 2}\n")
	s.project.Commit("stable", map[string]string{"stable.md": "x\n"})
	a, b := s.project.Push(gerrit.Draft{Owner: "ann", Subject: "nvme: backport", Branch: "stable"}), s.push("bob", "bdev: fix a leak", nil)
	s.unwritten(b)
	s.gerrit.OnRequest(func(r gerrit.Request) {
		if strings.Contains(r.Path, "101") {
			s.gerrit.Restrict("bot", "Verified", 0, 0)
		} else {
			s.gerrit.Restrict("bot", "Verified", -1, 1)
		}
	})
	s.mirror.SetIssue(github.Issue{Number: 12, Title: "flaky reset"})
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		s.github.SetJobs(r.ID, testJob("unit", "failure", "boom"))
	}
	s.soft(2)
	s.votes(a, nil)
	s.votes(b, map[string]int{"bot": -1})
	s.push("cid", "bdev: another", nil) // busy: a rerun waits for its turn
	s.push("cid", "bdev: and another", nil)
	s.soft(1)
	s.comments(b, "bob", "false positive: #12")
	s.soft(1)
	s.votes(b, map[string]int{})
	s.comments(b, "bob", "cancel")
	s.soft(3)
	s.votes(b, map[string]int{"bot": -1})
}

// TestRightToVoteUpOnly: a -1 is set once the account may vote so.
func TestRightToVoteUpOnly(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.gerrit.Restrict("bot", "Verified", 0, 1)
	s.pass(ExitDone)
	s.ends(testJob("unit", "failure", "boom"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitConfiguration)
	s.soft(1)
	s.gerrit.Restrict("bot", "Verified", -1, 1)
	s.ticks(1)
	s.votes(c, map[string]int{"bot": -1})
}

// TestLabelCorrected: the votes are set once the label has the right name in the
// configuration.
func TestLabelCorrected(t *testing.T) {
	t.Parallel()
	s := telling(t, "report: {label: Verifed}\n")
	c, d := s.push("ann", "nvme: split the probe loop", nil), s.push("bob", "bdev: fix", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		s.github.SetJobs(r.ID, testJob("unit", "success"))
	}
	s.soft(2)
	s.configure(defaultConfig("report: {label: Verified}\n"))
	s.ticks(1)
	s.votes(c, map[string]int{"bot": 1})
	s.votes(d, map[string]int{"bot": 1})
}

// TestVoteOutlivesPrivacy: nobody takes a -1 away by making the change private and public,
// and calling the new run off.
func TestVoteOutlivesPrivacy(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.fails(c)
	c.SetPrivate(true)
	s.ticks(2)
	c.SetPrivate(false)
	s.ticks(1)
	s.comments(c, "ann", "cancel")
	s.pass(ExitDone)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
}

// TestRedWorkflowIsRemoved: the vote follows the configuration.
func TestRedWorkflowIsRemoved(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, docs.yml]\n")
	s.workflow("docs.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		if r.Workflow == "docs.yml" {
			s.github.SetJobs(r.ID, testJob("docs", "failure", "boom"))
		} else {
			s.github.SetJobs(r.ID, testJob("unit tests", "success"))
		}
	}
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
	s.configure(defaultConfig("report: {label: Verified}\nworkflows: [autorun.yml]\n"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
}

// TestEmptyVoteIsRestored: calling off a run that a comment asked for restores the vote on
// a patchset for which nothing was to be run.
func TestEmptyVoteIsRestored(t *testing.T) {
	t.Parallel()
	s := telling(t, "report: {label: Verified}\nworkflows: [{file: autorun.yml, paths: ['lib/**']}]\n")
	c := s.pushFiles("ann", "docs: a typo", map[string]string{"doc/x.md": "x\n"})
	s.unwritten(c)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
	s.comments(c, "ann", "recheck autorun.yml")
	s.pass(ExitDone)
	s.comments(c, "ann", "cancel")
	s.pass(ExitDone)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
}
