// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// about makes the name of a ledger ref about autorun.yml and patchset 2 of change 7.
func about(entry string) string {
	kind, rest, _ := strings.Cut(entry, " ")
	return "refs/dispatcher/" + kind + "/7/2/autorun.yml/" + rest + " 2007"
}

// below is the same for patchset 1.
func below(entry string) string {
	return strings.Replace(strings.Replace(about(entry), "/7/2/", "/7/1/", 1), " 2007", " 7", 1)
}

// refsOf are the refs of several entries, and those that say nothing of them:
// about another patchset, workflow and change.
func refsOf(entries ...string) []string {
	refs := []string{"refs/changes/07/7/1 7", "refs/changes/07/7/2 2007"}
	for _, e := range entries {
		if old, ok := strings.CutPrefix(e, "1: "); ok {
			refs = append(refs, below(old))
			continue
		}
		if next, ok := strings.CutPrefix(e, "3: "); ok {
			refs = append(refs, strings.Replace(about(next), "/7/2/", "/7/3/", 1))
			continue
		}
		refs = append(refs, about(e))
	}
	for _, noise := range []string{"claims 7", "runs 7/70", "ended 7/failed", "ended 6/runner-lost", "asked 8/all", "stopped 9"} {
		refs = append(refs,
			strings.Replace(about(noise), "autorun.yml", "else.yml", 1),
			strings.Replace(about(noise), "/7/2/", "/7/3/", 1),
			strings.Replace(about(noise), "/7/2/", "/8/2/", 1))
	}
	return refs
}

// standingText prints a standing, without what is zero.
func standingText(st Standing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", st.Key.Attempt)
	for _, part := range []struct {
		is   bool
		text string
	}{
		{st.RunID != 0, fmt.Sprintf("run %d", st.RunID)}, {st.From != 0, fmt.Sprintf("from %d", st.From)}, {st.Claimed, "claimed"},
		{st.Outcome != "", string(st.Outcome)}, {st.Expected, "expected"}, {st.CalledOff, "off"}, {st.Wasted != 0, fmt.Sprintf("wasted %d", st.Wasted)},
		{st.Before != Before{}, fmt.Sprintf("before %d run %d %s", st.Before.Key.Attempt, st.Before.RunID, st.Before.Outcome)},
	} {
		if part.is {
			b.WriteString(", " + part.text)
		}
	}
	return b.String()
}

