// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// lostJob is a job whose runner went away while it tested.
func lostJob(name string) github.Job {
	j := testJob(name, "failure")
	j.Steps[1].Conclusion, j.Steps[1].Status = "", "in_progress"
	j.Annotations = []github.Annotation{{Level: "failure", Path: ".github", Text: "The self-hosted runner: runner-1 lost communication with the server."}}
	return j
}

// ticks makes passes, a quarter of an hour apart.
func (s *story) ticks(n int) {
	s.Helper()
	for range n {
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
	}
}

// votes compares the votes on a change.
func (s *story) votes(c *gerrit.Change, want map[string]int) {
	s.Helper()
	got := c.Votes()["Verified"]
	if len(got) != len(want) || got["bot"] != want["bot"] {
		s.Errorf("change %d: got votes %v, want %v", c.Number(), got, want)
	}
}

// TestStateOfChange: a change that was left alone for a while is tested again with
// the same patchset, whatever it was left alone for.
func TestStatesThatCameBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		leave, back func(*gerrit.Change)
	}{
		{"abandoned", (*gerrit.Change).Abandon, (*gerrit.Change).Restore},
		{"work in progress", func(c *gerrit.Change) { c.SetWIP(true) }, func(c *gerrit.Change) { c.SetWIP(false) }},
		{"private", func(c *gerrit.Change) { c.SetPrivate(true) }, func(c *gerrit.Change) { c.SetPrivate(false) }},
		{"on another branch", func(c *gerrit.Change) { c.Move("side") }, func(c *gerrit.Change) { c.Move("master") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "branches: [master]\n")
			s.project.Commit("side", map[string]string{"side.md": "side\n"})
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.pass(ExitDone)
			tt.leave(c)
			s.ticks(2)
			if run := s.github.Runs()[0]; run.Conclusion != "cancelled" {
				t.Errorf("got %s/%s, want the run to be cancelled", run.Status, run.Conclusion)
			}
			tt.back(c)
			s.ticks(1)
			s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
			s.ends(testJob("unit tests", "success"))
			s.ticks(1)
			s.votes(c, map[string]int{"bot": 1})
			s.transcript.Reset()
		})
	}
}

// TestResultWhileAway: a run that ended by itself before it could be cancelled has
// a result; it is told when the change is back.
func TestResultWhileAway(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	c.SetWIP(true)
	s.ends(testJob("unit tests", "failure", "not ok 1"))
	s.ticks(2)
	s.votes(c, nil)
	c.SetWIP(false)
	s.says("It is ready again: the result stands, and nothing runs twice.")
	s.ticks(2)
	s.runs("101/1/autorun.yml/1")
	s.gerritShows(c, map[string]int{"bot": -1})
}

// TestHiddenChange: a change that our account cannot see any more has its run
// cancelled, and its refs leave the mirror.
func TestHiddenChange(t *testing.T) {
	t.Parallel()
	t.Run("never spoken on", func(t *testing.T) { hiddenChange(t, false) })
	// Who has said something on a change goes on seeing it.
	t.Run("spoken on", func(t *testing.T) { hiddenChange(t, true) })
}

func hiddenChange(t *testing.T, spoken bool) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: a secret", nil)
	if spoken {
		c.Comment("bot", "Hello.")
	}
	s.pass(ExitDone)
	s.clock.advance(15 * time.Minute)
	c.SetPrivate(true)
	s.ticks(3)
	for name, rev := range s.mirror.Refs() {
		if rev == string(c.Revision()) {
			t.Errorf("the mirror still has %s", name)
		}
	}
	s.says("And it is public again.")
	c.SetPrivate(false)
	s.ticks(1)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.votes(c, map[string]int{"bot": 1})
}

// TestRetrySchedule: runners that are lost all day are tried again at once, then
// later; the owner is mailed once, when CI gives up.
func TestRetrySchedule(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	for range 5 {
		s.ends(lostJob("unit tests"))
		s.says("The runner is lost.")
		s.clock.advance(11 * time.Minute)
		s.pass(ExitDone)
		for n := 0; n < 30 && len(s.github.Runs())%6 != 0 && s.github.Runs()[len(s.github.Runs())-1].Status == "completed"; n++ {
			s.clock.advance(time.Hour)
			s.run(t.Context(), "sync")
		}
	}
	s.gerritShows(c, map[string]int{})
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "101/1/autorun.yml/3", "101/1/autorun.yml/4", "101/1/autorun.yml/5")
	created := s.github.Runs()
	for i, least := range []time.Duration{0, time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if gap := created[i+1].Created.Sub(created[i].Created); gap < least || gap > least+2*time.Hour {
			t.Errorf("retry %d came after %s, want about %s", i+1, gap, least)
		}
	}
	s.says("A comment begins anew.")
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": 1})
}

