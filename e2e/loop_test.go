// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// TestLoop follows thirty changes from their first push: amended, abandoned,
// restored, merged, made ready.
func TestLoop(t *testing.T) {
	s := newScene(t, "loop", 11, settings{})
	all := s.author.writeThirty()
	if got := len(s.startable()); got != len(all)-1 {
		t.Fatalf("got %d changes that may be started, want %d", got, len(all)-1)
	}

	r := s.pass()
	if r.Totals.Relayed != 29 || r.Totals.Dispatched != 29 || r.Totals.Skipped != 1 || r.Totals.Failed != 0 {
		t.Errorf("first pass: got %+v, want 29 relayed and dispatched, 1 skipped", r.Totals)
	}
	s.checkAll()
	s.checkIdle()

	t.Log("amend nine, one of them in a stack, and abandon three")
	for _, i := range []int{2, 13, 16, 18, 20, 22, 24, 26, 28} {
		s.author.amend(all[i])
		s.author.push(all[i], "")
	}
	for _, i := range []int{5, 9, 17} {
		must(t, world.gerrit.Act(t.Context(), s.author.number(all[i]), "abandon", nil))
	}
	if r = s.pass(); r.Totals.Relayed != 9 || r.Totals.Dispatched != 9 {
		t.Errorf("after amending: got %+v, want 9 relayed and dispatched", r.Totals)
	}
	s.checkAll()
	s.checkIdle()

	t.Log("abandon before it was seen: never started")
	unseen := s.author.write("never to be tested")
	s.author.push(unseen, "")
	number := s.author.number(unseen)
	must(t, world.gerrit.Act(t.Context(), number, "abandon", nil))
	s.checkIdle()
	must(t, world.gerrit.Act(t.Context(), number, "restore", nil))
	must(t, world.gerrit.Act(t.Context(), s.author.number(all[5]), "restore", nil))
	if r = s.pass(); r.Totals.Relayed != 1 || r.Totals.Dispatched != 1 {
		t.Errorf("after restoring one that was tested and one that was not: got %+v, want 1 relayed and dispatched", r.Totals)
	}
	s.checkAll()

	t.Log("merge the lowest of a stack, make the unfinished one ready")
	lowest := s.author.number(all[0])
	must(t, world.gerrit.Review(t.Context(), lowest, "", map[string]int{"Code-Review": 2, "Verified": 1}))
	must(t, world.gerrit.Act(t.Context(), lowest, "submit", nil))
	must(t, world.gerrit.Act(t.Context(), s.author.number(all[29]), "ready", nil))
	if r = s.pass(); r.Totals.Dispatched != 1 {
		t.Errorf("after merging: got %+v, want 1 dispatched", r.Totals)
	}
	s.checkAll()
	s.checkIdle()
}

// checkIdle runs a pass that must have nothing to do.
func (s *scene) checkIdle() {
	s.t.Helper()
	r := s.pass()
	if r.Totals.Relayed+r.Totals.Dispatched+r.Totals.Waiting+r.Totals.Failed != 0 || r.Totals.UpToDate != len(s.startable()) {
		s.t.Errorf("got %+v, want nothing to do for %d changes", r.Totals, len(s.startable()))
	}
}

// TestOutput has a pass print awkward subjects into a runner's log.
func TestOutput(t *testing.T) {
	s := newScene(t, "output", 12, settings{})
	for _, subject := range awkward {
		s.author.push(s.author.write(subject), "")
	}
	dir := t.TempDir()
	s.env = append(s.env, "GITHUB_ACTIONS=true", "GITHUB_OUTPUT="+dir+"/output", "GITHUB_STEP_SUMMARY="+dir+"/summary", "GITHUB_ENV="+dir+"/env")
	r := s.run(nil)
	if r.Code != 0 {
		t.Fatalf("the pass failed: %s", r)
	}
	s.checkAll()
	masks := []string{
		"::add-mask::" + rig.MirrorToken, "::add-mask::" + base64.StdEncoding.EncodeToString([]byte(rig.MirrorUser+":"+rig.MirrorToken)),
		"::add-mask::" + botPassword, "::add-mask::" + base64.StdEncoding.EncodeToString([]byte(botUser+":"+botPassword)),
	}
	for _, mask := range masks {
		if !strings.Contains(r.Stdout, mask+"\n") {
			t.Errorf("the runner was not told %s", mask)
		}
	}
	for line := range strings.Lines(r.Stdout + r.Stderr) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "::") && !slices.Contains(masks, line) {
			t.Errorf("the runner would take this for a command: %q", line)
		}
		if strings.Contains(line, "##[") || strings.ContainsAny(line, "\u202e\u200b\x1b") {
			t.Errorf("a subject got through: %q", line)
		}
	}
	for _, part := range []string{"Grüße an alle", "修复内存泄漏", "🦊"} {
		if !strings.Contains(r.Stdout, part) {
			t.Errorf("the output lacks %q:\n%s", part, r.Stdout)
		}
	}
	summary := readFile(t, dir+"/summary")
	if strings.Contains(summary, "<script>") || strings.Contains(summary, "[text](http://example.org)") {
		t.Errorf("the summary holds a subject's markup:\n%s", summary)
	}
	if got := readFile(t, dir+"/output"); strings.Contains(got, "\nname=x") || !strings.Contains(got, "dispatched") {
		t.Errorf("got outputs %q", got)
	}
}
