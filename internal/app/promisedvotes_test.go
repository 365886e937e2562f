// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestChainOfRebases: five rebases while the run goes on, one of them unseen.
func TestChainOfRebases(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	for i := range 5 {
		s.rebased(c)
		if i != 2 {
			s.ticks(1)
		}
	}
	s.ends(testJob("unit", "failure", "boom"))
	s.ticks(3)
	s.votes(c, map[string]int{"bot": -1})
	s.runs("101/1/autorun.yml/1")
	s.rebased(c)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
	s.comments(c, "ann", "recheck failed")
	s.soft(1)
	s.ends(testJob("unit", "success"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
	s.rebased(c)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
}

// TestReworkEndsTheWait: a rework that comes while a run is waited for has it
// cancelled, and a later rebase waits for the run of the rework.
func TestReworkEndsTheWait(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.rebased(c)
	s.ticks(1)
	c.Amend(map[string]string{"lib/x.c": "y"})
	s.ticks(1)
	s.rebased(c)
	s.ticks(1)
	s.runs("101/1/autorun.yml/1", "101/3/autorun.yml/1")
	if runs := s.github.Runs(); runs[0].Conclusion != "cancelled" || runs[1].Status == "completed" {
		t.Errorf("got %s and %s, want the first run cancelled and the second to go on", runs[0].Conclusion, runs[1].Status)
	}
	s.ends(testJob("unit", "success"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
}

// TestCarryPolicyChanges: a patchset that waits runs once the policy says so; what
// was carried stays.
func TestCarryPolicyChanges(t *testing.T) {
	t.Parallel()
	s := reporting(t, carrying)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	run := func() { s.configure(defaultConfig("report: {label: Verified}\nworkflows: [autorun.yml]\n")) }
	s.pass(ExitDone)
	s.rebased(c)
	s.ticks(1)
	run()
	s.ticks(2)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1")
	if got := s.github.Runs()[0].Conclusion; got != "cancelled" {
		t.Errorf("the first run: got %q, want it cancelled", got)
	}
	s.ends(testJob("unit", "success"))
	s.ticks(2)
	s.configure(defaultConfig("report: {label: Verified}\n" + carrying))
	s.rebased(c)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
	run()
	s.ticks(2)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1")
	s.votes(c, map[string]int{"bot": 1})
}

// TestDeletedChange: the run of a change that is deleted is cancelled, and its refs
// leave the mirror.
func TestDeletedChange(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	rev := string(c.Revision())
	c.Delete()
	s.ticks(3)
	if got := s.github.Runs()[0].Conclusion; got != "cancelled" {
		t.Errorf("the run: got %q, want it cancelled", got)
	}
	for name, at := range s.mirror.Refs() {
		if at == rev {
			t.Errorf("the mirror still has %s", name)
		}
	}
}

// dies lets so many requests pass and fails all others.
type dies struct{ left *atomic.Int64 }

// RoundTrip sends a request while there are some left.
func (d dies) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.left.Add(-1) < 0 {
		return nil, errors.New("connection reset by peer")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestKilledWhileCancelling: wherever the pass is cut off that cancels the run of a
// change that is left alone, the change is tested when it is back.
func TestKilledWhileCancelling(t *testing.T) {
	t.Parallel()
	for n := int64(6); n < 24; n += 2 {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.pass(ExitDone)
		s.github.SetJobs(s.github.Runs()[0].ID, github.Job{Name: "unit", Status: "in_progress", Runner: "r"})
		c.SetWIP(true)
		var left atomic.Int64
		left.Store(n)
		s.transport = dies{&left}
		s.soft(1)
		s.transport = nil
		c.SetWIP(false)
		s.soft(3)
		if runs := s.github.Runs(); runs[len(runs)-1].Status == "completed" {
			t.Errorf("cut off after %d requests: nothing runs any more: %s", n, s.titles())
		}
		s.ends(testJob("unit", "success"))
		s.soft(2)
		s.votes(c, map[string]int{"bot": 1})
		s.transcript.Reset()
	}
}

// TestLeftBesideAnother: the report of another workflow does not take a run that we
// cancelled for an end.
func TestLeftBesideAnother(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, docs.yml]\n")
	s.workflow("docs.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	var docs int64
	for _, r := range s.github.Runs() {
		if r.Workflow == "docs.yml" {
			docs = r.ID
			s.github.SetJobs(r.ID, testJob("docs", "success"))
		} else {
			s.github.SetJobs(r.ID, github.Job{Name: "unit", Status: "in_progress", Runner: "r"})
		}
	}
	c.SetWIP(true)
	s.ticks(1)
	c.SetWIP(false)
	s.env["INPUT_NEEDS"] = `{"docs":{"result":"success"}}`
	s.reportJob(docs, 1, "101/1/docs.yml/1")
	s.votes(c, nil)
	s.ticks(2)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "101/1/docs.yml/1")
	s.votes(c, nil)
	s.ends(testJob("unit", "success"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
}

// TestRerunLeftAlone: a rerun that is cancelled because the change is left alone is
// started anew, and calling that off restores the vote.
func TestRerunLeftAlone(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.mirror.SetIssue(github.Issue{Number: 12, Title: "flaky reset"})
	s.pass(ExitDone)
	s.fails(c)
	s.comments(c, "ann", "false positive: #12")
	s.soft(1)
	s.votes(c, map[string]int{})
	id := s.github.Runs()[0].ID
	s.github.SetJobs(id, github.Job{Name: "unit tests", Status: "in_progress", Runner: "r"})
	s.github.SetRunState(id, "in_progress", "")
	c.SetWIP(true)
	s.ticks(1)
	c.SetWIP(false)
	s.ticks(3)
	if runs := s.github.Runs(); runs[len(runs)-1].Status == "completed" {
		t.Errorf("nothing runs any more: %s", s.titles())
	}
	s.comments(c, "ann", "cancel")
	s.ticks(3)
	s.votes(c, map[string]int{"bot": -1})
}

// TestExcusedWhileLeftAlone: a failure that is called known, and called off while the
// change is work in progress.
func TestExcusedWhileLeftAlone(t *testing.T) {
	t.Parallel()
	s := reporting(t, "limits: {running: 1}\n")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.mirror.SetIssue(github.Issue{Number: 12, Title: "flaky reset"})
	s.pass(ExitDone)
	s.fails(c)
	s.push("bob", "bdev: fix", nil) // it is busy, so the rerun waits
	s.ticks(1)
	s.comments(c, "ann", "false positive: #12")
	s.soft(1)
	s.votes(c, map[string]int{})
	c.SetWIP(true)
	s.ticks(1)
	s.comments(c, "ann", "cancel")
	s.ticks(2)
	c.SetWIP(false)
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
}

// TestPrivateAgainAndAgain: a change is made private and public several times.
func TestPrivateAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	for i := range 4 {
		runs := s.github.Runs()
		s.github.SetJobs(runs[len(runs)-1].ID, github.Job{Name: "unit", Status: "in_progress", Runner: "r"})
		c.SetPrivate(true)
		s.ticks(1 + i%3)
		c.SetPrivate(false)
		s.ticks(2)
	}
	s.ends(testJob("unit", "success"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": 1})
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "101/1/autorun.yml/3", "101/1/autorun.yml/4", "101/1/autorun.yml/5")
}

// TestRetrySettings: no retries, and waits of one entry.
func TestRetrySettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, settings string
		gaps           []time.Duration
	}{
		{"none", "retries: 0", nil},
		{"one entry", "retries: 2, retry-after: [2h]", []time.Duration{2 * time.Hour, 2 * time.Hour}},
		{"at once", "retries: 2, retry-after: [0]", []time.Duration{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := telling(t, "report: {label: Verified, "+tt.settings+"}\n")
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			var ended []time.Time
			for runs := s.github.Runs(); len(ended) < len(runs); runs = s.github.Runs() {
				s.ends(lostJob("unit"))
				ended = append(ended, s.clock.Now())
				for i := 0; i < 20 && len(s.github.Runs()) == len(runs); i++ {
					s.clock.advance(15 * time.Minute)
					s.run(t.Context(), "sync")
				}
			}
			runs := s.github.Runs()
			if len(runs) != len(tt.gaps)+1 {
				t.Fatalf("got %s, want %d runs", s.titles(), len(tt.gaps)+1)
			}
			for i, least := range tt.gaps {
				if gap := runs[i+1].Created.Sub(ended[i]); gap < least || gap > least+45*time.Minute {
					t.Errorf("retry %d came after %s, want about %s", i+1, gap, least)
				}
			}
			if n := s.mails(c); n == 0 || !strings.Contains(s.stdout, "no verdict") {
				t.Errorf("got %d mails and %s", n, s.stdout)
			}
		})
	}
}

// TestRedByConfiguration: a time-out that is configured to be red does not wait for
// a gate, and is restored like any other.
func TestRedByConfiguration(t *testing.T) {
	t.Parallel()
	s := telling(t, "report: {label: Verified, votes: {timed-out: -1}}\nworkflows: [autorun.yml, {file: metal.yml, trust: {label: Allow-CI}}]\n")
	s.workflow("metal.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.ends(testJob("unit", "timed_out"))
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
	s.comments(c, "ann", "recheck")
	s.soft(1)
	s.comments(c, "ann", "cancel")
	s.ticks(2)
	s.votes(c, map[string]int{"bot": -1})
}

// TestMessagesWithoutALabel: red and carried results are told once where there is
// no label.
func TestMessagesWithoutALabel(t *testing.T) {
	t.Parallel()
	s := telling(t, "report: {messages: true}\n"+strings.Replace(carrying, "[", "[{file: metal.yml, trust: {label: Allow-CI}}, ", 1))
	s.workflow("metal.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	told := func(want int) {
		t.Helper()
		n := 0
		for _, m := range c.Messages() {
			if strings.Contains(m.Text, "outcome=failed") {
				n++
			}
		}
		if n != want {
			t.Errorf("told %d times, want %d", n, want)
		}
	}
	s.pass(ExitDone)
	s.ends(testJob("unit", "failure", "boom"))
	s.ticks(2)
	told(1)
	s.rebased(c)
	s.ticks(3)
	told(2)
	s.votes(c, nil)
}

// TestClocksThatDiffer: Gerrit's clock is three hours off.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "", func(o *servers) {
				now := o.gerrit.Now
				o.gerrit.Now = func() time.Time { return now().Add(skew) }
			})
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			id := s.github.Runs()[0].ID
			s.github.SetJobs(id, github.Job{Name: "unit", Status: "in_progress"}, github.Job{Name: "report", Status: "queued", Always: true})
			c.SetWIP(true)
			s.ticks(1)
			s.github.SetJobs(id, testJob("unit", "cancelled"), testJob("report", "success"))
			s.github.SetRunState(id, "completed", "cancelled")
			s.ticks(1)
			c.SetWIP(false)
			s.ticks(2)
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
			s.ends(lostJob("unit"))
			s.ticks(2)
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "101/1/autorun.yml/3")
			s.ends(testJob("unit", "failure", "boom"))
			s.ticks(2)
			s.votes(c, map[string]int{"bot": -1})
			s.comments(c, "ann", "recheck")
			s.soft(1)
			s.comments(c, "ann", "cancel")
			s.ticks(3)
			s.votes(c, map[string]int{"bot": -1})
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "101/1/autorun.yml/3", "101/1/autorun.yml/4")
		})
	}
}

