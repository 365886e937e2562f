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

// TestGateOfEveryStart: whatever asks for a run, the gate is asked as well, and what
// the mirror has lost does not come back without it.
func TestGateOfEveryStart(t *testing.T) {
	t.Parallel()
	longAgo := noon.Add(-20 * time.Minute).Unix()
	for _, tt := range []struct {
		name string
		refs []string
		want string // what the open gate leads to
	}{
		{"a new patchset", nil, "dispatch 1"},
		{"a comment", []string{"runs 1/99", "ended 1/failed", "asked 2/all"}, "dispatch 2"},
		{"a comment before anything ran", []string{"asked 1/all"}, "dispatch 1"},
		{"a comment about failed jobs", []string{"runs 1/99", "ended 1/failed", "asked 2/failed"}, "dispatch 2"},
		{"a lost call", []string{"claims 1", fmt.Sprintf("lost 1/%d", longAgo)}, "dispatch 2"},
		{"the lost call of a rerun", []string{"runs 1/99", "ended 1/failed", "asked 2/failed", "claims 2", fmt.Sprintf("lost 2/%d", longAgo)}, "ask 3\ndispatch 3"},
		{"a lost runner", []string{"runs 1/99", "ended 1/runner-lost"}, "dispatch 2"},
		{"a change that is back", []string{"runs 1/99", "ended 1/superseded"}, "dispatch 2"},
	} {
		for _, open7 := range []bool{true, false} {
			for _, lost := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, voted %v, off the mirror %v", tt.name, open7, lost), func(t *testing.T) {
					t.Parallel()
					p := project(reporting, gatedBy(byLabel), func(p *config.Project) { p.Report.Commands.Off = true })
					c := open(7, patchset(2, change.Rework))
					if open7 {
						voted(1, 5)(&c)
					}
					refs := refsOf(tt.refs...)
					if lost {
						refs = refs[2:] // somebody has deleted both patchsets
					}
					s := snapshot(p, []change.Change{c}, refs...)
					s.RunsByID = map[int64]change.Run{99: {ID: 99, Status: "completed", Conclusion: "failure", Attempt: 1, Updated: noon}}
					made := Make(p, s, noon)
					var got []string
					for _, a := range made.Actions {
						switch a.Verb {
						case Relay, Ask, Dispatch, Wait:
							got = append(got, strings.TrimSuffix(fmt.Sprintf("%s %d", a.Verb, a.Key.Attempt), " 0"))
						}
					}
					want := tt.want
					if lost {
						want = "relay\n" + want
					}
					if !open7 {
						want = "wait"
					}
					text := strings.Join(got, "\n")
					if !open7 && len(got) == 1 && made.Actions[len(made.Actions)-1].Verb == Wait {
						text = "wait"
					}
					if text != want {
						t.Errorf("got %q, want %q in\n%v", text, want, made.Actions)
					}
				})
			}
		}
	}
}

// TestCarriedToTheUntrusted: a result that stands needs nothing of the new patchset.
func TestCarriedToTheUntrusted(t *testing.T) {
	t.Parallel()
	p := project(gatedBy(byLabel), reporting, func(p *config.Project) {
		p.Report.Commands.Off, p.Workflows[0].TrivialRebase = true, config.CarryKind
	})
	for _, trusted := range []bool{true, false} {
		c := open(7, patchset(2, change.TrivialRebase))
		if trusted {
			voted(1, 5)(&c)
		}
		s := snapshot(p, []change.Change{c}, "refs/changes/07/7/1 7", below("runs 1/99"), below("ended 1/passed"))
		s.RunsByID = map[int64]change.Run{99: {ID: 99, Status: "completed", Conclusion: "success", Attempt: 1, Updated: noon}}
		relayed, carried := false, false
		for _, a := range Make(p, s, noon).Actions {
			relayed, carried = relayed || a.Verb == Relay, carried || a.Verb == Carry
		}
		if relayed != trusted || !carried {
			t.Errorf("trusted %v: relayed %v, carried %v", trusted, relayed, carried)
		}
	}
}

// TestGateIsOfItsWorkflow: one without a gate has the patchset relayed.
func TestGateIsOfItsWorkflow(t *testing.T) {
	t.Parallel()
	p := project(gatedBy(byLabel), func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "docs.yml", File: "docs.yml"})
	})
	s := snapshot(p, []change.Change{open(1)})
	s.Workflows["docs.yml"] = declared
	check(t, Make(p, s, noon), "relay 1/1: new patchset", "dispatch 1/1/docs.yml/1: new patchset",
		"wait 1/1/autorun.yml/0: waits for Allow-CI +1 from somebody else than its author")
}

// TestMergedIsTrusted: what was merged was looked at, whatever the votes are.
func TestMergedIsTrusted(t *testing.T) {
	t.Parallel()
	p := project(gatedBy(byLabel))
	b := newBuilder(p, snapshot(p, nil), noon)
	c := open(1, above(2))
	if reason := b.gateReason(&c, byLabel); reason == "" {
		t.Error("an open change without votes is trusted")
	}
	c.Status = change.Merged
	if reason := b.gateReason(&c, byLabel); reason != "" {
		t.Errorf("merged, got %q", reason)
	}
}
