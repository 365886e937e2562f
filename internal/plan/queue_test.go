// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// of makes a change that owner uploaded so many minutes ago.
func of(number, owner, minutes int) change.Change {
	return open(number, func(c *change.Change) {
		c.Owner.ID = owner
		c.Current.Created = noon.Add(-time.Duration(minutes) * time.Minute)
	})
}

// relayed are the refs of patchset 1 of each change.
func relayed(numbers ...int) []string {
	var refs []string
	for _, n := range numbers {
		refs = append(refs, fmt.Sprintf("%s %d", change.CustomRefs.Ref(change.ID{Change: n, Patchset: 1}), n))
	}
	return refs
}

func busyRun(number, id int) change.Run {
	return change.Run{ID: int64(id), Name: fmt.Sprintf("%d/1/autorun.yml/1", number), Workflow: "autorun.yml", Status: "in_progress"}
}

func TestOwnersTakeTurns(t *testing.T) {
	t.Parallel()
	// Ann has four old patchsets, Bob and Eve one newer each.
	changes := []change.Change{of(1, 1, 90), of(2, 1, 80), of(3, 1, 70), of(4, 1, 60), of(5, 2, 20), of(6, 3, 30)}
	p := project(func(p *config.Project) { p.Limits.PerPass = 4 })
	check(t, Make(p, snapshot(p, changes, relayed(1, 2, 3, 4, 5, 6)...), noon),
		"dispatch 1/1/autorun.yml/1: new patchset",
		"dispatch 6/1/autorun.yml/1: new patchset",
		"dispatch 5/1/autorun.yml/1: new patchset",
		"dispatch 2/1/autorun.yml/1: new patchset",
		"wait 3/1/autorun.yml/1: limit of 4 dispatches a pass; place 1 in the queue",
		"wait 4/1/autorun.yml/1: limit of 4 dispatches a pass; place 2 in the queue")
}