// TestCancelRestoresTheVote: nobody takes a -1 away by asking for a run and calling
// it off.
func TestCancelRestoresTheVote(t *testing.T) {
	t.Parallel()
	t.Run("recheck", func(t *testing.T) {
		t.Parallel()
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.pass(ExitDone)
		s.fails(c)
		s.comments(c, "ann", "recheck")
		s.pass(ExitDone)
		s.comments(c, "ann", "cancel")
		s.pass(ExitDone)
		s.ticks(2)
		s.gerritShows(c, map[string]int{"bot": -1})
		s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
	})
	t.Run("false positive", func(t *testing.T) {
		t.Parallel()
		s := reporting(t, "limits: {running: 1}\n")
		s.mirror.SetIssue(github.Issue{Number: 12, Title: "flaky reset"})
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.pass(ExitDone)
		s.fails(c)
		other := s.push("bob", "bdev: fix", nil)
		s.pass(ExitDone)
		s.comments(c, "ann", "false positive: #12")
		s.pass(ExitDone)
		s.votes(c, map[string]int{})
		s.says("It waits for its turn, and is called off.")
		s.clock.advance(5 * time.Minute)
		s.comments(c, "ann", "cancel")
		s.pass(ExitDone)
		s.ticks(1)
		s.gerritShows(c, map[string]int{"bot": -1})
		_ = other
	})
}

// TestRedIsToldAtOnce: a failure does not wait for what waits at a gate.
func TestRedIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [autorun.yml, {file: metal.yml, trust: {label: Allow-CI}}]\n")
	s.workflow("metal.yml", autorun)
	c := s.push("ann", "nvme: split the probe loop", nil)
	green := s.push("ann", "nvme: another", nil)
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		key, _ := change.KeyOfRun(r.Title)
		if conclusion := "failure"; key.Change == c.Number() {
			s.github.SetJobs(r.ID, testJob("unit", conclusion, "boom"))
		} else {
			s.github.SetJobs(r.ID, testJob("unit", "success"))
		}
	}
	s.ticks(1)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.gerritShows(green, nil)
	s.ticks(2)
	s.votes(green, nil)
}

// TestForgedRecords: whoever may write to the mirror cannot make us vote, nor be
// silent.
func TestForgedRecords(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	a := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	run := s.ends(testJob("unit", "success"))
	b := s.push("eve", "evil: open a door", nil)
	c := s.push("eve", "evil: open another", nil)
	d := s.push("eve", "evil: and one more", nil)
	forge := func(name string) {
		cmd := exec.Command("git", "update-ref", "refs/dispatcher/"+name, string(a.Revision()))
		cmd.Dir = s.mirror.Dir()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	forge("claims/102/1/autorun.yml/1")
	forge("runs/102/1/autorun.yml/1/" + strconv.FormatInt(run, 10))
	forge("ended/103/1/autorun.yml/1/passed")
	forge("runs/104/1/autorun.yml/1/" + strconv.FormatInt(run, 10))
	forge("ended/104/1/autorun.yml/1/passed/1700000000")
	s.ticks(2)
	s.votes(a, map[string]int{"bot": 1})
	for _, c := range []*gerrit.Change{b, c, d} {
		s.votes(c, nil)
	}
	s.ticks(2)
	got := map[int]bool{}
	for _, r := range s.github.Runs() {
		key, _ := change.KeyOfRun(r.Title)
		got[key.Change] = true
	}
	for _, c := range []*gerrit.Change{b, c, d} {
		if !got[c.Number()] {
			t.Errorf("change %d was never tested", c.Number())
		}
	}
	if !strings.Contains(s.transcript.String(), "does not count") {
		t.Error("nobody was warned")
	}
	s.transcript.Reset()
}

// TestRefusedVote: a vote that Gerrit does not take is a problem of every pass
// until somebody gives the right; then it is set by itself, once.
func TestRefusedVote(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.gerrit.Restrict("bot", "Verified", 0, 0)
	a, b := s.push("ann", "nvme: split the probe loop", nil), s.push("bob", "bdev: fix a leak", nil)
	s.pass(ExitDone)
	for _, r := range s.github.Runs() {
		s.github.SetJobs(r.ID, testJob("unit tests", "success"))
	}
	for range 2 {
		s.clock.advance(15 * time.Minute)
		s.pass(ExitConfiguration)
	}
	if n := len(a.Messages()) + len(b.Messages()); n != 4 {
		t.Errorf("got %d messages on both changes, want one upload and one verdict each", n)
	}
	s.says("The right is given.")
	s.gerrit.Restrict("bot", "Verified", -1, 1)
	s.ticks(1)
	s.gerritShows(a, map[string]int{"bot": 1})
	s.votes(b, map[string]int{"bot": 1})
	s.says("A person takes one of the votes away; that is left alone.")
	a.RemoveVote("ann", "bot", "Verified")
	s.ticks(2)
	s.votes(a, nil)
}

// TestMissingLabel: the labels that there are are named.
func TestMissingLabel(t *testing.T) {
	t.Parallel()
	s := begin(t, "report: {label: Verifed}\n")
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	s.gerrit.Account("bot")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitConfiguration)
	s.gerritShows(c, nil)
}

