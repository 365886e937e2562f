// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// git runs git in a project's repository.
func git(t *testing.T, p *Project, args ...string) string {
	t.Helper()
	out, err := runGit(p.Dir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBuilderMakesTrueCommits(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{FirstChange: 1234})
	p := s.Project("spdk/spdk")
	base := p.Commit("master", map[string]string{"README": "one\n"})
	a := p.Push(Draft{Owner: "ann", Subject: "A", Files: map[string]string{"lib/odd \"name\"\\.c": "int a;\n"}})
	b := p.Push(Draft{Parent: a, Subject: "B"})
	first := a.Revision()
	a.Amend(map[string]string{"lib/b.c": "int b;\n"})
	b.Rebase()
	b.Reword("B, better")

	if out := git(t, p, "fsck", "--strict", "--full"); strings.TrimSpace(out) != "" {
		t.Errorf("fsck says %q", out)
	}
	refs := map[string]string{}
	for line := range strings.Lines(git(t, p, "for-each-ref", "--format=%(refname) %(objectname)")) {
		name, oid, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = oid
	}
	want := []string{"refs/heads/master", "refs/changes/34/1234/1", "refs/changes/34/1234/2", "refs/changes/35/1235/1", "refs/changes/35/1235/2", "refs/changes/35/1235/3"}
	for _, name := range want {
		if refs[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	if len(refs) != len(want) {
		t.Errorf("got %d refs, want %d: %v", len(refs), len(want), refs)
	}
	if got := refs["refs/changes/34/1234/1"]; got != string(first) || got == string(a.Revision()) {
		t.Errorf("patchset 1 is %s, want what it was at first, %s", got, first)
	}
	if got := strings.TrimSpace(git(t, p, "rev-list", "--count", string(b.Revision()), "^"+string(base))); got != "2" {
		t.Errorf("the chain has %s commits above the base, want 2", got)
	}
	if diff := cmp.Diff(change.ID{Change: 1235, Patchset: 3}, b.ID()); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
	if got := git(t, p, "show", "--name-only", "--format=%s|%an|%(trailers:key=Change-Id,valueonly)", "-z", string(a.Revision())); !strings.HasPrefix(got, "A|Ann|I") || !strings.Contains(got, "lib/odd \"name\"\\.c\x00") {
		t.Errorf("a is %q", got)
	}
}

func TestSubmitMovesTheBranch(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	p := s.Project("p")
	p.Commit("master", map[string]string{"a": "1\n"})
	low := p.Push(Draft{})
	high := p.Push(Draft{Parent: low})
	moved := p.Commit("master", map[string]string{"a": "2\n"})
	high.Submit()
	if low.ID().Patchset != 2 || high.ID().Patchset != 2 {
		t.Errorf("got patchsets %s and %s, want both rebased", low.ID(), high.ID())
	}
	if got, want := p.Tip("master"), high.Revision(); got != want {
		t.Errorf("master is at %s, want %s", got, want)
	}
	got := strings.Fields(git(t, p, "rev-list", "refs/heads/master", "^"+string(moved)))
	if diff := cmp.Diff([]string{string(high.Revision()), string(low.Revision())}, got); diff != "" {
		t.Errorf("new on master (-want +got):\n%s", diff)
	}
}

func TestAbandonAndRestore(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	c := s.Project("p").Push(Draft{})
	ref, revision := c.Ref(), c.Revision()
	for _, step := range []struct {
		do   func()
		open []int
	}{{c.Abandon, []int{}}, {c.Restore, []int{1}}} {
		step.do()
		if got, err := s.answer("status:open"); err != nil || !cmp.Equal(got, step.open) {
			t.Errorf("open changes: got %v, %v; want %v", got, err, step.open)
		}
	}
	if c.Ref() != ref || c.Revision() != revision {
		t.Errorf("closing and opening made %s %s of %s %s", c.Ref(), c.Revision(), ref, revision)
	}
}
