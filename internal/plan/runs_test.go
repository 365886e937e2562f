// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// TestEndsOfRuns: what is done about a run that has ended depends on why nobody
// waits for it any more, and on whether it has said something.
func TestEndsOfRuns(t *testing.T) {
	t.Parallel()
	run := func(conclusion string) change.Run {
		return change.Run{ID: 99, Status: "completed", Conclusion: conclusion, Updated: noon.Add(-time.Hour)}
	}
	wip := func(c *change.Change) { c.WIP = true }
	moved := func(c *change.Change) { c.Branch = "side" }
	none := func(*change.Change) {}
	const cancelled, failed = "cancelled", "failure"
	tests := []struct {
		name   string
		edit   func(*change.Change)
		closed change.Status // instead of open
		run    change.Run
		refs   []string
		want   string // about attempt 1 of patchset 1; "" is nothing
	}{
		{"wip, it passed", wip, "", run("success"), nil, "judge: the change is work in progress now"},
		{"wip, it failed", wip, "", run(failed), nil, "judge: the change is work in progress now"},
		{"wip, it timed out", wip, "", run("timed_out"), nil, "judge: the change is work in progress now"},
		{"wip, it was cancelled", wip, "", run(cancelled), nil, "end superseded: the change is work in progress now"},
		{"wip, it needs an approval", wip, "", run("action_required"), nil, "end superseded: the change is work in progress now"},
		{"wip, it is gone", wip, "", change.Run{}, nil, "end superseded: the change is work in progress now"},
		{"on another branch, it passed", moved, "", run("success"), nil, "judge: the change is left out now: branch side is not configured"},
		{"on another branch, it goes on", moved, "", change.Run{ID: 99, Status: "queued"}, nil, "cancel: the change is left out now: branch side is not configured"},
		{"abandoned, it passed", nil, change.Abandoned, run("success"), nil, "judge: the change was abandoned"},
		{"abandoned, it was cancelled", nil, change.Abandoned, run(cancelled), nil, "end superseded: the change was abandoned"},
		{"merged, it goes on", nil, change.Merged, change.Run{ID: 99, Status: "in_progress"}, nil, "cancel: the change was merged"},
		{"replaced, it passed", patchset(2, change.Rework), "", run("success"), nil, "end superseded: patchset 2 replaced it"},
		{"replaced, it is gone", patchset(2, change.Rework), "", change.Run{}, nil, "end superseded: patchset 2 replaced it"},
		{"called off", none, "", change.Run{ID: 99, Status: "in_progress"}, []string{"refs/dispatcher/stopped/7/1/autorun.yml/1 7"}, "cancel: a comment called it off"},
		{"an earlier attempt was called off", none, "", run(failed), []string{"refs/dispatcher/stopped/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/2/100 7"}, "judge: a later attempt replaced it"},
		{"waited for", none, "", run(cancelled), nil, "report: it ended without a report"},
		{"waited for, just ended", none, "", change.Run{ID: 99, Status: "completed", Updated: noon.Add(-time.Minute)}, nil, "wait: ended, reported from 12:09 on"},
		{"waited for, ended as long ago as it may take", none, "", change.Run{ID: 99, Status: "completed", Updated: noon.Add(-10 * time.Minute)}, nil, "report: it ended without a report"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Branches = []string{"master"} })
			var changes []change.Change
			if tt.edit != nil {
				changes = append(changes, open(7, tt.edit))
			}
			s := snapshot(p, changes, append([]string{"refs/changes/07/7/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}, tt.refs...)...)
			s.RunsByID = map[int64]change.Run{99: tt.run, 100: {ID: 100, Status: "in_progress"}}
			s.Closed = []change.Change{closed(6, change.Merged, 0)}
			if tt.closed != "" {
				s.Closed = append(s.Closed, closed(7, tt.closed, 0))
			}
			var got string
			for _, a := range Make(p, s, noon).Actions {
				if a.Key.String() != "7/1/autorun.yml/1" {
					continue
				}
				got = strings.TrimSpace(fmt.Sprintf("%s %s", a.Verb, a.Outcome)) + ": " + a.Reason
				if a.Revision != rev(7) || a.Number != 7 || a.Run.ID != tt.run.ID {
					t.Errorf("got %+v, want the change, its revision and the run", a)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRunsOfOthers: runs of other servers, and those after a merge, are left alone,
// whatever becomes of their changes.
func TestRunsOfOthers(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "after.yml", File: "after.yml", PostMerge: true})
		p.Prune.Keep, p.Report.Commands.Off = 0, true
	})
	for _, key := range []string{"nova+7/1/autorun.yml/1", "7/1/after.yml/1"} {
		s := snapshot(p, nil, "refs/dispatcher/runs/"+key+"/99 7")
		s.Closed, s.RunsByID = []change.Change{closed(7, change.Merged, 0)}, map[int64]change.Run{99: {ID: 99, Status: "in_progress"}}
		got := Make(p, s, noon)
		if check(t, got, ""); !got.Needs.None() {
			t.Errorf("%s: got needs %+v, want none", key, got.Needs)
		}
	}
}

// TestRunsInOrder: they are looked after by patchset, workflow and attempt, whatever
// the order of the refs is.
func TestRunsInOrder(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "docs.yml", File: "docs.yml"})
	})
	keys := []string{"7/1/autorun.yml/1", "7/1/docs.yml/1", "7/2/autorun.yml/1", "7/2/autorun.yml/2", "7/2/docs.yml/1"}
	s := snapshot(p, nil)
	s.RunsByID = map[int64]change.Run{}
	for _, i := range []int{3, 1, 4, 0, 2} {
		s.Mirror.Add(fmt.Sprintf("refs/dispatcher/runs/%s/%d", keys[i], 90+i), rev(7))
		s.RunsByID[int64(90+i)] = change.Run{ID: int64(90 + i), Status: "in_progress"}
	}
	s.Closed = []change.Change{closed(7, change.Abandoned, 0)}
	var got []string
	for _, a := range Make(p, s, noon).Actions {
		got = append(got, a.Key.String())
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// TestRunsAreReadFirst: nothing is done about a run that was not read, and nothing
// is reported on a change that was not read again.
func TestRunsAreReadFirst(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	s := snapshot(p, []change.Change{open(7, func(c *change.Change) { c.WIP = true })}, refs...)
	got := Make(p, s, noon)
	check(t, got, "skip 7/1: work in progress")
	if diff := cmp.Diff([]int64{99}, got.Needs.RunIDs); diff != "" {
		t.Errorf("runs to be read (-want +got):\n%s", diff)
	}
	s = snapshot(p, []change.Change{open(7)}, refs...)
	s.Fresh, s.RunsByID = map[int]bool{}, map[int64]change.Run{99: {ID: 99, Status: "completed", Updated: noon.Add(-time.Hour)}}
	got = Make(p, s, noon)
	if diff := cmp.Diff([]int{7}, got.Needs.Fresh); diff != "" {
		t.Errorf("changes to be read (-want +got):\n%s", diff)
	}
	if a := got.Actions[0]; a.Verb != Report || a.Change == nil || len(a.Standings) != 1 || a.Standings[0].Key != a.Key || a.Standings[0].Expected {
		t.Errorf("got %+v, want a report that does not wait for itself", a)
	}
	s.NoGitHub = "GitHub is away"
	check(t, Make(p, s, noon), "idle 1")
}

// TestCarriedRuns: a carried result is told while its patchset is the current one
// and nothing holds the change.
func TestCarriedRuns(t *testing.T) {
	t.Parallel()
	refs := []string{"1: runs 1/98", "1: ended 1/passed", "carried 1/1"}
	tests := []struct {
		name string
		edit func(*change.Change)
		refs []string
		want string
	}{
		{"told at once", func(*change.Change) {}, refs, "report 7/2/autorun.yml/1: the result of patchset 1 stands"},
		{"told already", func(*change.Change) {}, append(refs, "ended 1/passed"), "idle 1"},
		{"not while the change is held", func(c *change.Change) { c.WIP = true }, refs, "skip 7/2: work in progress"},
		{"not once it was replaced", func(c *change.Change) {
			c.Earlier = []change.Patchset{{Number: 1}, {Number: 2, Kind: change.NoCodeChange}}
			patchset(4, change.Rework)(c)
		}, refs, "relay 7/4: new patchset\ndispatch 7/4/autorun.yml/1: new patchset\nend 7/2/autorun.yml/1: patchset 4 replaced it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) {
				p.Workflows[0].NoCodeChange, p.Report.Commands.Off = config.CarryKind, true
			})
			s := snapshot(p, []change.Change{open(7, patchset(2, change.NoCodeChange), tt.edit)}, refsOf(tt.refs...)...)
			s.RunsByID = map[int64]change.Run{98: {ID: 98, Status: "completed", Conclusion: "success", Updated: noon}, 70: {}}
			got := Make(p, s, noon)
			if text := strings.TrimSpace(text(got)); text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
			for _, a := range got.Actions {
				if a.Verb == End && (a.Outcome != verdict.Superseded || a.Revision != rev(2007) || a.Number != 7) {
					t.Errorf("got %+v, want it ended as superseded", a)
				}
				if a.Verb == Report && (a.Run.ID != 98 || a.Standings[0].Source().Patchset != 1) {
					t.Errorf("got %+v, want the run of patchset 1", a)
				}
			}
		})
	}
}

