// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// private makes a change private.
func private(c *change.Change) { c.Private = true }

// TestPrivate: a change that was made private has its run cancelled, and when that
// has ended nothing of the change stays on the mirror but the number of attempts.
func TestPrivate(t *testing.T) {
	t.Parallel()
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	running := change.Run{ID: 99, Status: "in_progress"}
	ended := change.Run{ID: 99, Status: "completed", Conclusion: "cancelled", Updated: noon.Add(-time.Hour)}
	passed := change.Run{ID: 99, Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour)}
	public := func(p *config.Project) { reporting(p); p.Skip.Private = false }
	silent := func(*config.Project) {}
	noted := []string{"refs/dispatcher/ended/7/1/autorun.yml/1/superseded/1795521600 7"}
	tests := []struct {
		name string
		edit func(*config.Project)
		run  change.Run
		refs []string
		want []string
	}{
		{"running", reporting, running, refs, []string{"cancel 7/1/autorun.yml/1: the change is private now", "skip 7/1: private"}},
		{"ended", reporting, ended, refs, []string{"prune 7 (3 refs): private", "skip 7/1: private"}},
		{"passed before it was cancelled", reporting, passed, refs, []string{"prune 7 (3 refs): private", "skip 7/1: private"}},
		{"gone at GitHub", reporting, change.Run{}, refs, []string{"prune 7 (3 refs): private", "skip 7/1: private"}},
		{"told already", reporting, passed, append(refs, "refs/dispatcher/ended/7/1/autorun.yml/1/passed 7"), []string{"prune 7 (4 refs): private", "skip 7/1: private"}},
		{"relayed, never started", reporting, change.Run{}, refs[:1], []string{"prune 7 (1 refs): private", "skip 7/1: private"}},
		{"only its end is there", reporting, change.Run{}, []string{"refs/dispatcher/ended/7/1/autorun.yml/1/passed 7"}, []string{"prune 7 (1 refs): private", "skip 7/1: private"}},
		{"something is there again beside what stays", reporting, change.Run{}, []string{"refs/dispatcher/stopped/7/1/autorun.yml/2 7", "refs/dispatcher/ended/7/1/autorun.yml/1/superseded/1795521000 7"}, []string{"prune 7 (2 refs): private", "skip 7/1: private"}},
		{"what stays is there already", reporting, change.Run{}, []string{"refs/dispatcher/asked/7/1/autorun.yml/2/all 7", fmt.Sprintf("refs/dispatcher/ended/7/1/autorun.yml/1/superseded/%d 7", noon.Unix())},
			[]string{"prune 7 (1 refs): private", "skip 7/1: private"}},
		{"a call that may still be carried out", reporting, change.Run{}, append([]string{"refs/dispatcher/claims/7/1/autorun.yml/2 7"}, noted...),
			[]string{"doubt 7/1/autorun.yml/2: attempt 2 is claimed and no run is seen; lost if that lasts 10m0s", "skip 7/1: private"}},
		{"nothing is left", reporting, change.Run{}, noted, []string{"skip 7/1: private"}},
		{"never there", reporting, change.Run{}, nil, []string{"skip 7/1: private"}},
		{"nothing is told, so nobody looks after runs", silent, running, refs, []string{"prune 7 (3 refs): private", "skip 7/1: private"}},
		{"private changes are tested", public, running, refs, []string{"idle 1"}},
		{"private changes were tested", public, passed, append(refs, "refs/dispatcher/ended/7/1/autorun.yml/1/passed 7"), []string{"idle 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(tt.edit)
			s := snapshot(p, []change.Change{open(7, private)}, tt.refs...)
			s.RunsByID = map[int64]change.Run{99: tt.run}
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

// TestWithdrawnAttempts: what stays of a change that leaves the mirror is how often
// each workflow was tried for each patchset, so that no key is used twice.
func TestWithdrawnAttempts(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "docs.yml", File: "docs.yml"})
	})
	refs := []string{
		"refs/changes/07/7/1 7", "refs/changes/07/7/2 2007",
		"refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/90 7", "refs/dispatcher/ended/7/1/autorun.yml/1/runner-lost 7",
		"refs/dispatcher/claims/7/1/autorun.yml/2 7", "refs/dispatcher/runs/7/1/autorun.yml/2/91 7", "refs/dispatcher/ended/7/1/autorun.yml/2/passed 7",
		"refs/dispatcher/claims/7/2/autorun.yml/1 2007", "refs/dispatcher/lost/7/2/autorun.yml/1/1795521000 2007",
		"refs/dispatcher/asked/7/2/docs.yml/4/all 2007", "refs/dispatcher/stopped/7/2/docs.yml/3 2007",
		"refs/dispatcher/poisoned/7/3/" + string(rev(3007)) + " 500",
	}
	s := snapshot(p, []change.Change{open(7, patchset(3, change.Rework), private)}, refs...)
	got := Make(p, s, noon)
	check(t, got, "prune 7 (13 refs): private", "skip 7/3: private")
	key := func(ps, attempt int) change.Key {
		return change.Key{ID: change.ID{Change: 7, Patchset: ps}, Workflow: "autorun.yml", Attempt: attempt}
	}
	want := []change.Entry{
		{Kind: change.Ended, Key: key(1, 2), ID: key(1, 2).ID, Word: string(verdict.Superseded), At: noon},
		{Kind: change.Ended, Key: key(2, 1), ID: key(2, 1).ID, Word: string(verdict.Superseded), At: noon},
	}
	if diff := cmp.Diff(want, got.Actions[0].Keep); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}
	// What stays is what a pass knows when the change is back.
	c := open(7, patchset(2, change.Rework))
	s = snapshot(p, []change.Change{c})
	for _, e := range got.Actions[0].Keep {
		s.Mirror.Add(p.Mirror.Ledger.Ref(e), rev(500))
	}
	s.Workflows["docs.yml"] = declared
	check(t, Make(p, s, noon), "relay 7/2: new patchset",
		"dispatch 7/2/autorun.yml/2: attempt 1 was stopped, and the reason for that is gone",
		"dispatch 7/2/docs.yml/1: new patchset")
}

