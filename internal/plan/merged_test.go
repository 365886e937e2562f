// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strings"
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
		{"moved in the pass before", after, []string{"refs/heads/master 500", "refs/dispatcher/merged/1795520400 500"}, []string{"dispatch 8/1/autorun.yml/1: merged into master"}},
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

// TestPostMergeLooksBack holds when merged changes are looked for, and how far
// back: for half an hour after each move, because Gerrit's index may be late.
func TestPostMergeLooksBack(t *testing.T) {
	t.Parallel()
	after := func(p *config.Project) { p.Workflows[0].PostMerge, p.Prune.Keep = true, 0 }
	ago := func(d time.Duration) []string {
		return []string{fmt.Sprintf("refs/dispatcher/merged/%d 500", noon.Add(-d).Unix())}
	}
	const moved, still = "refs/heads/master 400", "refs/heads/master 500"
	tests := []struct {
		name  string
		refs  []string
		age   time.Duration // of what is asked for; 0: nothing is
		marks int
	}{
		{"the first move", []string{moved}, 6 * time.Hour, 1},
		{"another move, long after", append(ago(48*time.Hour), moved), 48*time.Hour + 30*time.Minute, 1},
		{"a pass after the move", append(ago(10*time.Minute), still), 40 * time.Minute, 0},
		{"half an hour after it", append(ago(30*time.Minute), still), time.Hour, 0},
		{"later", append(ago(31*time.Minute), still), 0, 0},
		{"the latest mark counts", append(append(ago(31*time.Minute), ago(5*time.Minute)...), still), 35 * time.Minute, 0},
		{"never moved", []string{still}, 0, 0},
		{"the branch is new", nil, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(after)
			s := snapshot(p, nil, tt.refs...)
			s.Source["master"] = rev(500)
			var want time.Time
			if tt.age > 0 {
				want = noon.Add(-tt.age)
			}
			if got := Make(p, s, noon); !got.Needs.Merged.Equal(want) {
				t.Errorf("got a look back to %s, want %s", got.Needs.Merged, want)
			}
			s.Merged = []change.Change{merged(8, time.Minute)}
			got := Make(p, s, noon)
			if !got.Needs.Merged.IsZero() || len(got.Marks) != tt.marks {
				t.Errorf("asked once: got needs %+v and marks %v, want none and %d", got.Needs, got.Marks, tt.marks)
			}
			if started := strings.Contains(text(got), "dispatch 8/1/autorun.yml/1"); started != (tt.age > 0) {
				t.Errorf("started: got %v in\n%s", started, text(got))
			}
			s.NoGitHub = "GitHub is away"
			if got := Make(p, s, noon); len(got.Marks) != tt.marks {
				t.Errorf("without GitHub: got marks %v, want %d: the next pass does not see that the branch moved", got.Marks, tt.marks)
			}
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
