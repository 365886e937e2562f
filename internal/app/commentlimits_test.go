// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// Stories of people who comment too much, or too early for Gerrit's index. What a
// user sees of them is told only where one fails.

// notes counts the comments on 25 issues.
func (s *story) notes() (n int) {
	for issue := 1; issue <= 25; issue++ {
		n += len(s.mirror.Comments(issue))
	}
	return n
}

// TestFloodOfFalsePositives: one person writes on five issues for a patchset, on each
// once, however often it is asked for; a stranger on none.
func TestFloodOfFalsePositives(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	var flood strings.Builder
	for n := 1; n <= 25; n++ {
		s.mirror.SetIssue(github.Issue{Number: n, Title: "flaky"})
		fmt.Fprintf(&flood, "%s#%d", map[bool]string{true: "\nfalse positive: ", false: ", "}[n%5 == 1], n)
	}
	c := s.push("mallory", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "failure", "BUY AT evil.example @everybody #1"))
	s.soft(1)
	c.Comment("eve", "false positive: #1")
	s.soft(1)
	if s.notes() != 0 || c.Votes()["Verified"]["bot"] != -1 {
		t.Errorf("a stranger made %d notes, and the vote is %v", s.notes(), c.Votes())
	}
	for range 10 {
		c.Comment("mallory", flood.String())
	}
	s.soft(2)
	c.Comment("mallory", "false positive: #6")
	c.Comment("mallory", "false positive: #1")
	s.soft(1)
	for n := 1; n <= 25; n++ {
		if got, want := len(s.mirror.Comments(n)), map[bool]int{true: 1}[n <= 5]; got != want {
			t.Errorf("got %d notes on issue %d, want %d", got, n, want)
		}
	}
	if got := s.count("/issues/6"); got != 0 {
		t.Errorf("got %d requests about an issue beyond the limit", got)
	}
}

// TestStrangersDeafenNobody: twenty calls for help get one list, and the owner is
// heard.
func TestStrangersDeafenNobody(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.configure(defaultConfig("report: {label: Verified, commands: {owner: true}}\n"))
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "failure", "not ok"))
	s.soft(1)
	for range 20 {
		c.Comment("eve", "help")
		s.soft(1)
	}
	lists := 0
	for _, m := range c.Messages() {
		if m.Author == "bot" && strings.Contains(m.Text, "- `help`: this list") {
			lists++
			if got := strings.Join(m.Mailed, " "); got != "eve" {
				t.Errorf("the list was mailed to %q, want it to eve", got)
			}
		}
	}
	if lists != 1 || !strings.Contains(s.stdout+s.stderr, "101/1: 19 comments of eve are not answered") {
		t.Errorf("got %d lists, want one and a word on the others in\n%s%s", lists, s.stdout, s.stderr)
	}
	c.Reply("ann", "recheck")
	s.soft(1)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
}

// TestCommentsThatAreShownLate: a comment is obeyed once, however late Gerrit's index
// shows it, and whatever was said and answered meanwhile.
func TestCommentsThatAreShownLate(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{time.Second, time.Minute, 50 * time.Minute} {
		t.Run(lag.String(), func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "")
			a := s.push("ann", "nvme: split the probe loop", nil)
			b := s.push("bob", "bdev: fix a leak", nil)
			s.unwritten(a)
			s.pass(ExitDone)
			for _, run := range s.github.Runs() {
				s.github.SetJobs(run.ID, testJob("unit tests", "success"))
				s.github.SetRunState(run.ID, "completed", "success")
			}
			s.soft(2)
			stale := func(c *gerrit.Change) { a.Reply("ann", "recheck"); c.Reply("bob", "recheck") }
			stale(b)
			s.gerrit.SetLag(0)
			s.soft(1)
			s.gerrit.SetLag(lag)
			s.clock.advance(15 * time.Minute)
			a.Reply("ann", "recheck")
			s.clock.advance(lag / 2)
			b.Reply("bob", "recheck")
			for range 8 {
				s.clock.advance(lag/4 + time.Second)
				s.run(s.Context(), "sync")
				s.written(0, "sync")
			}
			s.soft(8)
			for _, c := range []*gerrit.Change{a, b} {
				answers := 0
				for _, m := range c.Messages() {
					if m.Author == "bot" && strings.Contains(m.Text, "> recheck") {
						answers++
					}
				}
				if answers != 2 {
					t.Errorf("%d: got %d answers, want 2", c.Number(), answers)
				}
			}
		})
	}
}

// TestOtherBranchesOfOneAccount: two dispatchers with one account test a branch each,
// and no comment is lost because the other one saw it first.
func TestOtherBranchesOfOneAccount(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	ours := defaultConfig("branches: [master]\nreport: {label: Verified}\n")
	theirs := strings.NewReplacer("[master]", "[v24.x]", "mirror: example/spdk",
		"mirror: {repository: example/spdk, namespace: refs/heads/changes/, ledger: refs/heads/_dispatcher/}").Replace(ours)
	pass := func(config string) {
		s.configure(config)
		s.soft(1)
	}
	answers := func(c *gerrit.Change) (texts []string) {
		for _, m := range c.Messages() {
			if m.Author == "bot" {
				texts = append(texts, m.Text)
			}
		}
		return texts
	}
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.unwritten(c)
	pass(ours)
	s.runs("101/1/autorun.yml/1")
	for n := 1; n <= 2; n++ {
		c.Reply("ann", "help\nrecheck\nrechek")
		pass(theirs)
		pass(theirs)
		if got := answers(c); len(got) != n || !strings.Contains(got[0], "branch master is not configured") || strings.Contains(got[0], "> help") || strings.Contains(s.stderr, "warning") {
			t.Errorf("got %q and %s from the other dispatcher, want one answer for each recheck", got, s.stderr)
		}
	}
	c.Reply("ann", "cancel")
	pass(theirs)
	pass(ours)
	if got := s.github.Runs()[0].Conclusion; got != "cancelled" {
		t.Errorf("the run is %q, want it cancelled", got)
	}
	c.Reply("ann", "recheck")
	said := len(answers(c))
	pass(theirs)
	if got := answers(c)[said:]; len(got) != 0 {
		t.Errorf("got %q from the other dispatcher, which can see by now whose change it is", got)
	}
	pass(ours)
	s.runs("101/1/autorun.yml/1", "101/1/autorun.yml/2")
}
