// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// outline writes jobs in a few words: GitHub's view of what act said.
func outline(l *actLog, now time.Time) string {
	var b strings.Builder
	for _, j := range l.finish(now) {
		fmt.Fprintf(&b, "%s: %s %s log=%t\n", j.Name, j.Status, j.Conclusion, !j.NoLog)
		for _, s := range j.Steps {
			fmt.Fprintf(&b, "  %s: %s %s %q\n", s.Name, s.Status, s.Conclusion, s.Log)
		}
		for _, a := range j.Annotations {
			fmt.Fprintf(&b, "  %s %s:%d %s\n", a.Level, a.Path, a.Line, strings.TrimPrefix(a.Title+": "+a.Text, ": "))
		}
	}
	return b.String()
}

// TestActLog reads what act printed about called workflows: jobs that passed,
// failed, were killed from outside, or had not ended when act did.
func TestActLog(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/act.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	l := &actLog{workflow: "autorun", callers: []string{"autorun"}}
	changes := 0
	for line := range strings.Lines(string(text)) {
		if l.take([]byte(line)) {
			changes++
		}
	}
	got := outline(l, time.Unix(0, 0))
	if *update {
		if err := os.WriteFile("testdata/act.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/act.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if changes != 20 {
		t.Errorf("got %d changes worth telling, want 20", changes)
	}
}

func TestActJobNames(t *testing.T) {
	t.Parallel()
	l := &actLog{workflow: "CI run", callers: []string{"call"}}
	for key, want := range map[string]string{
		"CI run/test":              "test",
		"CI run/a/b":               "a/b",
		"call/Called/unit (gcc/9)": "call / unit (gcc/9)",
		"call/Called":              "call/Called",
	} {
		if got := l.name(key); got != want {
			t.Errorf("name(%q): got %q, want %q", key, got, want)
		}
	}
	for key, want := range map[string]string{
		"a/sharded (1/2)-1": "a/sharded (1/2)", "a/unit-1-2": "a/unit-1", "a/unit-1": "a/unit-1", "a/unit-x": "a/unit-x", "a/unit": "a/unit",
	} {
		matrix := map[string]any{"name": map[bool]string{true: "sharded (1/2)", false: "unit-1"}[strings.HasPrefix(key, "a/s")]}
		if got := unnumbered(key, matrix); got != want {
			t.Errorf("unnumbered(%q): got %q, want %q", key, got, want)
		}
	}
	if !l.isCaller("CI run/call   ") || l.isCaller("CI run/test") {
		t.Error("the job that calls another workflow is not told from others")
	}
}

// TestActNoRunner: a job whose labels no runner has waits, also when act has ended.
func TestActNoRunner(t *testing.T) {
	t.Parallel()
	l := &actLog{workflow: "autorun"}
	for _, line := range []string{
		`{"job": "autorun/absent (optional lab)-2", "matrix": {"name": "absent (optional lab)"}, "level": "info", "msg": "Skipping unsupported platform -- Try running with ` + "`-P self-hosted=...`" + `", "time": "2026-01-05T08:00:00Z"}`,
		`{"job": "autorun/unit", "level": "info", "msg": "\u2b50 Run Set up job", "time": "2026-01-05T08:00:00Z", "step": "Set up job"}`,
		`{"job": "autorun/unit", "level": "info", "msg": "::notice::it is gone", "time": "2026-01-05T08:00:00Z", "step": "Set up job", "command": "notice", "kvPairs": {"title": "source"}, "arg": "it is gone"}`,
		`{"job": "autorun/unit", "level": "info", "msg": "Job succeeded", "time": "2026-01-05T08:00:00Z", "jobResult": "success"}`,
	} {
		if strings.Contains(line, "notice") == l.take([]byte(line)) {
			t.Errorf("what changed was not told from what did not: %s", line)
		}
	}
	want := `absent (optional lab): queued  log=true
unit: completed success log=true
  Set up job: in_progress  "##[notice]it is gone\n"
  notice .github:1 source: it is gone
`
	if diff := cmp.Diff(want, outline(l, time.Unix(0, 0))); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}
