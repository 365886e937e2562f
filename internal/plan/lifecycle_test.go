// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// reporting is a project whose results are told.
func reporting(p *config.Project) {
	p.Gerrit.Username = "ci"
	p.Report = config.Report{Label: "Verified", Retries: 1, After: 10 * time.Minute}
}

// said is a message of an account about attempt 1 of a patchset's run.
func said(by string, id change.ID, outcome verdict.Outcome) change.Message {
	key := change.Key{ID: id, Workflow: "autorun.yml", Attempt: 1}
	r := verdict.Residue{Runs: []verdict.RunResidue{{Key: key, RunID: 99, Attempt: 1, Outcome: outcome}}, Voted: true, Vote: verdict.Policy{}.Vote(outcome)}
	return change.Message{ID: "m0", Author: change.Account{Username: by}, Text: "Passed.\n\n" + r.String()}
}

// TestLifeOfARun follows a recorded run of change 7 to its end.
func TestLifeOfARun(t *testing.T) {
	t.Parallel()
	const ref, claim, record = "refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"
	running := change.Run{ID: 99, Status: "in_progress", Updated: noon.Add(-time.Hour)}
	ended := change.Run{ID: 99, Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour)}
	justEnded := change.Run{ID: 99, Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Minute)}
	plain := []change.Change{open(7)}
	replaced := []change.Change{open(7, patchset(2, change.Rework), func(c *change.Change) { c.Current.Created = noon })}
	wip := []change.Change{open(7, func(c *change.Change) { c.WIP = true })}
	with := func(m change.Message) []change.Change {
		return []change.Change{open(7, func(c *change.Change) { c.Messages = []change.Message{m} })}
	}
	id := change.ID{Change: 7, Patchset: 1}
	tests := []struct {
		name    string
		changes []change.Change
		closed  []change.Change
		run     []change.Run
		refs    []string
		want    []string
	}{
		{"running", plain, nil, []change.Run{running}, nil, []string{"idle 1"}},
		{"ended a minute ago", plain, nil, []change.Run{justEnded}, nil, []string{"wait 7/1/autorun.yml/1: ended, reported from 12:09 on"}},
		{"ended without a report", plain, nil, []change.Run{ended}, nil, []string{"report 7/1/autorun.yml/1: it ended without a report"}},
		{"not there", plain, nil, nil, nil, []string{"doubt 7/1/autorun.yml/1: GitHub does not know run 99; it counts as gone if that lasts 10m0s"}},
		{"not there for a while", plain, nil, nil, []string{"refs/dispatcher/lost/7/1/autorun.yml/1/1795521300 7"}, []string{"wait 7/1/autorun.yml/1: GitHub does not know run 99; it counts as gone in 5m0s"}},
		{"vanished", plain, nil, nil, []string{"refs/dispatcher/lost/7/1/autorun.yml/1/1795520700 7"}, []string{"report 7/1/autorun.yml/1: GitHub does not know its run any more"}},
		{"reported", with(said("ci", id, verdict.Passed)), nil, []change.Run{ended}, nil, []string{"end 7/1/autorun.yml/1: it was reported"}},
		{"somebody else's report", with(said("eve", id, verdict.Passed)), nil, []change.Run{ended}, nil, []string{"report 7/1/autorun.yml/1: it ended without a report"}},
		{"noted as ended", plain, nil, nil, []string{"refs/dispatcher/ended/7/1/autorun.yml/1/passed 7"}, []string{"idle 1"}},
		{"replaced while it runs", replaced, nil, []change.Run{running}, []string{"refs/changes/07/7/2 2007", "refs/dispatcher/runs/7/2/autorun.yml/1/100 2007", "refs/dispatcher/ended/7/2/autorun.yml/1/passed 7"},
			[]string{"cancel 7/1/autorun.yml/1: patchset 2 replaced it"}},
		{"work in progress", wip, nil, []change.Run{running}, nil, []string{"cancel 7/1/autorun.yml/1: the change is work in progress now", "skip 7/1: work in progress"}},
		{"abandoned", nil, []change.Change{closed(7, change.Abandoned, 0)}, []change.Run{running}, nil, []string{"cancel 7/1/autorun.yml/1: the change was abandoned"}},
		{"abandoned and ended", nil, []change.Change{closed(7, change.Abandoned, 0)}, []change.Run{ended}, nil, []string{"judge 7/1/autorun.yml/1: the change was abandoned"}},
		{"hidden by a filter", nil, nil, []change.Run{running}, nil, []string{""}},
		{"lost its runner", plain, nil, nil, []string{"refs/dispatcher/ended/7/1/autorun.yml/1/runner-lost 7"}, []string{"dispatch 7/1/autorun.yml/2: retry 1 of 1: attempt 1 ended as runner-lost"}},
		{"lost its runner, as it says itself", with(said("ci", id, verdict.RunnerLost)), nil, []change.Run{ended}, nil,
			[]string{"dispatch 7/1/autorun.yml/2: retry 1 of 1: attempt 1 ended as runner-lost", "end 7/1/autorun.yml/1: it was reported"}},
		{"lost its runner again", plain, nil, nil, []string{"refs/dispatcher/ended/7/1/autorun.yml/1/runner-lost 7", "refs/dispatcher/claims/7/1/autorun.yml/2 7",
			"refs/dispatcher/runs/7/1/autorun.yml/2/100 7", "refs/dispatcher/ended/7/1/autorun.yml/2/runner-lost 7"},
			[]string{`no verdict 7/1/autorun.yml/2: given up: attempt 2 lost the runner; a comment "recheck" starts it again`}},
		{"a later attempt runs", plain, nil, []change.Run{ended, {ID: 100, Status: "queued"}}, []string{"refs/dispatcher/claims/7/1/autorun.yml/2 7", "refs/dispatcher/runs/7/1/autorun.yml/2/100 7"},
			[]string{"judge 7/1/autorun.yml/1: a later attempt replaced it"}},
		{"failed for good", plain, nil, nil, []string{"refs/dispatcher/ended/7/1/autorun.yml/1/failed 7"}, []string{"idle 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting)
			s := snapshot(p, tt.changes, append([]string{ref, claim, record}, tt.refs...)...)
			s.Closed = append(s.Closed, tt.closed...)
			s.RunsByID = map[int64]change.Run{99: {}, 100: {}}
			for _, r := range tt.run {
				s.RunsByID[r.ID] = r
			}
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

func TestRunsThatMatterAreAskedFor(t *testing.T) {
	t.Parallel()
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"}
	tests := []struct {
		name    string
		edit    func(*config.Project)
		changes []change.Change
		refs    []string
		want    Needs
	}{
		{"a run", reporting, []change.Change{open(7)}, refs, Needs{RunIDs: []int64{99}}},
		{"a run of which the number is not known", reporting, []change.Change{open(7)}, append(slices.Clone(refs[:2]), "refs/dispatcher/runs/7/1/autorun.yml/1/0 7"), Needs{}},
		{"nothing is told", func(*config.Project) {}, []change.Change{open(7)}, refs, Needs{}},
		{"ended", reporting, []change.Change{open(7)}, append(refs, "refs/dispatcher/ended/7/1/autorun.yml/1/passed 7"), Needs{}},
		{"perhaps closed", reporting, nil, refs, Needs{Closed: []int{7}}},
	}
	for _, tt := range tests {
		p := project(tt.edit, func(p *config.Project) { p.Prune.Keep, p.Report.Commands.Off = 0, true })
		s := snapshot(p, tt.changes, tt.refs...)
		s.Closed = nil
		if diff := cmp.Diff(tt.want, Make(p, s, noon).Needs); diff != "" {
			t.Errorf("%s: needs (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestStandings holds what a report is told about the other workflows.
func TestStandings(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) {
		for _, name := range []string{"docs.yml", "hw.yml", "done.yml", "new.yml"} {
			p.Workflows = append(p.Workflows, config.Workflow{Name: name, File: name})
		}
		p.Workflows[1].PathsIgnore = []string{"**"}
		p.Workflows[2].Trust = config.Trust{Label: "Allow", Value: 1}
		p.Workflows[4].Optional = true
	})
	c := open(7, func(c *change.Change) { c.Files = []string{"lib/a.c"} })
	s := snapshot(p, []change.Change{c}, "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7",
		"refs/dispatcher/claims/7/1/done.yml/1 7", "refs/dispatcher/runs/7/1/done.yml/1/98 7", "refs/dispatcher/ended/7/1/done.yml/1/failed 7")
	var got []string
	for _, st := range Standings(p, s, &c, noon) {
		got = append(got, fmt.Sprintf("%s attempt %d run %d %q expected %v optional %v", st.Workflow, st.Key.Attempt, st.RunID, st.Outcome, st.Expected, st.Optional))
	}
	want := []string{
		`autorun.yml attempt 1 run 99 "" expected true optional false`,
		`hw.yml attempt 0 run 0 "" expected true optional false`,
		`done.yml attempt 1 run 98 "failed" expected false optional false`,
		`new.yml attempt 0 run 0 "" expected true optional true`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("standings (-want +got):\n%s", diff)
	}
}
