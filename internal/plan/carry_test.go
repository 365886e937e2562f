// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// on makes the name of a ledger ref about autorun.yml and any patchset of change 7.
func on(ps string, entry string) string {
	return strings.Replace(strings.Replace(about(entry), "/7/2/", "/7/"+ps+"/", 1), " 2007", " 500", 1)
}

// TestCarrySources: the state of the nearest patchset that was tested is taken over,
// if nothing but kinds that carry lies between.
func TestCarrySources(t *testing.T) {
	t.Parallel()
	const (
		mirrored = "refs/changes/07/7/3 3007"
		start    = "dispatch 7/3/autorun.yml/1: new patchset"
	)
	rebase, message, rework := change.TrivialRebase, change.NoCodeChange, change.Rework
	// kinds are those of patchsets 2 and 3.
	kinds := func(two, three change.Kind) func(*change.Change) {
		return func(c *change.Change) {
			patchset(3, three)(c)
			c.Earlier = []change.Patchset{{Number: 1, Kind: rework}, {Number: 2, Kind: two}}
		}
	}
	unknown := func(three change.Kind) func(*change.Change) {
		return func(c *change.Change) { kinds(rework, three)(c); c.Earlier = nil }
	}
	gone := func(c *change.Change) { kinds(rework, rebase)(c); c.Earlier = c.Earlier[:1] } // patchset 2 was deleted
	passed := func(ps string) []string { return []string{on(ps, "runs 1/99"), on(ps, "ended 1/passed")} }
	saying := func(o verdict.Outcome) func(*change.Change) {
		return func(c *change.Change) {
			c.Messages = []change.Message{said("ci", change.ID{Change: 7, Patchset: 1}, o)}
		}
	}
	stands := func(ps, attempt string) string {
		return "carry 7/3/autorun.yml/" + attempt + ": trivial rebase: the result of patchset " + ps + " stands"
	}
	waits := func(ps string) string {
		return "wait 7/3/autorun.yml/0: trivial rebase: waits for the run of patchset " + ps + ", whose result will stand"
	}
	judged := "judge 7/1/autorun.yml/1: a later patchset takes its result over"
	run := func(status, conclusion string) change.Run {
		return change.Run{ID: 99, Status: status, Conclusion: conclusion, Updated: noon.Add(-time.Hour)}
	}
	running, ended := run("in_progress", ""), run("completed", "success")
	tests := []struct {
		name   string
		change []func(*change.Change)
		refs   []string
		run    change.Run
		want   []string
	}{
		{"over two rebases", []func(*change.Change){kinds(rebase, rebase)}, passed("1"), ended, []string{stands("1", "1")}},
		{"the nearest one", []func(*change.Change){kinds(rebase, rebase)}, append(passed("1"), passed("2")...), ended, []string{stands("2", "1")}},
		{"over a rework", []func(*change.Change){kinds(rework, rebase)}, passed("1"), ended, []string{start}},
		{"over a kind that runs", []func(*change.Change){kinds(message, rebase)}, passed("1"), ended, []string{start}},
		{"over a patchset that was deleted", []func(*change.Change){gone}, passed("1"), ended, []string{stands("1", "1")}},
		{"of one that carries itself", []func(*change.Change){kinds(rebase, rebase)}, append(passed("1"), on("2", "carried 1/1")), ended,
			[]string{stands("1", "1"), "end 7/2/autorun.yml/1: patchset 3 replaced it"}},
		{"of one that carries and was told", []func(*change.Change){kinds(rebase, rebase)}, append(passed("1"), on("2", "carried 1/1"), on("2", "ended 1/passed")), ended, []string{stands("1", "1")}},
		{"the kinds between cannot be seen", []func(*change.Change){unknown(rebase)}, passed("1"), ended, []string{start}},
		{"the one before, of which nothing is listed", []func(*change.Change){unknown(rebase)}, passed("2"), ended, []string{stands("2", "1")}},
		{"nothing was tested", []func(*change.Change){kinds(rebase, rebase)}, nil, ended, []string{start}},

		{"it goes on", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "claims 1"), on("1", "runs 1/99")}, running, []string{waits("1")}},
		{"it has ended, and nobody has noted that", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "claims 1"), on("1", "runs 1/99")}, ended, []string{judged, waits("1")}},
		{"it is told, and nobody has noted that", []func(*change.Change){kinds(rebase, rebase), saying(verdict.Passed)}, []string{on("1", "claims 1"), on("1", "runs 1/99")}, ended,
			[]string{stands("1", "1"), "end 7/1/autorun.yml/1: it was reported"}},
		{"it is told that it was lost", []func(*change.Change){kinds(rebase, rebase), saying(verdict.RunnerLost)}, []string{on("1", "claims 1"), on("1", "runs 1/99")}, ended,
			[]string{start, "end 7/1/autorun.yml/1: it was reported"}},
		{"its refs had to leave the mirror", []func(*change.Change){kinds(rebase, rebase), saying(verdict.Passed)}, []string{on("1", "ended 1/superseded")}, ended, []string{stands("1", "1")}},
		{"it was called off, and nothing was told", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "ended 1/superseded")}, ended, []string{start}},
		{"it was only called for", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "claims 1")}, running,
			[]string{"doubt 7/1/autorun.yml/1: attempt 1 is claimed and no run is seen; lost if that lasts 10m0s", start}},
		{"its number is not known", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "claims 1"), on("1", "runs 1/0")}, running, []string{start}},
		{"it told nothing", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "runs 1/99"), on("1", "ended 1/cancelled")}, ended, []string{start}},
		{"it told nothing after a result", []func(*change.Change){kinds(rebase, rebase)},
			[]string{on("1", "runs 1/99"), on("1", "ended 1/failed"), on("1", "runs 2/100"), on("1", "ended 2/cancelled")}, ended, []string{stands("1", "1")}},
		{"a rerun of it goes on", []func(*change.Change){kinds(rebase, rebase)},
			[]string{on("1", "runs 1/98"), on("1", "ended 1/failed"), on("1", "runs 2/99")}, running, []string{waits("1")}},
		{"the last attempt counts", []func(*change.Change){kinds(rebase, rebase)},
			[]string{on("1", "runs 1/98"), on("1", "ended 1/failed"), on("1", "runs 2/99"), on("1", "ended 2/passed")}, ended, []string{stands("1", "2")}},

		{"an attempt before it goes on, too", []func(*change.Change){kinds(rebase, rebase)}, []string{on("1", "runs 1/100"), on("1", "runs 2/99")}, running,
			[]string{"cancel 7/1/autorun.yml/1: patchset 3 replaced it", waits("1")}},
		{"a rework follows while it goes on", []func(*change.Change){kinds(rebase, rework)}, []string{on("1", "claims 1"), on("1", "runs 1/99")}, running,
			[]string{start, "cancel 7/1/autorun.yml/1: patchset 3 replaced it"}},
		{"a run between goes on, too", []func(*change.Change){kinds(rework, rebase)}, []string{on("1", "runs 1/99"), on("2", "runs 1/100")}, running,
			[]string{"cancel 7/1/autorun.yml/1: patchset 3 replaced it", waits("2")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) {
				p.Workflows[0].TrivialRebase, p.Report.Commands.Off = config.CarryKind, true
			})
			s := snapshot(p, []change.Change{open(7, tt.change...)}, append([]string{mirrored}, tt.refs...)...)
			s.RunsByID = map[int64]change.Run{98: {ID: 98, Status: "completed"}, 99: tt.run, 100: {ID: 100, Status: "in_progress"}}
			for i, line := range tt.want {
				if strings.HasPrefix(line, "carry") {
					// It is told in the same pass.
					key, _, _ := strings.Cut(strings.TrimPrefix(line, "carry "), ":")
					_, stands, _ := strings.Cut(line, "rebase: ")
					tt.want = slices.Insert(slices.Clone(tt.want), i+1, "report "+key+": "+stands)
				}
			}
			check(t, Make(p, s, noon), tt.want...)
		})
	}
}