// TestStandingOf reads the ledger in any order.
func TestStandingOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		refs []string
		want string
	}{
		{"nothing", nil, "0, expected"},
		{"claimed", []string{"claims 1"}, "1, claimed, expected"},
		{"going on", []string{"claims 1", "runs 1/99"}, "1, run 99, expected"},
		{"accepted without a number", []string{"claims 1", "runs 1/0"}, "1, expected"},
		{"two passes have noted it", []string{"claims 1", "runs 1/0", "runs 1/99"}, "1, run 99, expected"},
		{"ended", []string{"claims 1", "runs 1/99", "ended 1/passed"}, "1, run 99, passed"},
		{"the claim was pruned", []string{"ended 1/passed/1795521600", "runs 1/99"}, "1, run 99, passed"},
		{"only its end stays", []string{"ended 3/superseded/1795521600"}, "3, superseded, expected"},
		{"lost, and tried again", []string{"runs 1/99", "ended 1/runner-lost", "claims 2"}, "2, claimed, expected, wasted 1"},
		{"lost twice", []string{"runs 1/98", "ended 1/runner-lost", "runs 2/99", "ended 2/setup-failed"}, "2, run 99, setup-failed, expected, wasted 2"},
		{"lost elsewhere", []string{"1: runs 1/97", "1: ended 1/runner-lost", "runs 1/99", "ended 1/runner-lost"}, "1, run 99, runner-lost, expected, wasted 1"},
		{"lost three times", []string{"runs 1/97", "ended 1/runner-lost", "ended 2/setup-failed", "runs 3/99", "ended 3/stale"}, "3, run 99, stale, wasted 3"},
		{"a failed test wastes nothing", []string{"ended 1/failed", "runs 2/99", "ended 2/runner-lost"}, "2, run 99, runner-lost, expected, wasted 1, before 1 run 0 failed"},
		{"a comment begins anew", []string{"ended 1/runner-lost", "ended 2/runner-lost", "asked 3/all", "runs 3/99", "ended 3/runner-lost"}, "3, run 99, runner-lost, expected, wasted 1"},
		{"the latest comment does", []string{"ended 1/runner-lost", "asked 2/all", "ended 2/runner-lost", "asked 3/all", "runs 3/99", "ended 3/runner-lost"}, "3, run 99, runner-lost, expected, wasted 1"},
		{"asked for", []string{"runs 1/99", "ended 1/failed", "asked 2/all"}, "2, expected"},
		{"asked for twice", []string{"runs 1/99", "ended 1/failed", "asked 2/all", "asked 3/all"}, "3, expected"},
		{"asked for and there", []string{"runs 1/98", "ended 1/failed", "asked 2/all", "claims 2"}, "2, claimed, expected, before 1 run 98 failed"},
		{"failed jobs, called for", []string{"runs 1/98", "ended 1/failed", "asked 2/failed", "claims 2"}, "2, run 98, claimed, expected, before 1 run 98 failed"},
		{"failed jobs, noted", []string{"runs 1/98", "ended 1/failed", "asked 2/failed", "claims 2", "runs 2/98"}, "2, run 98, expected, before 1 run 98 failed"},
		{"failed jobs, replaced by a new run", []string{"runs 1/98", "ended 1/failed", "asked 2/failed", "claims 2", "runs 2/99"}, "2, run 99, expected, before 1 run 98 failed"},
		{"a result before one that told nothing", []string{"runs 1/98", "ended 1/failed", "runs 2/99", "ended 2/cancelled"}, "2, run 99, cancelled, before 1 run 98 failed"},
		{"the number of its run came later", []string{"runs 1/0", "runs 1/98", "ended 1/passed", "runs 2/99", "ended 2/cancelled"}, "2, run 99, cancelled, before 1 run 98 passed"},
		{"the latest of two results", []string{"runs 1/97", "ended 1/passed", "runs 2/98", "ended 2/failed", "runs 3/99", "ended 3/cancelled"}, "3, run 99, cancelled, before 2 run 98 failed"},
		{"nothing before that counts", []string{"runs 1/98", "ended 1/cancelled", "runs 2/99", "ended 2/cancelled"}, "2, run 99, cancelled"},
		{"asked for after it was lost", []string{"runs 1/99", "ended 1/runner-lost", "asked 2/all"}, "2, expected, wasted 1"},
		{"a result before, of which other patchsets have runs", []string{"1: runs 1/300", "3: runs 1/301", "runs 1/98", "ended 1/failed", "runs 2/99", "ended 2/cancelled"}, "2, run 99, cancelled, before 1 run 98 failed"},
		{"failed jobs, of which other patchsets have runs", []string{"1: runs 1/300", "3: runs 1/301", "runs 1/98", "ended 1/failed", "asked 2/failed", "claims 2"}, "2, run 98, claimed, expected, before 1 run 98 failed"},
		{"carried, of which other patchsets have runs", []string{"1: runs 1/98", "1: ended 1/passed", "3: runs 1/300", "carried 1/1"}, "1, run 98, from 1, expected"},
		{"one dispatcher saw a result, one that nobody waits", []string{"runs 1/99", "ended 1/passed", "ended 1/superseded/1795521600"}, "1, run 99, passed"},
		{"called off", []string{"claims 1", "runs 1/99", "stopped 1"}, "1, run 99, expected, off"},
		{"called off before it began", []string{"stopped 1"}, "1, expected, off"},
		{"a rerun called off before it began", []string{"runs 1/99", "ended 1/failed", "asked 2/all", "stopped 2"}, "1, run 99, failed, off"},
		{"an earlier one called off", []string{"runs 1/98", "ended 1/cancelled", "stopped 1", "asked 2/all", "runs 2/99"}, "2, run 99, expected"},
		{"the latest of two called off", []string{"stopped 1", "ended 1/cancelled", "asked 2/all", "runs 2/99", "stopped 2"}, "2, run 99, expected, off"},
		{"carried", []string{"1: runs 1/98", "1: ended 1/passed", "carried 1/1"}, "1, run 98, from 1, expected"},
		{"carried and told", []string{"1: runs 1/98", "1: ended 1/passed", "carried 1/1", "ended 1/passed"}, "1, run 98, from 1, passed"},
		{"the second attempt carried", []string{"1: runs 1/97", "1: ended 1/failed", "1: runs 2/98", "1: ended 2/passed", "carried 2/1"}, "2, run 98, from 1, expected"},
		{"another patchset's run", []string{"1: runs 1/98", "1: ended 1/passed", "claims 1"}, "1, claimed, expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting, func(p *config.Project) { p.Report.Retries = 2 })
			for _, back := range []bool{false, true} {
				refs := refsOf(tt.refs...)
				if back {
					slices.Reverse(refs)
				}
				c := open(7, patchset(2, change.NoCodeChange))
				s := snapshot(p, []change.Change{c}, refs...)
				all := Standings(p, s, &c, noon)
				if len(all) != 1 {
					t.Fatalf("got %d standings, want 1", len(all))
				}
				if got := standingText(all[0]); got != tt.want {
					t.Errorf("backwards %v: got %s, want %s", back, got, tt.want)
				}
			}
		})
	}
}

