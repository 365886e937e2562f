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

// TestForeign: a run is taken for the one of a key unless something that it says of
// itself speaks against that.
func TestForeign(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) {
		p.Workflows = append(p.Workflows, config.Workflow{Name: "patchset", Event: "patchset"})
	})
	const key = "7/2/autorun.yml/2"
	tests := []struct {
		name string
		key  string
		run  change.Run
		want string // "" is not foreign
	}{
		{"its own", key, change.Run{Name: key + " (lib: fix)", Workflow: "autorun.yml", Event: "workflow_dispatch"}, ""},
		{"nothing is said", key, change.Run{}, ""},
		{"no key in its name", key, change.Run{Name: "autorun 7/2", Workflow: "autorun.yml", Event: "workflow_dispatch"}, ""},
		{"failed jobs of an earlier attempt", key, change.Run{Name: "7/2/autorun.yml/1"}, ""},
		{"a later attempt", key, change.Run{Name: "7/2/autorun.yml/3"}, "its name shows the key 7/2/autorun.yml/3"},
		{"another change", key, change.Run{Name: "8/2/autorun.yml/2"}, "its name shows the key 8/2/autorun.yml/2"},
		{"another patchset", key, change.Run{Name: "7/1/autorun.yml/2"}, "its name shows the key 7/1/autorun.yml/2"},
		{"another workflow's key", key, change.Run{Name: "7/2/docs.yml/2"}, "its name shows the key 7/2/docs.yml/2"},
		{"another server", key, change.Run{Name: "nova+7/2/autorun.yml/2"}, "its name shows the key nova+7/2/autorun.yml/2"},
		{"another file", key, change.Run{Name: key, Workflow: "docs.yml"}, "it is a run of docs.yml"},
		{"another event", key, change.Run{Name: key, Workflow: "autorun.yml", Event: "push"}, "it was started by push"},
		{"the other way to start one", key, change.Run{Name: key, Event: "repository_dispatch"}, "it was started by repository_dispatch"},
		{"of an event, in any file", "7/2/patchset/1", change.Run{Workflow: "any.yml", Event: "repository_dispatch"}, ""},
		{"of an event, started by hand", "7/2/patchset/1", change.Run{Workflow: "any.yml", Event: "workflow_dispatch"}, "it was started by workflow_dispatch"},
		{"no longer configured", "7/2/gone.yml/1", change.Run{Workflow: "any.yml", Event: "push"}, ""},
		{"no longer configured, another's", "7/2/gone.yml/1", change.Run{Name: "8/2/gone.yml/1"}, "its name shows the key 8/2/gone.yml/1"},
		{"hostile", key, change.Run{Workflow: "a\n::error::b"}, "it is a run of a ::error::b"},
	}
	for _, tt := range tests {
		k, err := change.ParseKey(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		if got := Foreign(p, k, tt.run); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestRecordsThatDoNotCount: who may write to the mirror can neither make a run of
// something else the run of a patchset, nor end one that nobody has seen.
func TestRecordsThatDoNotCount(t *testing.T) {
	t.Parallel()
	own := change.Run{ID: 99, Name: "7/2/autorun.yml/1", Workflow: "autorun.yml", Event: "workflow_dispatch", Status: "in_progress"}
	ended, passed := own, own
	ended.Status, ended.Conclusion, ended.Updated = "completed", "failure", noon.Add(-time.Hour)
	passed.Status, passed.Conclusion, passed.Updated = "completed", "success", noon.Add(-time.Hour)
	other := passed
	other.Name = "8/1/autorun.yml/1"
	told := said("ci", change.ID{Change: 7, Patchset: 2}, verdict.Passed)
	const runs, end = "refs/dispatcher/runs/7/2/autorun.yml/1/99", "refs/dispatcher/ended/7/2/autorun.yml/1/passed"
	const start = "dispatch 7/2/autorun.yml/1: new patchset"
	const second = "dispatch 7/2/autorun.yml/2: new patchset" // no run under the key of an end that is made up
	tests := []struct {
		name     string
		refs     []string
		run      change.Run
		messages []change.Message
		want     string
		warnings []string
	}{
		{"its own run", []string{"claims 1", "runs 1/99"}, own, nil, "idle 1", nil},
		{"another change's run", []string{"runs 1/99"}, other, nil, start,
			[]string{runs + " does not count: run 99 is not the one of 7/2/autorun.yml/1: its name shows the key 8/1/autorun.yml/1"}},
		{"another change's run, claimed", []string{"claims 1", "runs 1/99"}, other, nil, "doubt 7/2/autorun.yml/1: attempt 1 is claimed and no run is seen; lost if that lasts 10m0s",
			[]string{runs + " does not count: run 99 is not the one of 7/2/autorun.yml/1: its name shows the key 8/1/autorun.yml/1"}},
		{"an end without a run", []string{"ended 1/passed"}, own, nil, second,
			[]string{end + " does not count: 7/2/autorun.yml/1 has no run"}},
		{"an end without a run, with its time", []string{"ended 1/passed/1795521600"}, own, nil, second,
			[]string{end + "/1795521600 does not count: 7/2/autorun.yml/1 has no run"}},
		{"two ends without a run", []string{"ended 1/passed", "ended 2/failed"}, own, nil, "dispatch 7/2/autorun.yml/3: new patchset",
			[]string{"refs/dispatcher/ended/7/2/autorun.yml/2/failed does not count: 7/2/autorun.yml/2 has no run", end + " does not count: 7/2/autorun.yml/1 has no run"}},
		{"an end without a run that is known", []string{"claims 1", "runs 1/0", "ended 1/passed"}, own, nil, "wait 7/2/autorun.yml/1: GitHub took the call without telling the run, which is not seen yet",
			[]string{end + " does not count: 7/2/autorun.yml/1 has no run"}},
		{"an end without a run that was told", []string{"ended 1/passed"}, own, []change.Message{told}, "idle 1", nil},
		{"an end without a result ends nothing", []string{"ended 1/superseded"}, own, nil, "dispatch 7/2/autorun.yml/2: attempt 1 was stopped, and the reason for that is gone", nil},
		{"its end was told", []string{"claims 1", "runs 1/99", "ended 1/passed"}, passed, []change.Message{told}, "idle 1", nil},
		{"its end was not told", []string{"claims 1", "runs 1/99", "ended 1/passed"}, passed, nil, "vote 7/2/autorun.yml/1: its result was not told yet", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
			c := open(7, patchset(2, change.Rework), func(c *change.Change) {
				c.Messages = append([]change.Message{{ID: "u", Text: "Uploaded patch set 2."}}, tt.messages...)
			})
			s := snapshot(p, []change.Change{c}, refsOf(tt.refs...)...)
			s.RunsByID, s.Hidden = map[int64]change.Run{99: tt.run, 70: {}}, map[int]bool{8: false}
			got := Make(p, s, noon)
			if text := strings.TrimSpace(text(got)); text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
			if !got.Needs.None() {
				t.Errorf("got needs %+v, want none", got.Needs)
			}
			var want []string
			for _, w := range tt.warnings {
				want = append(want, "the mirror's "+w+"; somebody else wrote it, or the run was changed")
			}
			if diff := cmp.Diff(want, got.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOthersRunsAreNotRunAgain: failed jobs are run again of the patchset's own run,
// whatever the ledger says.
func TestOthersRunsAreNotRunAgain(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
	failed := func(id int64, name string) change.Run {
		return change.Run{ID: id, Name: name, Status: "completed", Conclusion: "failure", Attempt: 1, Updated: noon.Add(-time.Hour)}
	}
	for _, forged := range []string{"runs 1/98", "runs 1/100"} {
		s := snapshot(p, []change.Change{open(7, patchset(2, change.Rework))}, refsOf("runs 1/99", "ended 1/failed", "asked 2/failed", forged)...)
		s.RunsByID = map[int64]change.Run{98: failed(98, "8/1/autorun.yml/1"), 99: failed(99, "7/2/autorun.yml/1"), 100: failed(100, "8/1/autorun.yml/1"), 70: {}}
		made := Make(p, s, noon)
		check(t, made, "dispatch 7/2/autorun.yml/2: a comment asks for its failed jobs")
		if len(made.Actions) != 1 || made.Actions[0].Rerun != 99 || len(made.Warnings) != 1 {
			t.Errorf("%s: got %+v and warnings %q", forged, made.Actions, made.Warnings)
		}
	}
}

// TestCarriedRecordsThatDoNotCount: a carried result needs one below it, of a run of
// that patchset.
func TestCarriedRecordsThatDoNotCount(t *testing.T) {
	t.Parallel()
	own := change.Run{ID: 98, Name: "7/1/autorun.yml/1", Workflow: "autorun.yml", Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour)}
	other := own
	other.Name = "8/1/autorun.yml/1"
	const start = "dispatch 7/2/autorun.yml/1: new patchset"
	tests := []struct {
		name   string
		refs   []string
		run    change.Run
		want   string
		warned bool
	}{
		{"a result", []string{"carried 1/1", "1: runs 1/98", "1: ended 1/passed"}, own, "report 7/2/autorun.yml/1: the result of patchset 1 stands", false},
		{"a red result", []string{"carried 1/1", "1: runs 1/98", "1: ended 1/failed"}, own, "report 7/2/autorun.yml/1: the result of patchset 1 stands", false},
		{"two passes have noted its end", []string{"carried 1/1", "1: runs 1/0", "1: runs 1/98", "1: ended 1/passed", "1: ended 1/superseded"}, own, "report 7/2/autorun.yml/1: the result of patchset 1 stands", false},
		{"nothing below", []string{"carried 1/1"}, own, start, true},
		{"no end below", []string{"carried 1/1", "1: runs 1/98"}, own, "", true},
		{"no run below", []string{"carried 1/1", "1: ended 1/passed"}, own, "", true},
		{"no result below", []string{"carried 1/1", "1: runs 1/98", "1: ended 1/cancelled"}, own, start, true},
		{"another change's run below", []string{"carried 1/1", "1: runs 1/98", "1: ended 1/passed"}, other, "", true},
		{"another attempt's result below", []string{"carried 1/1", "1: runs 1/98", "1: ended 2/passed"}, own, "", true},
		{"the end is another patchset's", []string{"carried 1/1", "1: runs 1/98", "ended 1/passed"}, own, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) {
				p.Workflows[0].NoCodeChange, p.Report.Commands.Off = config.CarryKind, true
			})
			c := open(7, patchset(2, change.NoCodeChange), func(c *change.Change) { c.Messages = []change.Message{{ID: "u", Text: "Uploaded patch set 2."}} })
			s := snapshot(p, []change.Change{c}, refsOf(tt.refs...)...)
			s.RunsByID = map[int64]change.Run{98: tt.run, 70: {}}
			got := Make(p, s, noon)
			if text := strings.TrimSpace(text(got)); tt.want != "" && text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
			const warning = "the mirror's refs/dispatcher/carried/7/2/autorun.yml/1/1 does not count: 7/1/autorun.yml/1 has no result that could stand for 7/2"
			if warned := strings.Contains(fmt.Sprint(got.Warnings), warning); warned != tt.warned {
				t.Errorf("warned: got %v (%q), want %v", warned, got.Warnings, tt.warned)
			}
			if st := Standings(p, s, &c, noon); tt.warned && (len(st) != 1 || st[0].From != 0) {
				t.Errorf("got %+v, want nothing carried", st)
			}
		})
	}
}

// TestCarriedOverAChangeOfCode: whatever the ledger says, a result stands for no
// patchset whose code differs from the one that was tested.
func TestCarriedOverAChangeOfCode(t *testing.T) {
	t.Parallel()
	own := change.Run{ID: 98, Name: "7/1/autorun.yml/1", Workflow: "autorun.yml", Status: "completed", Conclusion: "success", Updated: noon.Add(-time.Hour)}
	refs := []string{"refs/changes/07/7/3 3007", below("runs 1/98"), below("ended 1/passed"), strings.Replace(about("carried 1/1"), "/7/2/", "/7/3/", 1)}
	earlier := func(kind change.Kind) func(*change.Change) {
		return func(c *change.Change) { c.Earlier = []change.Patchset{{Number: 1}, {Number: 2, Kind: kind}} }
	}
	const stands, start = "report 7/3/autorun.yml/1: the result of patchset 1 stands", "dispatch 7/3/autorun.yml/1: new patchset"
	tests := []struct {
		name  string
		kinds []func(*change.Change)
		fresh bool
		want  string
		asks  bool
	}{
		{"nothing but rebases", []func(*change.Change){patchset(3, change.TrivialRebase), earlier(change.TrivialRebaseMessage)}, true, stands, false},
		{"nothing but messages", []func(*change.Change){patchset(3, change.NoCodeChange), earlier(change.NoChange)}, true, stands, false},
		{"code in the last patchset", []func(*change.Change){patchset(3, change.Rework), earlier(change.NoCodeChange)}, true, start, false},
		{"code in the one before", []func(*change.Change){patchset(3, change.NoCodeChange), earlier(change.Rework)}, true, start, false},
		{"a kind that is new", []func(*change.Change){patchset(3, "MERGE_FIRST_PARENT_UPDATE"), earlier(change.NoCodeChange)}, true, start, false},
		{"the one before is not known yet", []func(*change.Change){patchset(3, change.NoCodeChange)}, false, "", true},
		{"the one before cannot be seen", []func(*change.Change){patchset(3, change.NoCodeChange)}, true, start, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) {
				p.Workflows[0].NoCodeChange, p.Workflows[0].TrivialRebase, p.Report.Commands.Off = config.CarryKind, config.CarryKind, true
			})
			s := snapshot(p, []change.Change{open(7, tt.kinds...)}, refs...)
			s.RunsByID = map[int64]change.Run{98: own}
			s.Fresh[7] = tt.fresh
			got := Make(p, s, noon)
			if asks := len(got.Needs.Fresh) > 0; asks != tt.asks {
				t.Errorf("asks for the change: got %v, want %v", asks, tt.asks)
			}
			const doubt = "carried/7/3/autorun.yml/1/1 does not count: the code of 7/3 is not that of patchset 1, as far as Gerrit says"
			if warned := strings.Contains(fmt.Sprint(got.Warnings), doubt); warned != (tt.want == start) {
				t.Errorf("got warnings %q", got.Warnings)
			}
			if text := strings.TrimSpace(text(got)); !tt.asks && text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
		})
	}
}