// TestRefusedPatchsetsHoldNobodyUp has two patchsets, the oldest ones, that the
// mirror refuses in each pass anew. They come after those that are there.
func TestRefusedPatchsetsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	changes := []change.Change{of(1, 1, 90), of(2, 2, 80), of(3, 1, 70), of(4, 3, 60)}
	p := project(func(p *config.Project) { p.Limits.PerPass = 2 })
	check(t, Make(p, snapshot(p, changes, relayed(3, 4)...), noon),
		"relay 1/1: new patchset",
		"relay 2/1: new patchset",
		"dispatch 4/1/autorun.yml/1: new patchset",
		"dispatch 3/1/autorun.yml/1: new patchset",
		"wait 1/1/autorun.yml/1: limit of 2 dispatches a pass; place 1 in the queue",
		"wait 2/1/autorun.yml/1: limit of 2 dispatches a pass; place 2 in the queue")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	changes := []change.Change{of(1, 1, 90), of(2, 1, 80), of(3, 2, 70)}
	foreign := change.Run{ID: 9, Name: "nightly", Workflow: "nightly.yml", Status: "in_progress"}
	unkeyed := change.Run{ID: 8, Name: "by hand", Workflow: "autorun.yml", Status: "queued"}
	const d1, d2, d3 = "dispatch 1/1/autorun.yml/1: new patchset", "dispatch 2/1/autorun.yml/1: new patchset", "dispatch 3/1/autorun.yml/1: new patchset"
	tests := []struct {
		name   string
		limits config.Limits
		busy   []change.Run
		want   []string
	}{
		{"none", config.Limits{}, nil, []string{d1, d3, d2}},
		{"other workflows do not count", config.Limits{Running: 3}, []change.Run{foreign, foreign}, []string{d1, d3, d2}},
		{"runs by hand count", config.Limits{Running: 2}, []change.Run{unkeyed},
			[]string{d1, "wait 3/1/autorun.yml/1: 2 runs are busy, limit 2; place 1 in the queue", "wait 2/1/autorun.yml/1: 2 runs are busy, limit 2; place 2 in the queue"}},
		{"per owner", config.Limits{PerOwner: 1}, nil,
			[]string{d1, d3, "wait 2/1/autorun.yml/1: its owner has 1 busy runs, limit 1; place 1 in the queue"}},
		{"an owner who has runs already comes last", config.Limits{PerOwner: 9, PerPass: 1}, []change.Run{busyRun(1, 7)},
			[]string{d3, "wait 1/1/autorun.yml/1: limit of 1 dispatches a pass; place 1 in the queue", "wait 2/1/autorun.yml/1: limit of 1 dispatches a pass; place 2 in the queue"}},
		{"a smaller limit holds below what fits", config.Limits{Pace: 2 * time.Minute, PerPass: 1}, nil,
			[]string{d1, "wait 3/1/autorun.yml/1: limit of 1 dispatches a pass; place 1 in the queue", "wait 2/1/autorun.yml/1: limit of 1 dispatches a pass; place 2 in the queue"}},
		{"what fits below a larger limit", config.Limits{Pace: 2 * time.Minute, PerPass: 9}, nil,
			[]string{d1, d3, "wait 2/1/autorun.yml/1: limit of 2 dispatches a pass; place 1 in the queue"}},
		{"one fits always", config.Limits{Pace: time.Hour}, nil,
			[]string{d1, "wait 3/1/autorun.yml/1: limit of 1 dispatches a pass; place 1 in the queue", "wait 2/1/autorun.yml/1: limit of 1 dispatches a pass; place 2 in the queue"}},
		{"what fits in half the grace time", config.Limits{Pace: 5 * time.Minute}, nil,
			[]string{d1, "wait 3/1/autorun.yml/1: limit of 1 dispatches a pass; place 1 in the queue", "wait 2/1/autorun.yml/1: limit of 1 dispatches a pass; place 2 in the queue"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(func(p *config.Project) { p.Limits = tt.limits })
			s := snapshot(p, changes, relayed(1, 2, 3)...)
			s.Busy = append(s.Busy, tt.busy...)
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

// TestEveryQueueDrains holds that passes which dispatch what they planned reach
// the end, start each run once, and never pass a limit, for random queues.
func TestEveryQueueDrains(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := project(func(p *config.Project) {
			p.Workflows = append(p.Workflows, config.Workflow{Name: "docs.yml", File: "docs.yml"})
			p.Limits = config.Limits{PerPass: 1 + rnd.IntN(5), Running: rnd.IntN(6), PerOwner: rnd.IntN(3)}
		})
		n := 1 + rnd.IntN(30)
		var changes []change.Change
		for i := range n {
			changes = append(changes, of(i+1, rnd.IntN(4), rnd.IntN(600)))
		}
		started, passes := map[change.Key]bool{}, 0
		var refs []string
		for len(started) < 2*n {
			if passes++; passes > 2*n+1 {
				t.Fatalf("seed %d: %d of %d runs after %d passes", seed, len(started), 2*n, passes)
			}
			s := snapshot(p, changes, refs...)
			s.Workflows["docs.yml"] = declared
			count := 0
			for _, a := range Make(p, s, noon).Actions {
				switch a.Verb {
				case Relay:
					refs = append(refs, relayed(a.Change.Number)...)
				case Dispatch:
					if started[a.Key] {
						t.Fatalf("seed %d: %s twice", seed, a.Key)
					}
					started[a.Key] = true
					count++
					l := p.Mirror.Ledger
					refs = append(refs, fmt.Sprintf("%s %d", l.Ref(change.Entry{Kind: change.Claim, Key: a.Key}), a.Change.Number),
						fmt.Sprintf("%s %d", l.Ref(change.Entry{Kind: change.RunOf, Key: a.Key, RunID: 5}), a.Change.Number))
				}
			}
			if count > p.Limits.PerPass || p.Limits.Running > 0 && count > p.Limits.Running {
				t.Fatalf("seed %d: %d dispatches in one pass with limits %+v", seed, count, p.Limits)
			}
		}
	}
}

func TestWorkflowsThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	const where = ".github/workflows/autorun.yml on main of example/ci"
	dispatchable := func(inputs map[string]change.WorkflowInput) change.WorkflowFile {
		return change.WorkflowFile{Found: true, Events: []string{"push", "workflow_dispatch"}, Inputs: inputs}
	}
	tests := []struct {
		name string
		file change.WorkflowFile
		with map[string]string
		want string
	}{
		{"missing", change.WorkflowFile{}, nil, "there is no " + where},
		{"no workflow", change.WorkflowFile{Found: true, Problem: "line 2: no"}, nil, where + " is not a workflow: line 2: no"},
		{"no trigger", change.WorkflowFile{Found: true, Events: []string{"push"}}, nil, where + " lacks the workflow_dispatch trigger"},
		{"required inputs", dispatchable(map[string]change.WorkflowInput{"size": {Required: true}, "arch": {Required: true}, "mode": {Required: true, Default: "x"}}), nil,
			where + " requires inputs that nobody gives: arch, size"},
		{"given by the configuration", dispatchable(map[string]change.WorkflowInput{"size": {Required: true}, "revision": {}}), map[string]string{"size": "9"}, ""},
		{"not an option", dispatchable(map[string]change.WorkflowInput{"project": {Options: []string{"dpdk"}}}), nil,
			where + ` allows only ["dpdk"] for its input project, not "spdk/spdk"`},
		{"nothing names the patchset", dispatchable(map[string]change.WorkflowInput{"key": {}, "project": {}}), nil,
			where + " declares no input that names the patchset: its runs would test something else"},
		{"extra input undeclared", dispatchable(nil), map[string]string{"size": "9"},
			where + " declares no input size, which the configuration sets under `with:`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(func(p *config.Project) { p.Workflows[0].With = tt.with })
			s := snapshot(p, []change.Change{open(1), open(2)}, relayed(1)...)
			s.Workflows["autorun.yml"] = tt.file
			got := Make(p, s, noon)
			if tt.want == "" {
				check(t, got, "relay 2/1: new patchset", "dispatch 1/1/autorun.yml/1: new patchset", "dispatch 2/1/autorun.yml/1: new patchset")
				return
			}
			check(t, got, "relay 2/1: new patchset",
				"wait 1/1/autorun.yml/1: its workflow cannot be started",
				"wait 2/1/autorun.yml/1: its workflow cannot be started",
				"fail autorun.yml: "+tt.want)
			if hint := got.Actions[3].Hint; hint == "" {
				t.Error("got no hint for a failing workflow")
			}
		})
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	all := map[string]change.WorkflowInput{}
	for _, name := range []string{"key", "project", "change", "patchset", "revision", "ref", "branch", "change_url",
		"GERRIT_BRANCH", "GERRIT_CHANGE_ID", "GERRIT_CHANGE_NUMBER", "GERRIT_CHANGE_URL", "GERRIT_EVENT_TYPE",
		"GERRIT_PATCHSET_NUMBER", "GERRIT_PATCHSET_REVISION", "GERRIT_PROJECT", "GERRIT_REFSPEC", "mode", "other"} {
		all[name] = change.WorkflowInput{}
	}
	only := func(names ...string) map[string]change.WorkflowInput {
		m := map[string]change.WorkflowInput{}
		for _, n := range names {
			m[n] = all[n]
		}
		return m
	}
	const url = "https://review.example.org/gerrit/c/spdk/spdk/+/7"
	ours := map[string]string{"key": "7/1/autorun.yml/1", "project": "spdk/spdk", "change": "7", "patchset": "1",
		"revision": string(rev(7)), "ref": "refs/changes/07/7/1", "branch": "master", "change_url": url}
	gerrit := map[string]string{"GERRIT_BRANCH": "master", "GERRIT_CHANGE_ID": "I" + string(rev(7)), "GERRIT_CHANGE_NUMBER": "7",
		"GERRIT_CHANGE_URL": url, "GERRIT_EVENT_TYPE": "patchset-created", "GERRIT_PATCHSET_NUMBER": "1",
		"GERRIT_PATCHSET_REVISION": string(rev(7)), "GERRIT_PROJECT": "spdk/spdk", "GERRIT_REFSPEC": "refs/changes/07/7/1"}
	merged := map[string]string{"mode": "fast"}
	for _, m := range []map[string]string{ours, gerrit} {
		for k, v := range m {
			merged[k] = v
		}
	}
	tests := []struct {
		name     string
		groups   []config.InputGroup
		with     map[string]string
		declared map[string]change.WorkflowInput
		want     map[string]string
	}{
		{"everything that is declared", nil, map[string]string{"mode": "fast"}, all, merged},
		{"one that is declared", nil, nil, only("revision"), map[string]string{"revision": string(rev(7))}},
		{"ours only", []config.InputGroup{config.DispatcherInputs}, nil, all, ours},
		{"gerrit's only", []config.InputGroup{config.GerritInputs}, nil, all, gerrit},
		{"the prototype's workflow", nil, nil, only("branch"), map[string]string{"branch": "changes/07/7/1"}},
		{"a branch beside a revision is the target", nil, nil, only("branch", "revision"), map[string]string{"branch": "master", "revision": string(rev(7))}},
		{"the prototype's meaning asked for", []config.InputGroup{config.DispatcherInputs, config.PrototypeInputs}, nil, only("branch", "key"),
			map[string]string{"branch": "changes/07/7/1", "key": "7/1/autorun.yml/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(func(p *config.Project) { p.Workflows[0].Inputs, p.Workflows[0].With = tt.groups, tt.with })
			s := snapshot(p, []change.Change{open(7)}, relayed(7)...)
			s.Workflows["autorun.yml"] = change.WorkflowFile{Found: true, Events: []string{"workflow_dispatch"}, Inputs: tt.declared}
			want := change.Call{Repository: "example/ci", Ref: "main", File: "autorun.yml", Inputs: tt.want}
			if diff := cmp.Diff(want, Make(p, s, noon).Actions[0].Call); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRepositoryDispatch(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) {
		p.Workflows = []config.Workflow{{Name: "gerrit-patchset", Event: "gerrit-patchset", With: map[string]string{"mode": "fast"}}}
	})
	s := snapshot(p, []change.Change{open(7)}, relayed(7)...)
	call := Make(p, s, noon).Actions[0].Call
	if call.Event != "gerrit-patchset" || call.File != "" || call.Ref != "" {
		t.Errorf("got call %+v, want a repository_dispatch", call)
	}
	if n := len(call.Payload); n > 10 {
		t.Errorf("got %d top-level properties, GitHub allows 10", n)
	}
	if call.Payload["key"] != "7/1/gerrit-patchset/1" || call.Payload["revision"] != string(rev(7)) {
		t.Errorf("got payload %v, want the key and the revision in it", call.Payload)
	}
	nested, ok := call.Payload["gerrit"].(map[string]string)
	if !ok || nested["GERRIT_PROJECT"] != "spdk/spdk" || len(nested) != 9 {
		t.Errorf("got gerrit group %v, want the nine", call.Payload["gerrit"])
	}
}