// TestStandingByMessage: what our messages tell counts before the ledger says it,
// for the run that they name.
func TestStandingByMessage(t *testing.T) {
	t.Parallel()
	id := change.ID{Change: 7, Patchset: 2}
	tests := []struct {
		name string
		refs []string
		m    change.Message
		want string
	}{
		{"told", []string{"claims 1", "runs 1/99"}, said("ci", id, verdict.Failed), "1, run 99, failed"},
		{"its number is not known", []string{"claims 1", "runs 1/0"}, said("ci", id, verdict.Failed), "1, run 99, failed"},
		{"started only", []string{"claims 1", "runs 1/99"}, said("ci", id, verdict.Running), "1, run 99, expected"},
		{"of another run", []string{"claims 1", "runs 1/98"}, said("ci", id, verdict.Failed), "1, run 98, expected"},
		{"by somebody else", []string{"claims 1", "runs 1/99"}, said("eve", id, verdict.Failed), "1, run 99, expected"},
		{"of another patchset", []string{"claims 1", "runs 1/99"}, said("ci", change.ID{Change: 7, Patchset: 1}, verdict.Failed), "1, run 99, expected"},
		{"to be tried again", []string{"claims 1", "runs 1/99"}, said("ci", id, verdict.RunnerLost), "1, run 99, runner-lost, expected"},
		{"with no more to come", []string{"claims 1", "runs 1/99"}, said("ci", id, verdict.Cancelled), "1, run 99, cancelled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(reporting)
			c := open(7, patchset(2, change.Rework), func(c *change.Change) { c.Messages = []change.Message{tt.m} })
			all := Standings(p, snapshot(p, []change.Change{c}, refsOf(tt.refs...)...), &c, noon)
			if len(all) != 1 || standingText(all[0]) != tt.want {
				t.Errorf("got %s, want %s", standingText(all[0]), tt.want)
			}
		})
	}
}

// TestRerunsAreSeen: that failed jobs run again is seen by an attempt of their run
// that no entry stands for.
func TestRerunsAreSeen(t *testing.T) {
	t.Parallel()
	const doubt, found = "doubt 7/2/autorun.yml/3: attempt 3 is claimed and no run is seen; lost if that lasts 10m0s", "record 7/2/autorun.yml/3: its failed jobs run again"
	once := []string{"runs 1/97", "ended 1/failed", "runs 2/98", "ended 2/failed", "asked 3/failed", "claims 3"}
	twice := []string{"runs 1/98", "ended 1/failed", "asked 2/failed", "runs 2/98", "ended 2/failed", "asked 3/failed", "claims 3"}
	for _, tt := range []struct {
		name     string
		refs     []string
		attempts int
		want     string
	}{
		{"a run of its own before", once, 1, doubt},
		{"a run of its own before, seen", once, 2, found},
		{"the same run before", twice, 2, doubt},
		{"the same run before, seen", twice, 3, found},
		{"all jobs", append(slices.Clone(once[:4]), "asked 3/all", "claims 3"), 2, doubt},
	} {
		p := project(reporting, func(p *config.Project) { p.Report.Commands.Off = true })
		s := snapshot(p, []change.Change{open(7, patchset(2, change.Rework))}, refsOf(tt.refs...)...)
		s.RunsByID = map[int64]change.Run{70: {ID: 70, Status: "in_progress"}, 98: {ID: 98, Status: "in_progress", Attempt: tt.attempts}}
		got := Make(p, s, noon)
		if text := strings.TrimSpace(text(got)); text != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, text, tt.want)
		}
		if a := got.Actions[0]; a.Revision != rev(2007) {
			t.Errorf("%s: got it noted at %s, want the claim's %s", tt.name, a.Revision, rev(2007))
		}
	}
}

// TestStandingsThatAreExpected: others wait for a workflow that told nothing as long
// as it is to run again by itself, also later and behind a gate.
func TestStandingsThatAreExpected(t *testing.T) {
	t.Parallel()
	schedule := func(p *config.Project) { p.Report.Retries, p.Report.RetryAfter = 2, []time.Duration{time.Hour} }
	gate := func(p *config.Project) { p.Workflows[0].Trust = config.Trust{Label: "Allow", Value: 1} }
	left := func(p *config.Project) { p.Workflows[0].Branches = []string{"v1.x"} }
	for _, tt := range []struct {
		name string
		edit func(*config.Project)
		end  string
		want bool
	}{
		{"tried again later", schedule, endedAgo(1, verdict.RunnerLost, time.Minute), true},
		{"tried again behind a gate", gate, "ended 1/runner-lost", true},
		{"stopped, and left out now", left, "ended 1/superseded", false},
		{"stopped, behind a gate", gate, "ended 1/superseded", true},
		{"given up", func(p *config.Project) { p.Report.Retries = 0 }, "ended 1/runner-lost", false},
		{"called off", func(*config.Project) {}, "stopped 1", true},
		{"a result", schedule, "ended 1/timed-out", false},
	} {
		p := project(reporting, tt.edit)
		c := open(7, patchset(2, change.Rework))
		all := Standings(p, snapshot(p, []change.Change{c}, refsOf("runs 1/99", tt.end)...), &c, noon)
		if gone := tt.name == "stopped, and left out now"; gone && len(all) == 0 {
			continue // a filter leaves it out, and it has no result
		}
		if len(all) != 1 || all[0].Expected != tt.want {
			t.Errorf("%s: got %+v, want expected %v", tt.name, all, tt.want)
		}
	}
}