// TestCarriedElsewhere: of a patchset that is not known yet, because Gerrit's index is
// late, and of a change that was closed nothing is said, and nothing is doubted.
func TestCarriedElsewhere(t *testing.T) {
	t.Parallel()
	refs := []string{below("runs 1/98"), below("ended 1/passed"), about("carried 1/1"), about("ended 1/passed")}
	p := project(reporting, func(p *config.Project) { p.Report.Commands.Off, p.Prune.Keep = true, 0 })
	late := snapshot(p, []change.Change{open(7, func(c *change.Change) { c.WIP = true })}, refs...)
	check(t, Make(p, late, noon), "skip 7/1: work in progress")
	gone := snapshot(p, nil, refs...)
	gone.Closed = []change.Change{closed(7, change.Merged, 0)}
	check(t, Make(p, gone, noon), "")
	if warnings := append(Make(p, late, noon).Warnings, Make(p, gone, noon).Warnings...); len(warnings) > 0 {
		t.Errorf("got warnings %q, want none", warnings)
	}
}

// TestEndsAreVerified: the run of an end that we have not told is read first; where
// GitHub does not answer, nothing is built on it.
func TestEndsAreVerified(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
	refs := []string{"refs/changes/07/7/2 2007", about("claims 1"), about("runs 1/99"), about("ended 1/passed")}
	told := said("ci", change.ID{Change: 7, Patchset: 2}, verdict.Passed)
	for _, tt := range []struct {
		name     string
		messages []change.Message
		away     string
		off      bool
		want     []int64
	}{
		{"not told", []change.Message{{ID: "u"}}, "", false, []int64{99}},
		{"told", []change.Message{told}, "", false, nil},
		{"messages are not known", nil, "", false, nil},
		{"GitHub is away", []change.Message{{ID: "u"}}, "GitHub is away", false, nil},
		{"nothing is told", []change.Message{{ID: "u"}}, "", true, nil},
	} {
		p := *p
		if tt.off {
			p.Report.Label = ""
		}
		s := snapshot(&p, []change.Change{open(7, patchset(2, change.Rework), func(c *change.Change) { c.Messages = tt.messages })}, refs...)
		s.NoGitHub = tt.away
		if diff := cmp.Diff(tt.want, Make(&p, s, noon).Needs.RunIDs); diff != "" {
			t.Errorf("%s: runs to be read (-want +got):\n%s", tt.name, diff)
		}
	}
}
