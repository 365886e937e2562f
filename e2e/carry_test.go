// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestCarry has results stand for patchsets that only rebase or only change the
// message, with the account, the rights and the label of docs/adopt.md.
func TestCarry(t *testing.T) {
	s := newScene(t, "carry", 21, settings{adopted: true})
	s.reports()
	s.edit(func(_, project map[string]any) {
		project["workflows"] = []any{map[string]any{"file": "autorun.yml", "trivial-rebase": "carry", "no-code-change": "carry"}}
	})

	green := s.upload("a change that passes")
	s.ends("success", "ok 1")
	s.pass()
	s.expect(green, +1, 1, "autorun: 1 job passed")
	s.rebased(green)
	s.pass()
	s.carries(green, 2, +1, 2, "autorun.yml was not run again: the result of patchset 1 stands")
	s.author.reword(green, "a change that still passes")
	s.author.push(green, "")
	s.pass()
	s.carries(green, 3, +1, 3, "autorun.yml was not run again: the result of patchset 1 stands")
	s.quiet(green, +1, 3)

	t.Log("a rebase while the run goes on: it is not cancelled, and the new patchset waits")
	busy := s.upload("a change whose run goes on")
	s.rebased(busy)
	if r := s.pass(); !r.says("waits for the run of patchset 1, whose result will stand") {
		t.Errorf("the pass does not say what the change waits for: %+v", r)
	}
	s.quiet(busy, 0, 0)
	if run := s.latest(); run.Status == "completed" || run.Inputs["key"] != fmt.Sprintf("%d/1/autorun.yml/1", s.author.number(busy)) {
		t.Errorf("the latest run is %+v, want that of patchset 1, going on", run)
	}
	s.ends("success", "ok 1")
	s.settle()
	s.carries(busy, 2, +1, 1, "the result of patchset 1 stands")

	s.carriesRed()
}

// carriesRed has a red result carried as red, and a comment ask for a run all the
// same.
func (s *scene) carriesRed() {
	s.t.Helper()
	red := s.upload("a change that breaks a test")
	s.ends("failure", "not ok 1 - nvme reset")
	s.pass()
	s.expect(red, -1, 1, "not ok 1 - nvme reset")
	s.rebased(red)
	s.author.reword(red, "a change that breaks a test, in other words")
	s.author.push(red, "")
	s.pass()
	s.carries(red, 3, -1, 2, "the result of patchset 1 stands")
	if runs := len(s.hub.Runs()); runs != 3 {
		s.t.Errorf("%d runs were started for three changes, want one each", runs)
	}
	s.writes(red, "recheck", true)
	s.pass()
	if run := s.latest(); len(s.hub.Runs()) != 4 || run.Inputs["revision"] != red.oid {
		s.t.Errorf("after recheck the latest of %d runs is %+v, want a fourth, of the current patchset", len(s.hub.Runs()), run)
	}
	s.ends("success", "ok 1")
	s.pass()
	s.expect(red, +1, 4, "(run 2)")
	s.quiet(red, +1, 4)
}

// rebased has master move on and Gerrit rebase a change onto it.
func (s *scene) rebased(d *draft) {
	s.t.Helper()
	s.author.advance()
	s.author.rebase(d)
}

// carries checks that a patchset has a vote of its own, and a message that says
// whose result it is.
func (s *scene) carries(d *draft, patchset, vote, count int, says string) {
	s.t.Helper()
	s.expect(d, vote, count, says)
	_, messages := s.verified(d)
	for _, want := range []string{fmt.Sprintf("Patch Set %d: Verified%+d", patchset, vote), fmt.Sprintf("Dispatcher: %d/%d/autorun.yml/1 run=", s.author.number(d), patchset), fmt.Sprintf(" vote=%+d", vote)} {
		if len(messages) > 0 && !strings.Contains(messages[len(messages)-1], want) {
			s.t.Errorf("%s: the last message does not say %q", d.subject, want)
		}
	}
}