// TestDeletedRefs: whoever deletes refs of the ledger causes no second run, message
// or vote.
func TestDeletedRefs(t *testing.T) {
	t.Parallel()
	for _, kinds := range []string{"claims", "runs", "ended", "scanned", "claims ended", "claims runs", "runs ended", "claims runs ended"} {
		t.Run(kinds, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "")
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.unwritten(c)
			s.pass(ExitDone)
			s.fails(c)
			n := len(c.Messages())
			for name := range s.mirror.Refs() {
				for _, kind := range strings.Fields(kinds) {
					if strings.HasPrefix(name, "refs/dispatcher/"+kind+"/") {
						s.git("update-ref", "-d", name)
					}
				}
			}
			s.soft(3)
			s.votes(c, map[string]int{"bot": -1})
			if more := len(c.Messages()) - n; more != 0 || len(s.github.Runs()) != 1 {
				t.Errorf("got %d more messages and the runs %s", more, s.titles())
			}
		})
	}
}

// git runs git in the mirror, as somebody else who may write there.
func (s *story) git(args ...string) {
	s.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.mirror.Dir()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("git %q: %v: %s", args, err, out)
	}
}

// TestRemovedVoteStaysRemoved: a person removed the vote; a rerun that is called off
// restores what stood before it, which is none.
func TestRemovedVoteStaysRemoved(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.fails(c)
	c.RemoveVote("ann", "bot", "Verified")
	s.ticks(1)
	s.comments(c, "ann", "recheck")
	s.soft(1)
	s.comments(c, "ann", "cancel")
	s.ticks(3)
	s.votes(c, map[string]int{})
}

// TestRunOfARemovedWorkflow: a workflow leaves the configuration while its run goes
// on, and then the change becomes private.
func TestRunOfARemovedWorkflow(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, old.yml]\n")
	s.workflow("old.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.configure(defaultConfig("report: {label: Verified}\nworkflows: [autorun.yml]\n"))
	c.SetPrivate(true)
	s.ticks(4)
	for _, r := range s.github.Runs() {
		if r.Status != "completed" {
			t.Errorf("%s goes on", r.Title)
		}
	}
	for name, at := range s.mirror.Refs() {
		if at == string(c.Revision()) {
			t.Errorf("the mirror still has %s", name)
		}
	}
}
