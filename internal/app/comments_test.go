// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// comments writes down what somebody writes on a change.
func (s *story) comments(c *gerrit.Change, who, text string) {
	s.clock.advance(15 * time.Minute)
	s.says(fmt.Sprintf("%s writes on %d: %q", who, c.Number(), text))
	c.Reply(who, text)
}

// fails lets the latest run end with a failed test, and reports it.
func (s *story) fails(c *gerrit.Change) {
	s.Helper()
	s.ends(testJob("unit tests", "failure", "not ok 2 - reset"), testJob("docs", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
}

// reportJob is the report of the latest run's own last job.
func (s *story) reportJob(id int64, attempt int, key string) {
	s.Helper()
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"] = strconv.FormatInt(id, 10), strconv.Itoa(attempt), "report"
	s.shows(ExitDone, "report", "--key", key)
}

// TestRecheck follows comments that start work again.
func TestRecheck(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.fails(c)
	s.comments(c, "bob", "Looks good to me.\n> recheck\nI would not recheck this.")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
	s.says("It is not started twice. What was said is read for an hour after the last news, as Gerrit's index may be late, and then no more.")
	for _, reads := range []int{1, 1, 0} {
		s.clock.advance(30 * time.Minute)
		s.pass(ExitDone)
		if got := s.count("/comments"); got != reads {
			t.Errorf("comments were read %d times, want %d: %q", got, reads, s.requests)
		}
	}
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.ends(testJob("unit tests", "success"), testJob("docs", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": 1})
}

// TestRecheckFailed runs only the failed jobs again, within the same run.
func TestRecheckFailed(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.fails(c)
	id := s.github.Runs()[0].ID
	s.comments(c, "ann", "recheck failed")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.runs("101/1/autorun.yml/1")
	if got := s.github.Runs()[0].Attempt; got != 2 {
		t.Errorf("got attempt %d of the run, want 2", got)
	}
	s.says("The report job of the repeated run knows the key that the run began with.")
	s.ends(testJob("unit tests", "success"), testJob("docs", "success"), github.Job{Name: "report", Status: "in_progress"})
	s.reportJob(id, 2, "101/1/autorun.yml/1")
	s.gerritShows(c, map[string]int{"bot": 1})
	s.github.SetRunState(id, "completed", "success")
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.says("GitHub does not repeat old runs: a new one does as well.")
	old := s.push("bob", "bdev: fix a leak", nil)
	s.pass(ExitDone)
	s.fails(old)
	s.clock.advance(31 * 24 * time.Hour)
	s.comments(old, "bob", "recheck failed")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1", "102/1/autorun.yml/2")
}

// TestFalsePositive notes a known failure on its issue, once.
func TestFalsePositive(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.mirror.SetIssue(github.Issue{Number: 12, Title: "reset test is flaky"})
	s.mirror.SetIssue(github.Issue{Number: 13, Title: "done", Closed: true})
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.comments(c, "ann", "false positive: #12")
	s.pass(ExitDone)
	s.gerritShows(c, nil)
	s.fails(c)
	s.comments(c, "ann", "false positive: #13, #14")
	s.pass(ExitDone)
	s.comments(c, "ann", "false positive: #12")
	s.pass(ExitDone)
	s.gerritShows(c, nil) // the vote is taken back
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	comments := s.mirror.Comments(12)
	if len(comments) != 1 {
		t.Fatalf("got %d comments on the issue, want 1", len(comments))
	}
	for line := range strings.Lines(s.plain(comments[0].Body)) {
		s.transcript.WriteString("issue 12: " + line)
	}
	s.transcript.WriteString("\n")
	if got := s.github.Runs()[0].Attempt; got != 2 {
		t.Errorf("got attempt %d of the run, want 2", got)
	}
}

// TestCancelByComment stops work, and starts it again.
func TestCancelByComment(t *testing.T) {
	t.Parallel()
	s := reporting(t, "limits: {per-pass: 1}\n")
	first := s.push("ann", "nvme: split the probe loop", nil)
	second := s.push("ann", "bdev: fix a leak", nil)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.comments(first, "ann", "cancel")
	s.comments(second, "ann", "cancel")
	s.pass(ExitDone)
	s.gerritShows(first, nil)
	s.gerritShows(second, nil)
	s.runs("101/1/autorun.yml/1")
	s.ends(testJob("unit tests", "cancelled"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(first, nil)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.comments(second, "ann", "recheck")
	s.comments(first, "ann", "recheck")
	s.pass(ExitDone)
	s.says("A limit holds one of them, and it is not forgotten.")
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2", "102/1/autorun.yml/2")
}

// TestCommandsWithoutARun asks where nothing has run, or may run.
func TestCommandsWithoutARun(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [{file: autorun.yml, paths: ['lib/**']}]\n")
	docs := s.pushFiles("ann", "doc: mend a link", map[string]string{"doc/a.md": "a\n"})
	draft := s.pushFiles("ann", "lib: half an idea", map[string]string{"lib/a.c": "a\n"})
	draft.SetWIP(true)
	s.pass(ExitDone)
	s.comments(docs, "ann", "recheck")
	s.comments(draft, "ann", "recheck")
	s.pass(ExitDone)
	s.gerritShows(docs, map[string]int{"bot": 1})
	s.gerritShows(draft, nil)
	s.runs()
	s.comments(docs, "ann", "recheck autorun")
	s.says("The draft is ready now: that alone starts it.")
	draft.SetWIP(false)
	s.pass(ExitDone)
	s.gerritShows(docs, map[string]int{"bot": 1})
	s.runs("102/1/autorun.yml/1", "101/1/autorun.yml/1")
}

// TestWhoIsObeyed covers permissions, haste, help, and what is nearly a command.
func TestWhoIsObeyed(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.configure(defaultConfig("report: {label: Verified, commands: {owner: true, groups: [core], cool-down: 20m}}\n"))
	s.gerrit.Group("core", "cora")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.fails(c)
	s.comments(c, "eve", "recheck")
	s.pass(ExitDone)
	s.comments(c, "eve", "help")
	s.comments(c, "bob", "re-check")
	s.pass(ExitDone)
	s.comments(c, "cora", "recheck")
	s.pass(ExitDone)
	s.fails(c)
	s.comments(c, "ann", "recheck")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.comments(c, "ann", "recheck")
	s.comments(c, "bot", "recheck")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.says("Nobody is obeyed where commands are off.")
	s.configure(defaultConfig("report: {label: Verified, commands: {off: true}}\n"))
	s.comments(c, "ann", "help")
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
}

// TestStartedMessage tells when runs start, and takes an old vote back.
func TestStartedMessage(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.configure(defaultConfig("report: {label: Verified, started: reset}\nworkflows: [autorun.yml, docs.yml]\n"))
	s.workflow("docs.yml", strings.ReplaceAll(autorun, "name: autorun", "name: docs"))
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.gerritShows(c, nil)
	s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "failure"))
	s.github.SetJobs(s.github.Runs()[1].ID, testJob("links", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	s.comments(c, "ann", "recheck autorun.yml")
	s.pass(ExitDone)
	s.gerritShows(c, nil)
}

// TestPostMerge tests the branch after a change was merged into it.
func TestPostMerge(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.configure(defaultConfig("report: {label: Verified}\nworkflows: [autorun.yml, {file: after.yml, post-merge: true}]\n"))
	s.workflow("after.yml", strings.ReplaceAll(autorun, "name: autorun", "name: after\n# on the branch"))
	low := s.push("ann", "nvme: split the probe loop", nil)
	high := s.push("ann", "nvme: use it", low)
	s.pass(ExitDone)
	s.says("Both are merged at once: the branch is tested once, for the last of them.")
	low.Submit()
	high.Submit()
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	runs := s.github.Runs()
	last := runs[len(runs)-1]
	if last.Inputs["revision"] != string(s.project.Tip("master")) || last.Workflow != "after.yml" {
		t.Errorf("got %s on %s, want after.yml on %s", last.Workflow, last.Inputs["revision"], s.project.Tip("master"))
	}
	s.ends(testJob("soak", "failure", "leaked 3 bdevs"), github.Job{Name: "report", Status: "in_progress"})
	s.reportJob(last.ID, 1, "102/1/after.yml/1")
	s.gerritShows(high, nil)
	s.says("That is told, and no vote is tried; the runs of the patchsets are stopped, and this one is left alone.")
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1", "102/1/after.yml/1")
}

// TestRedParent lets a patchset wait for the one below it.
func TestRedParent(t *testing.T) {
	t.Parallel()
	s := reporting(t, "red-parents: hold\n")
	low := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.fails(low)
	high := s.push("ann", "nvme: use it", low)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.comments(high, "ann", "recheck")
	s.pass(ExitDone)
	s.gerritShows(high, nil)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1")
}

// TestDependsOn shows what a patchset says it depends on.
func TestDependsOn(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.push("ann", "nvme: split the probe loop", nil)
	c := s.project.Push(gerrit.Draft{Owner: "ann", Subject: "nvme: use it",
		Footer: "Depends-On: https://review.example.org/c/spdk/spdk/+/101\nDepends-On: https://elsewhere.example.org/9 ::error::made up\n"})
	s.pass(ExitDone)
	s.github.SetJobs(s.github.Runs()[0].ID, testJob("unit tests", "success"))
	s.ends(testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": 1})
}
