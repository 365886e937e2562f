// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func patchset(n int, kind change.Kind) func(*change.Change) {
	return func(c *change.Change) {
		c.Current.Number, c.Current.Kind, c.Current.Revision = n, kind, rev(c.Number+1000*n)
	}
}

// TestLifeOfAPatchset follows one patchset through every state that the ledger
// can be in, whoever was killed in between.
func TestLifeOfAPatchset(t *testing.T) {
	t.Parallel()
	const (
		ref   = "refs/changes/07/7/1 7"
		claim = "refs/dispatcher/claims/7/1/autorun.yml/1 7"
		run   = "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"
		lost5 = "refs/dispatcher/lost/7/1/autorun.yml/1/1795521300 7" // five minutes ago
		lost9 = "refs/dispatcher/lost/7/1/autorun.yml/1/1795520700 7" // fifteen minutes ago
	)
	key := change.Key{ID: change.ID{Change: 7, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}
	seen := map[change.Key]change.Run{key: {ID: 99, Name: key.String()}}
	tests := []struct {
		name string
		refs []string
		runs map[change.Key]change.Run
		want []string
	}{
		{"never seen", nil, nil, []string{"relay 7/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset"}},
		{"relayed only", []string{ref}, nil, []string{"dispatch 7/1/autorun.yml/1: new patchset"}},
		{"claimed, no run", []string{ref, claim}, nil,
			[]string{"doubt 7/1/autorun.yml/1: attempt 1 is claimed and no run is seen; lost if that lasts 10m0s"}},
		{"claimed, run found", []string{ref, claim}, seen, []string{"record 7/1/autorun.yml/1: its run was found by its key"}},
		{"in doubt, run found", []string{ref, claim, lost9}, seen, []string{"record 7/1/autorun.yml/1: its run was found by its key"}},
		{"in doubt", []string{ref, claim, lost5}, nil, []string{"wait 7/1/autorun.yml/1: attempt 1 has no run yet; counts as lost in 5m0s"}},
		{"lost", []string{ref, claim, lost9}, nil, []string{"dispatch 7/1/autorun.yml/2: the call of attempt 1 was lost"}},
		{"in doubt twice", []string{ref, claim, lost5, lost9}, nil, []string{"dispatch 7/1/autorun.yml/2: the call of attempt 1 was lost"}},
		{"claim without the change ref", []string{claim, lost9}, nil,
			[]string{"relay 7/1: new patchset", "dispatch 7/1/autorun.yml/2: the call of attempt 1 was lost"}},
		{"recorded", []string{ref, claim, run}, nil, []string{"idle 1"}},
		{"recorded after the claim was pruned", []string{ref, run}, nil, []string{"idle 1"}},
		{"lost five times", []string{ref, "refs/dispatcher/claims/7/1/autorun.yml/5 7", "refs/dispatcher/lost/7/1/autorun.yml/5/1795520700 7"}, nil,
			[]string{"fail 7/1/autorun.yml/5: 5 calls were lost, and its runs do not show their keys"}},
		{"another commit in its place", []string{"refs/changes/07/7/1 8"}, nil,
			[]string{"fail 7/1: the mirror's refs/changes/07/7/1 holds 0000000000, not this patchset"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project()
			s := snapshot(p, []change.Change{open(7)}, tt.refs...)
			if tt.runs != nil {
				s.Runs = tt.runs
			}
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

// TestLostCallsOfRunsThatShowTheirKeys holds that nothing is given up that is
// surely lost.
func TestLostCallsOfRunsThatShowTheirKeys(t *testing.T) {
	t.Parallel()
	p := project()
	for name, want := range map[string]string{
		"${{ inputs.key }}": "dispatch 7/1/autorun.yml/10: the call of attempt 9 was lost",
		"${{github.event.inputs.key}} ${{ inputs.change }}": "dispatch 7/1/autorun.yml/10: the call of attempt 9 was lost",
		"Test ${{ inputs.key }}":                            "fail 7/1/autorun.yml/9: 9 calls were lost, and its runs do not show their keys",
		"":                                                  "fail 7/1/autorun.yml/9: 9 calls were lost, and its runs do not show their keys",
	} {
		s := snapshot(p, []change.Change{open(7)}, "refs/changes/07/7/1 7",
			"refs/dispatcher/claims/7/1/autorun.yml/9 7", "refs/dispatcher/lost/7/1/autorun.yml/9/1795520700 7")
		file := declared
		file.RunName = name
		s.Workflows["autorun.yml"] = file
		check(t, Make(p, s, noon), want)
		s.Workflows = nil
		if got := Make(p, s, noon).Needs.Workflows; len(got) != 1 {
			t.Errorf("%q: got needs %v, want the workflow file", name, got)
		}
	}
}

func TestNeedsAreAskedForOnlyWhenTheyMatter(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Limits.Running = 5 })
	bare := func(changes []change.Change, refs ...string) Needs {
		s := snapshot(p, changes, refs...)
		s.Fresh, s.Workflows, s.Runs, s.Busy, s.Closed = map[int]bool{}, nil, nil, nil, nil
		return Make(p, s, noon).Needs
	}
	done := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	tests := []struct {
		name    string
		changes []change.Change
		refs    []string
		want    Needs
	}{
		{"nothing to do", []change.Change{open(7)}, done, Needs{}},
		{"skipped", []change.Change{open(8, func(c *change.Change) { c.WIP = true })}, nil, Needs{}},
		{"new patchset", []change.Change{open(8)}, nil, Needs{Fresh: []int{8}, Workflows: []string{"autorun.yml"}, Busy: true}},
		{"claim without a run", []change.Change{open(7)}, done[:2], Needs{Runs: true, RunsSince: noon.Add(-time.Hour - clockSlack)}},
		{"closed perhaps", nil, done, Needs{Closed: []int{7}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, bare(tt.changes, tt.refs...)); diff != "" {
			t.Errorf("%s: needs (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWithoutGitHubPatchsetsAreStillRelayed(t *testing.T) {
	t.Parallel()
	p := project()
	s := snapshot(p, []change.Change{open(7), open(8)}, "refs/dispatcher/claims/8/1/autorun.yml/1 8", "refs/changes/08/8/1 8")
	s.NoGitHub, s.Runs = "GitHub is away", nil
	got := Make(p, s, noon)
	check(t, got, "relay 7/1: new patchset", "wait 8/1/autorun.yml/1: GitHub is away", "wait 7/1/autorun.yml/1: GitHub is away")
	if !got.Needs.None() {
		t.Errorf("got needs %+v, want none", got.Needs)
	}
}

func TestChainsAboveARefusedPatchsetAreHeld(t *testing.T) {
	t.Parallel()
	child := func(parent int) func(*change.Change) {
		return func(c *change.Change) { c.Current.Parents = []change.Revision{rev(parent)} }
	}
	p := project()
	s := snapshot(p, []change.Change{open(1), open(2, child(1)), open(3, child(2)), open(4, child(99))},
		refused(1, 2, noon.Add(-10*time.Minute)))
	check(t, Make(p, s, noon),
		"relay 4/1: new patchset",
		"dispatch 4/1/autorun.yml/1: new patchset",
		"skip 1/1: the mirror refuses this patchset: it holds a secret (2 times, the last at 2026-11-24 11:50 UTC); tried again after 2026-11-24 12:50 UTC, a new patchset at once",
		"skip 2/1: held: the mirror refuses 1/1 below it",
		"skip 3/1: held: the mirror refuses 1/1 below it")
}

func TestHavesAreNearAndOnTheMirror(t *testing.T) {
	t.Parallel()
	p := project()
	top := open(2, patchset(3, change.Rework), func(c *change.Change) {
		c.Current.Parents = []change.Revision{rev(1), rev(77)}
	})
	s := snapshot(p, []change.Change{open(1), top}, "refs/changes/01/1/1 1", "refs/changes/02/2/1 21", "refs/changes/02/2/2 22")
	want := []change.Revision{rev(21), rev(22), rev(1)}
	if diff := cmp.Diff(want, Make(p, s, noon).Haves[2]); diff != "" {
		t.Errorf("haves (-want +got):\n%s", diff)
	}
}

func TestBranches(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) {
		p.Branches = []string{"master", "v*", "changes", "-x"}
		p.Mirror.Namespace = change.BranchRefs
	})
	s := snapshot(p, nil, "refs/heads/master 1", "refs/heads/v26.01 5")
	s.Source = map[string]change.Revision{
		"master": rev(2), "v26.01": rev(5), "v26.09": rev(6), "sandbox/ann": rev(7), "changes": rev(8), "-x": rev(9),
	}
	got := Make(p, s, noon)
	check(t, got,
		"mirror master: moved in Gerrit",
		"mirror v26.09: new branch",
		`skip -x: branch "-x": its name must not begin with '-' or 'refs/'`,
		"skip changes: its name lies in the dispatcher's own namespace")
	if got.Actions[0].Old != rev(1) || got.Actions[1].Old != "" {
		t.Errorf("got old tips %q and %q, want the mirror's", got.Actions[0].Old, got.Actions[1].Old)
	}
}