// TestOwnMessages: Gerrit takes user names whatever their case; ours are known by
// the account's number, and nobody can pass for us by the spelling of a name.
func TestOwnMessages(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.env["GERRIT_USERNAME"] = "Bot"
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	id := s.ends(testJob("unit", "failure", "boom"), github.Job{Name: "report", Status: "in_progress"})
	s.reportJob(id, 1, "101/1/autorun.yml/1")
	s.reportJob(id, 1, "101/1/autorun.yml/1")
	s.github.SetRunState(id, "completed", "failure")
	s.ticks(2)
	n := 0
	for _, m := range c.Messages() {
		if strings.Contains(m.Text, "outcome=failed") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the verdict was told %d times, want once", n)
	}
	s.votes(c, map[string]int{"bot": -1})
	s.transcript.Reset()
}

// TestReportOfAnotherRun: report tells only of the run that the dispatcher started
// for the key.
func TestReportOfAnotherRun(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	a, b := s.push("ann", "nvme: split the probe loop", nil), s.push("bob", "bdev: fix a leak", nil)
	s.pass(ExitDone)
	runs := s.github.Runs()
	for _, r := range runs {
		s.github.SetJobs(r.ID, testJob("unit", "success"))
	}
	number := func(i int) string { return strconv.FormatInt(runs[i].ID, 10) }
	s.says("The run of another change, a run that nobody started, and an attempt that is not there.")
	s.shows(ExitConfiguration, "report", "--key", "101/1/autorun.yml/1", "--run", number(1))
	s.shows(ExitConfiguration, "report", "--key", "102/1/autorun.yml/1", "--run", "4711")
	s.shows(ExitConfiguration, "report", "--key", "101/1/autorun.yml/2", "--run", number(0))
	s.says("A patchset that is not there.")
	s.shows(ExitConfiguration, "report", "--key", "101/7/autorun.yml/1", "--run", number(0))
	s.votes(a, nil)
	s.votes(b, nil)
	s.says("And the right one.")
	s.shows(ExitDone, "report", "--key", "101/1/autorun.yml/1", "--run", number(0))
	s.votes(a, map[string]int{"bot": 1})
}

// TestNothingToRun: filters leave out every required workflow.
func TestNothingToRun(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"vote", "silent"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := begin(t, "report: {label: Verified, nothing-to-run: "+policy+"}\nworkflows: [{file: autorun.yml, paths: ['lib/**']}, {file: docs.yml, optional: true}]\n")
			s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
			s.gerrit.Account("bot")
			s.workflow("docs.yml", autorun)
			c := s.pushFiles("ann", "docs: a typo", map[string]string{"doc/x.md": "x\n"})
			s.ticks(3)
			want := map[string]int{"bot": 1}
			if policy == "silent" {
				want = nil
			}
			s.gerritShows(c, want)
			s.says("The next patchset touches the library.")
			c.Amend(map[string]string{"lib/x.c": "x\n"})
			s.ticks(1)
			for _, r := range s.github.Runs() {
				if r.Workflow == "autorun.yml" {
					s.github.SetJobs(r.ID, testJob("unit", "failure", "boom"))
				}
			}
			s.ticks(1)
			s.votes(c, map[string]int{"bot": -1})
		})
	}
}