// TestCarryAsksForKinds: nothing is started, carried or cancelled before the kinds
// of the patchsets between are known.
func TestCarryAsksForKinds(t *testing.T) {
	t.Parallel()
	p := project(reporting, func(p *config.Project) {
		p.Workflows[0].TrivialRebase, p.Report.Commands.Off = config.CarryKind, true
	})
	refs := []string{"refs/changes/07/7/3 3007", on("1", "claims 1"), on("1", "runs 1/99")}
	s := snapshot(p, []change.Change{open(7, patchset(3, change.TrivialRebase))}, refs...)
	s.RunsByID, s.Fresh = map[int64]change.Run{99: {ID: 99, Status: "in_progress"}}, map[int]bool{}
	got := Make(p, s, noon)
	check(t, got, "wait 7/3/autorun.yml/0: its earlier patchsets are not known yet")
	if len(got.Needs.Fresh) != 1 || got.Needs.Fresh[0] != 7 {
		t.Errorf("got needs %+v, want change 7 to be read", got.Needs)
	}
	// The first patchset differs from nothing: its kind need not be known.
	s = snapshot(p, []change.Change{open(7, patchset(2, change.TrivialRebase))}, refsOf()...)
	s.Fresh = map[int]bool{}
	check(t, Make(p, s, noon), "dispatch 7/2/autorun.yml/1: new patchset")
}

// TestCarryWithoutReports: where results are not told, GitHub's word on the run must
// do, and a run that failed may have lost its runner.
func TestCarryWithoutReports(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Workflows[0].TrivialRebase = config.CarryKind })
	for refs, want := range map[string]string{
		"runs 1/97":   "dispatch 7/2/autorun.yml/1: new patchset",
		"runs 1/98":   "wait 7/2/autorun.yml/0: trivial rebase: waits for the run of patchset 1, whose result will stand",
		"runs 1/99":   "carry 7/2/autorun.yml/1: trivial rebase: the result of patchset 1 stands",
		"runs 1/96":   "dispatch 7/2/autorun.yml/1: new patchset",
		"runs 1/0":    "dispatch 7/2/autorun.yml/1: new patchset",
		"claims 1":    "dispatch 7/2/autorun.yml/1: new patchset",
		"asked 1/all": "dispatch 7/2/autorun.yml/1: new patchset",
	} {
		s := snapshot(p, []change.Change{open(7, patchset(2, change.TrivialRebase))}, refsOf("1: "+refs)...)
		s.RunsByID = map[int64]change.Run{
			96: {}, 97: {ID: 97, Status: "completed", Conclusion: "failure"}, 98: {ID: 98, Status: "queued"}, 99: {ID: 99, Status: "completed", Conclusion: "success"},
		}
		check(t, Make(p, s, noon), want)
	}
}
