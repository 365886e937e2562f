// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// merged is a change that was merged so long ago.
func merged(number int, age time.Duration) change.Change {
	return open(number, func(c *change.Change) {
		c.Status, c.Submitted, c.Updated = change.Merged, noon.Add(-age), noon.Add(-age)
	})
}

func TestPostMerge(t *testing.T) {
	t.Parallel()
	after := func(p *config.Project) { p.Workflows[0].PostMerge, p.Prune.Keep = true, 0 }
	mark := "refs/dispatcher/" + "merged/" + "1795516200 500" // 10:30
	tests := []struct {
		name string
		edit func(*config.Project)
		refs []string
		want []string
	}{
		{"a branch moved", after, []string{"refs/heads/master 400"}, []string{"mirror master: moved in Gerrit", "dispatch 8/1/autorun.yml/1: merged into master"}},
		{"it has not moved", after, []string{"refs/heads/master 500"}, []string{""}},
		{"it is new", after, nil, []string{"mirror master: new branch"}},
		{"started already", after, []string{"refs/heads/master 400", "refs/dispatcher/claims/8/1/autorun.yml/1 500", "refs/dispatcher/runs/8/1/autorun.yml/1/99 500"}, []string{"mirror master: moved in Gerrit"}},
		{"moved a while ago", after, []string{"refs/heads/master 500", mark}, []string{""}},
		{"for patchsets only", func(p *config.Project) { p.Prune.Keep = 0 }, []string{"refs/heads/master 400"}, []string{"mirror master: moved in Gerrit"}},
		{"another branch", func(p *config.Project) { after(p); p.Workflows[0].Branches = []string{"v1.x"} }, []string{"refs/heads/master 400"},
			[]string{"mirror master: moved in Gerrit", "skip 8/1/autorun.yml/0: not for branch master"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(tt.edit)
			s := snapshot(p, nil, tt.refs...)
			s.Source["master"] = rev(500)
			s.Merged = []change.Change{merged(8, time.Minute), merged(7, time.Hour), merged(9, 2*time.Hour)}
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

// TestPostMergeCall holds what such a run is told: the branch's tip.
func TestPostMergeCall(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Workflows[0].PostMerge, p.Prune.Keep = true, 0 })
	s := snapshot(p, nil, "refs/heads/master 400")
	s.Source["master"] = rev(500)
	if got := Make(p, s, noon).Needs.Merged; !got.Equal(noon.Add(-firstLook)) {
		t.Errorf("got a look back to %s, want %s", got, noon.Add(-firstLook))
	}
	s.Merged = []change.Change{merged(8, time.Minute)}
	got := Make(p, s, noon)
	if len(got.Actions) != 2 || len(got.Marks) != 1 {
		t.Fatalf("got %+v, want a branch, a run and a mark", got)
	}
	call := got.Actions[1].Call
	if call.Inputs["revision"] != string(rev(500)) || call.Inputs["key"] != "8/1/autorun.yml/1" || call.Inputs["branch"] != "master" {
		t.Errorf("got inputs %v, want the tip of master for change 8", call.Inputs)
	}
}

// TestPostMergeLeavesPatchsetsAlone: it is no patchset's workflow.
func TestPostMergeLeavesPatchsetsAlone(t *testing.T) {
	t.Parallel()
	p := project(obeying, func(p *config.Project) {
		p.Report.Commands.Off = true
		p.Workflows = append(p.Workflows, config.Workflow{Name: "after.yml", File: "after.yml", PostMerge: true})
	})
	s := snapshot(p, []change.Change{open(7)})
	check(t, Make(p, s, noon), "relay 7/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset")
	c := open(7)
	if got := Standings(p, s, &c, noon); len(got) != 1 || got[0].Workflow != "autorun.yml" {
		t.Errorf("got standings %v, want those of patchsets", got)
	}
	c.Status = change.Merged
	if got := Standings(p, s, &c, noon); len(got) != 1 || got[0].Workflow != "after.yml" {
		t.Errorf("got standings %v, want those after a merge", got)
	}
}
