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
			fmt.Fprintf(&b, "  %s %s:%d %s\n", a.Level, a.Path, a.Line, a.Text)
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
	if !l.isCaller("CI run/call   ") || l.isCaller("CI run/test") {
		t.Error("the job that calls another workflow is not told from others")
	}
}