// TestHidden: a change that our account cannot see any more is treated as a private
// one; one of which that is not known, or that another query lists, is left alone.
func TestHidden(t *testing.T) {
	t.Parallel()
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	running := change.Run{ID: 99, Status: "in_progress"}
	ended := change.Run{ID: 99, Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour)}
	const why = "hidden from our account, or deleted"
	tests := []struct {
		name    string
		changes []change.Change
		closed  []change.Change
		hidden  map[int]bool
		run     change.Run
		want    []string
	}{
		{"running", nil, nil, map[int]bool{7: true}, running, []string{"cancel 7/1/autorun.yml/1: the change is " + why}},
		{"ended", nil, nil, map[int]bool{7: true}, ended, []string{"prune 7 (3 refs): " + why}},
		{"visible", nil, nil, map[int]bool{7: false}, running, []string{""}},
		{"visible, and it has ended", nil, nil, map[int]bool{7: false}, ended, []string{""}},
		{"closed", nil, []change.Change{closed(7, change.Abandoned, 0)}, nil, running, []string{"cancel 7/1/autorun.yml/1: the change was abandoned"}},
		{"listed after all", []change.Change{open(7)}, nil, map[int]bool{7: true}, running, []string{"idle 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Skip.Private, p.Report.Commands.Off = false, true })
			s := snapshot(p, tt.changes, refs...)
			s.Closed, s.Hidden = append(s.Closed, tt.closed...), tt.hidden
			s.RunsByID = map[int64]change.Run{99: tt.run}
			got := Make(p, s, noon)
			check(t, got, tt.want...)
			if !got.Needs.None() {
				t.Errorf("got needs %+v, want none", got.Needs)
			}
			if s.Hidden = nil; tt.closed == nil && tt.changes == nil {
				got := Make(p, s, noon)
				if diff := cmp.Diff([]int{7}, got.Needs.Hidden); diff != "" || len(got.Actions) != 0 {
					t.Errorf("not known: got needs %+v and %q, want to ask first", got.Needs, text(got))
				}
			}
		})
	}
}

// TestEachLeavesByItself: that one change can leave the mirror is no reason for
// another one to leave while its run goes on.
func TestEachLeavesByItself(t *testing.T) {
	t.Parallel()
	p := project(reporting)
	s := snapshot(p, []change.Change{open(6, private), open(7, private)}, "refs/dispatcher/runs/6/1/autorun.yml/1/98 6", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7")
	s.RunsByID = map[int64]change.Run{98: {ID: 98, Status: "in_progress"}, 99: {ID: 99, Status: "completed", Conclusion: "cancelled"}}
	check(t, Make(p, s, noon), "cancel 6/1/autorun.yml/1: the change is private now", "prune 7 (1 refs): private", "skip 6/1: private", "skip 7/1: private")
}

// TestPruneLooksForHidden: a look for closed changes finds those, too, that our
// account cannot see any more; it counts as done only once all is known.
func TestPruneLooksForHidden(t *testing.T) {
	t.Parallel()
	p := project()
	for _, tt := range []struct {
		name   string
		hidden map[int]bool
		asks   []int
		marks  int
		want   string
	}{
		{"not known", nil, []int{2, 3}, 0, ""},
		{"one is not known", map[int]bool{2: false}, []int{3}, 0, ""},
		{"both are visible", map[int]bool{2: false, 3: false}, nil, 1, "prune 1 (1 refs): merged 20 days ago"},
		{"one is hidden", map[int]bool{2: false, 3: true}, nil, 1, "prune 3 (1 refs): hidden from our account, or deleted\nprune 1 (1 refs): merged 20 days ago"},
	} {
		s := snapshot(p, nil, relayed(1, 2, 3)...)
		s.Closed, s.Hidden = []change.Change{closed(1, change.Merged, 20), closed(9, change.Merged, 20)}, tt.hidden
		got := Make(p, s, noon)
		if diff := cmp.Diff(tt.asks, got.Needs.Hidden); diff != "" || len(got.Marks) != tt.marks {
			t.Errorf("%s: got marks %v and asks for (-want +got):\n%s", tt.name, got.Marks, diff)
		}
		check(t, got, tt.want)
	}
}