// TestRunsOfRemovedWorkflows: a run whose workflow has left the configuration is told
// to nobody, and stopped where any other would be, if its name shows its key.
func TestRunsOfRemovedWorkflows(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) { p.Prune.Keep, p.Report.Commands.Off = 0, true })
	going := change.Run{ID: 99, Name: "7/1/gone.yml/1 nvme", Status: "in_progress"}
	ended, other, unkeyed := going, going, going
	ended.Status, other.Name, unkeyed.Name = "completed", "8/1/gone.yml/1", "release"
	open7 := []change.Change{open(7)}
	for _, tt := range []struct {
		name    string
		changes []change.Change
		run     change.Run
		want    []string
	}{
		{"its change is merged", nil, going, []string{"cancel 7/1/gone.yml/1: the change was merged"}},
		{"it has ended", nil, ended, []string{"end 7/1/gone.yml/1: its workflow is not configured any more"}},
		{"its change is open", open7, going, []string{"relay 7/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset"}},
		{"another key", nil, other, []string{""}},
		{"no key", nil, unkeyed, []string{"end 7/1/gone.yml/1: its workflow is not configured any more"}},
	} {
		s := snapshot(p, tt.changes, "refs/dispatcher/runs/7/1/gone.yml/1/99 7")
		s.RunsByID = map[int64]change.Run{99: tt.run}
		if len(tt.changes) == 0 {
			s.Closed = []change.Change{closed(7, change.Merged, 0)}
		}
		check(t, Make(p, s, noon), tt.want...)
	}
}
