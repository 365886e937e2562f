// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// hostile is text that would do harm wherever it is printed raw.
const hostile = "::add-mask::x\n##[set-output name=y]z\x1b[31m | <img src=x onerror=alert(1)> [a](javascript:b) @everyone `id`"

// sample is a result with a line of every kind, some of them hostile.
func sample() reconcile.Result {
	of := func(number, ps int, subject string) *change.Change {
		return &change.Change{Number: number, Subject: subject, Current: change.Patchset{Number: ps, Revision: change.Revision(strings.Repeat("a", 40))}}
	}
	key := func(number, ps, attempt int) change.Key {
		return change.Key{ID: change.ID{Change: number, Patchset: ps}, Workflow: "autorun.yml", Attempt: attempt}
	}
	line := func(a plan.Action, state reconcile.State) reconcile.Line {
		return reconcile.Line{Action: a, State: state}
	}
	started := line(plan.Action{Verb: plan.Dispatch, Change: of(101, 2, "x"), Key: key(101, 2, 1), Reason: "new patchset"}, reconcile.Done)
	started.Run = change.Run{ID: 77, URL: "https://github.example.org/example/ci/actions/runs/77"}
	refused := line(plan.Action{Verb: plan.Relay, Change: of(104, 1, "x"), Reason: "new patchset"}, reconcile.Failed)
	refused.Err = fault.New(fault.Permanent, "the mirror refused refs/changes/04/104/1: GH001: Large files detected").WithHint("keep files below 100 MB")
	doubt := line(plan.Action{Verb: plan.Dispatch, Change: of(105, 1, "x"), Key: key(105, 1, 2), Reason: "the call of attempt 1 was lost"}, reconcile.InDoubt)
	doubt.Err = errors.New("connection reset")
	waiting := line(plan.Action{Verb: plan.Wait, Change: of(102, 1, "x"), Key: key(102, 1, 1), Reason: "limit of 5 dispatches a pass; place 1 in the queue"}, reconcile.Waiting)
	return reconcile.Result{
		Project: "spdk/spdk",
		Idle:    map[plan.Rest]int{plan.Running: 12, plan.UpToDate: 590}, Unreadable: 2,
		Lines: []reconcile.Line{
			line(plan.Action{Verb: plan.MirrorBranch, Branch: "master", Reason: "moved in Gerrit"}, reconcile.Done),
			line(plan.Action{Verb: plan.Relay, Change: of(101, 2, "nvme: fix a leak in connect"), Reason: "new patchset"}, reconcile.Done),
			refused,
			line(plan.Action{Verb: plan.Relay, Change: of(106, 3, hostile), Reason: "new patchset"}, reconcile.Done),
			started, doubt,
			line(plan.Action{Verb: plan.Prune, Number: 99, Reason: "merged 20 days ago"}, reconcile.Done),
			waiting,
			line(plan.Action{Verb: plan.Skip, Change: of(103, 1, "[RFC] bdev: gedankenexperiment \u00fcber \u202e alles"), Reason: "work in progress"}, reconcile.Skipped),
		},
		Problems: []error{fault.New(fault.Configuration, "token expired").WithHint("make a new one")},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var plain, coloured, dry bytes.Buffer
	r := sample()
	table{out: &plain}.print(r)
	golden.Compare(t, "testdata/table.txt", plain.String())
	table{out: &coloured, colour: true}.print(r)
	golden.Compare(t, "testdata/table-colour.txt", coloured.String())
	r.DryRun, r.Problems = true, nil
	for i := range r.Lines {
		if s := r.Lines[i].State; s == reconcile.Done || s == reconcile.InDoubt || s == reconcile.Failed {
			r.Lines[i] = reconcile.Line{Action: r.Lines[i].Action, State: reconcile.Planned}
		}
	}
	table{out: &dry}.print(r)
	golden.Compare(t, "testdata/table-dry-run.txt", dry.String())
}

// TestNothingHostileIsPrinted holds every format to what a runner, a terminal
// and a browser would make of it.
func TestNothingHostileIsPrinted(t *testing.T) {
	t.Parallel()
	var text, js bytes.Buffer
	table{out: &text}.print(sample())
	if err := writeJSON(&js, []reconcile.Result{sample()}, aside{}); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"table": text.String(), "json": js.String(), "summary": summary([]reconcile.Result{sample()})} {
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("%s: a line is a workflow command: %q", name, line)
			}
		}
		for _, bad := range []string{"\x1b", "\u202e", "##[", "<img"} {
			if strings.Contains(out, bad) && !(bad == "<img" && name == "table") { // no browser reads the table
				t.Errorf("%s: got raw %q in the output", name, bad)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeJSON(&out, []reconcile.Result{sample()}, aside{}); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/report.json", out.String())
	var back jsonReport
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(jsonOf([]reconcile.Result{sample()}, aside{}), back); diff != "" {
		t.Errorf("the value changed on the way (-want +got):\n%s", diff)
	}
}

// TestHintsWithAnExample: each line of it is as harmless as any other.
func TestHintsWithAnExample(t *testing.T) {
	t.Parallel()
	const hint = "add below `on:`\n    inputs:\n      ::error::x ##[group]y\x1b"
	if got, want := strings.Join(hintLines(hint), "|"), "hint: add below `on:`|    inputs:|      : :error::x ## [group]y"; got != want {
		t.Errorf("got lines %q, want %q", got, want)
	}
	if got, want := flatHint(hint), "add below `on:` `inputs:` `::error::x ##[group]y\x1b`"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := flatHint("correct the file"); got != "correct the file" {
		t.Errorf("got %q", got)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	golden.Compare(t, "testdata/summary.md", summary([]reconcile.Result{sample()}))
}

func TestTotalsAndExitStatus(t *testing.T) {
	t.Parallel()
	failed := reconcile.Line{State: reconcile.Failed, Err: fault.New(fault.Transient, "x")}
	setting := reconcile.Line{State: reconcile.Failed, Err: fault.New(fault.Configuration, "x")}
	tests := []struct {
		name    string
		results []reconcile.Result
		status  int
		text    string
	}{
		{"nothing", []reconcile.Result{{}}, ExitDone, "nothing to do"},
		{"idle", []reconcile.Result{{Idle: map[plan.Rest]int{plan.UpToDate: 3}}}, ExitDone, "3 up to date"},
		{"one failed", []reconcile.Result{{Idle: map[plan.Rest]int{plan.UpToDate: 3}}, {Lines: []reconcile.Line{failed}}}, ExitFailed, "1 failed, 3 up to date"},
		{"a setting is wrong", []reconcile.Result{{Lines: []reconcile.Line{failed, setting}}}, ExitConfiguration, "2 failed"},
		{"a project could not be read", []reconcile.Result{{Problems: []error{fault.New(fault.Transient, "x")}}}, ExitFailed, "1 failed"},
	}
	for _, tt := range tests {
		if got := exitStatus(tt.results); got != tt.status {
			t.Errorf("%s: got status %d, want %d", tt.name, got, tt.status)
		}
		if got := totalsOf(tt.results...).text(); got != tt.text {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.text)
		}
	}
}
