// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// TestWhyNothingIsDone says why a change has no line.
func TestWhyNothingIsDone(t *testing.T) {
	t.Parallel()
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	going := func(s *Snapshot) { s.RunsByID = map[int64]change.Run{99: {ID: 99, Status: "in_progress"}} }
	tests := []struct {
		name string
		told bool
		edit func(*Snapshot)
		want Rest
	}{
		{"its run goes on", true, going, Running},
		{"nobody looks after its run", false, nil, UpToDate},
		{"it could not be read", true, drop(Unread), Unread},
		{"it was merged since", true, drop(ClosedSince), ClosedSince},
	}
	for _, tt := range tests {
		p := project(func(p *config.Project) {
			if tt.told {
				p.Report.Label = "Verified"
			}
		})
		s := snapshot(p, []change.Change{open(7)}, refs...)
		if tt.edit != nil {
			tt.edit(s)
		}
		if made := Make(p, s, noon); len(made.Actions) != 0 || len(made.Idle) != 1 || made.Idle[7] != tt.want {
			t.Errorf("%s: got %v and\n%s", tt.name, made.Idle, text(made))
		}
	}
}

// drop takes the only change out of a snapshot.
func drop(why Rest) func(*Snapshot) {
	return func(s *Snapshot) {
		s.Dropped = []Dropped{{Change: s.Changes[0], Why: why}}
		s.Changes = nil
	}
}

// TestNotFound: a change that is listed and not found is told as a failure.
func TestNotFound(t *testing.T) {
	t.Parallel()
	p := project()
	s := snapshot(p, []change.Change{open(7)})
	drop("")(s)
	check(t, Make(p, s, noon), "fail 7/1: Gerrit lists it and does not find it when asked for it alone")
}

// TestEveryChangeIsAccountedFor: whatever a snapshot holds, each listed change has
// lines or one reason for having none.
func TestEveryChangeIsAccountedFor(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 7))
		p, s, listed := randomSnapshot(r)
		made := Make(p, s, noon)
		lines := map[int]int{}
		for _, a := range made.Actions {
			lines[a.About()]++
		}
		for _, n := range listed {
			rest, counted := made.Idle[n]
			if counted == (lines[n] > 0) || counted && rest == "" {
				t.Errorf("seed %d: change %d has %d lines and the reason %q\n%s", seed, n, lines[n], rest, text(made))
			}
			delete(made.Idle, n)
		}
		if len(made.Idle) > 0 {
			t.Errorf("seed %d: reasons for changes that were not listed: %v", seed, made.Idle)
		}
	}
}

// randomSnapshot makes a project and what is seen of it, and returns the numbers of
// all changes that were listed.
func randomSnapshot(r *rand.Rand) (*config.Project, *Snapshot, []int) {
	chance := func(n int) bool { return r.IntN(n) == 0 }
	p := project(func(p *config.Project) {
		if !chance(3) {
			p.Report.Label, p.Report.Retries = "Verified", r.IntN(3)
		}
		p.Limits.PerPass = r.IntN(4)
		if chance(3) {
			p.Workflows[0].Paths = []string{"lib/**"}
		}
		if chance(3) {
			p.Workflows = append(p.Workflows, config.Workflow{Name: "b.yml", File: "b.yml", Optional: chance(2), TrivialRebase: config.CarryKind})
		}
		if chance(4) {
			p.Workflows[0].Trust = config.Trust{Label: "CI-Trust", Value: 1}
		}
		if chance(9) {
			p.Workflows = nil
		}
	})
	var changes []change.Change
	var refs []string
	var listed []int
	for n := 1; n <= 8; n++ {
		c := open(n, func(c *change.Change) {
			c.Current.Number = 1 + r.IntN(3)
			c.Current.Kind = []change.Kind{change.Rework, change.TrivialRebase}[r.IntN(2)]
			c.WIP, c.Private = chance(8), chance(8)
			c.Files = []string{[]string{"lib/a.c", "doc/a.md"}[r.IntN(2)]}
			if chance(4) && n > 1 {
				c.Current.Parents = []change.Revision{rev(n - 1)}
			}
		})
		changes, listed = append(changes, c), append(listed, n)
		for ps := 1; ps <= c.Current.Number; ps++ {
			refs = append(refs, randomRefs(r, change.ID{Change: n, Patchset: ps}, n)...)
		}
	}
	s := snapshot(p, changes, refs...)
	s.Workflows["b.yml"] = declared
	s.RunsByID = map[int64]change.Run{}
	for n := range int64(8) {
		status := []string{"in_progress", "completed"}[r.IntN(2)]
		s.RunsByID[n+1] = change.Run{ID: n + 1, Status: status, Conclusion: []string{"success", "failure", "cancelled"}[r.IntN(3)], Updated: noon.Add(-time.Hour)}
	}
	if chance(5) {
		s.NoGitHub = "GitHub is away"
	}
	for range r.IntN(3) {
		d := Dropped{Change: s.Changes[0], Why: []Rest{"", Unread, ClosedSince}[r.IntN(3)]}
		s.Dropped, s.Changes = append(s.Dropped, d), s.Changes[1:]
	}
	return p, s, listed
}

// randomRefs is what a mirror may hold of a patchset.
func randomRefs(r *rand.Rand, id change.ID, n int) (refs []string) {
	key := id.String() + "/" + []string{"autorun.yml", "b.yml", "old.yml"}[r.IntN(3)] + "/1"
	for _, ref := range []string{
		change.CustomRefs.Ref(id), "refs/dispatcher/claims/" + key, fmt.Sprintf("refs/dispatcher/runs/%s/%d", key, r.IntN(9)),
		"refs/dispatcher/lost/" + key + "/1795520700", "refs/dispatcher/ended/" + key + "/passed/1795520700",
		"refs/dispatcher/ended/" + key + "/set-up/1795520700", "refs/dispatcher/asked/" + id.String() + "/autorun.yml/2/all",
		"refs/dispatcher/stopped/" + key, fmt.Sprintf("refs/dispatcher/poisoned/%s/%s", id, rev(n)),
	} {
		if r.IntN(3) == 0 {
			refs = append(refs, fmt.Sprintf("%s %d", ref, n))
		}
	}
	return refs
}
