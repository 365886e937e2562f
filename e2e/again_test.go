// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// away is a change that is left alone for a while.
type away struct {
	*draft
	leave, back func(number int)
	// before are the conclusions of its runs before it left, then those once it was
	// away, and once it was back; "" is one that goes on.
	before, gone, again []string
	spoken              int // messages of ours until it is back
}

// TestReadyAgain leaves changes alone while their runs go on: work in progress,
// abandoned, private, on another branch. The runs are cancelled; when the changes are
// back with the same patchsets they are tested again, and voted on. A run that ended
// by itself meanwhile has a result, which stands.
func TestReadyAgain(t *testing.T) {
	s := newScene(t, "again", 20, settings{})
	s.reporting()
	must(t, world.gerrit.Put(t.Context(), "projects/"+url.PathEscape(s.project)+"/branches/side", map[string]any{}, nil))
	wip, ended, hidden, known, others := s.leavers()
	all := append([]*away{wip, ended, hidden, known}, others...)
	for _, c := range all {
		s.author.push(c.draft, "")
	}
	s.pass()
	s.concludes(known.draft, "failure", "not ok 1 - nvme reset")
	s.pass()
	s.expect(known.draft, -1, 1, "not ok 1 - nvme reset")
	s.writes(known.draft, "recheck", true)
	s.pass()
	for _, c := range all {
		s.attempts(c.draft, c.before...)
		c.leave(s.author.number(c.draft))
	}
	s.sees(hidden.draft, false)
	s.sees(known.draft, true)
	s.concludes(ended.draft, "failure", "not ok 1 - bdev")
	s.settle()
	for _, c := range all {
		s.attempts(c.draft, c.gone...)
	}
	s.settle()
	s.offMirror(hidden.draft)
	s.offMirror(known.draft)

	for _, c := range all {
		c.back(s.author.number(c.draft))
	}
	s.pass()
	for _, c := range all {
		s.attempts(c.draft, c.again...)
		if c != ended {
			s.concludes(c.draft, "success", "ok 1")
		}
	}
	s.settle()
	for _, c := range all {
		if c == ended {
			s.expect(c.draft, -1, 1, "not ok 1 - bdev")
		} else {
			s.expect(c.draft, +1, c.spoken+1, "autorun: 1 job passed")
		}
	}
	s.quiet(wip.draft, +1, 1)
	s.checkObjects()
}

// leavers are the changes of TestReadyAgain. The run of ended ends while it is away,
// hidden cannot be seen meanwhile, and of known we have spoken.
func (s *scene) leavers() (wip, ended, hidden, known *away, others []*away) {
	s.t.Helper()
	act := func(action string, in any) func(int) {
		return func(number int) { must(s.t, world.gerrit.Act(s.t.Context(), number, action, in)) }
	}
	public := func(number int) {
		must(s.t, world.gerrit.Delete(s.t.Context(), fmt.Sprintf("changes/%d/private", number)))
	}
	to := func(branch string) func(int) { return act("move", map[string]any{"destination_branch": branch}) }
	running, cancelled, second := []string{""}, []string{"cancelled"}, []string{"cancelled", ""}
	wip = &away{s.author.write("a change that is worked on again"), act("wip", nil), act("ready", nil), running, cancelled, second, 0}
	ended = &away{s.author.write("a change whose run ends while it is worked on"), act("wip", nil), act("ready", nil), running, []string{"failure"}, []string{"failure"}, 0}
	hidden = &away{s.author.write("a change that becomes private"), act("private", nil), public, running, cancelled, second, 0}
	known = &away{s.author.write("a change that becomes private, and that we spoke about"), act("private", nil), public,
		[]string{"failure", ""}, []string{"failure", "cancelled"}, []string{"failure", "cancelled", ""}, 2} // the failure, and an answer
	others = []*away{
		{s.author.write("a change that is abandoned"), act("abandon", nil), act("restore", nil), running, cancelled, second, 0},
		{s.author.write("a change that moves"), to("side"), to("master"), running, cancelled, second, 0},
	}
	return wip, ended, hidden, known, others
}

// attempts checks how a change's runs ended; "" is one that goes on. All of them
// are of its current patchset, which never changed.
func (s *scene) attempts(d *draft, want ...string) {
	s.t.Helper()
	var got []string
	for _, r := range s.runsOf(d) {
		got = append(got, r.Conclusion)
		if r.Inputs["revision"] != d.oid {
			s.t.Errorf("%s: run %d tested %s, want %s", d.subject, r.ID, r.Inputs["revision"], d.oid)
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: the runs ended as %q, want %q", d.subject, got, want)
	}
}

// sees checks whether Gerrit shows a change to the dispatcher's account.
func (s *scene) sees(d *draft, want bool) {
	s.t.Helper()
	number := s.author.number(d)
	seen, err := newClient(s.t, s.bot, s.password).Visible(s.t.Context(), s.project, []int{number})
	must(s.t, err)
	if _, shown := seen[number]; shown != want {
		s.t.Errorf("%s: Gerrit shows it to %s: %v, want %v", d.subject, s.bot, shown, want)
	}
}

// offMirror checks that nothing of a change's content is on the mirror.
func (s *scene) offMirror(d *draft) {
	s.t.Helper()
	patchset := s.author.onServer(d).Ref()
	for name, oid := range s.mirrorRefs() {
		if oid == d.oid || name == patchset {
			s.t.Errorf("%s: the mirror still has %s at %s", d.subject, name, oid)
		}
	}
}
