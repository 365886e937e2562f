// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// tick is a second of the minute from 10:00 on.
func tick(s int) time.Time { return time.Date(2026, 11, 24, 10, 0, s, 0, time.UTC) }

// step is one that ran from one second to another.
func step(name, conclusion string, from, to int) change.Step {
	return change.Step{Name: name, Status: "completed", Conclusion: conclusion, Started: tick(from), Completed: tick(to)}
}

// in puts the stamp of a second before lines.
func in(s int, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "2026-11-24T10:00:%02d.1234567Z %s\n", s, line)
	}
	return b.String()
}

// script is what the runner prints of a script (actions/runner ScriptHandler.cs).
func script(lines ...string) string {
	out := "##[group]Run " + strings.TrimSpace(lines[0])
	for _, line := range lines {
		out += "\n" + cyan + line + plain
	}
	return out + "\nshell: /usr/bin/bash -e {0}\n##[endgroup]"
}

func TestSpans(t *testing.T) {
	t.Parallel()
	const failed = "##[error]Process completed with exit code 2."
	setup := step("Set up job", "success", 0, 1)
	for _, tc := range []struct {
		name      string
		steps     []change.Step
		log       string
		run, want string // want: the last line
	}{
		{"an action, however it is named", []change.Step{setup, step("Upload results", "failure", 1, 3)},
			in(0, "##[group]Runner Image", "##[endgroup]") + in(1, "##[group]Run actions/upload-artifact@v4", "with:", "##[endgroup]") + in(3, "##[error]quota") + in(5, "Post job cleanup."),
			"Run actions/upload-artifact@v4", "##[error]quota"},
		{"a script of one line", []change.Step{setup, step("x", "failure", 1, 3)}, in(1, strings.Split(script("make test"), "\n")...) + in(3, failed), "Run make test", failed},
		{"a script of several lines", []change.Step{setup, step("x", "failure", 1, 3)}, in(1, strings.Split(script("  dispatcher guest run \\", "    -- ./test.sh"), "\n")...) + in(3, failed),
			"Run dispatcher guest run \\\n    -- ./test.sh", failed},
		{"a script that begins with an empty line", []change.Step{step("x", "failure", 1, 3)},
			in(1, "##[group]Run make", cyan+plain, cyan+"make"+plain, "shell: sh", failed), "Run make", failed},
		{"a script of very many lines", []change.Step{step("x", "failure", 1, 3)}, in(1, strings.Split(script(strings.Split(strings.Repeat("a ", 99), " ")...), "\n")...) + in(3, failed),
			"Run a" + strings.Repeat("\na", maxScript-2) + "\n...", failed},
		{"a group of the test's own", []change.Step{setup, step("x", "failure", 1, 3)},
			in(1, "##[group]Run make", "##[endgroup]") + in(2, "##[group]Run actions/checkout@v4", "##[endgroup]") + in(3, failed), "Run make", failed},
		{"an earlier step that failed without harm", []change.Step{step("lint", "success", 0, 1), step("x", "failure", 2, 4)},
			in(0, "##[group]Run lint", failed) + in(2, "##[group]Run make") + in(4, "##[error]x"), "Run make", "##[error]x"},
		{"one that has no error", []change.Step{step("lint", "success", 0, 1), step("x", "cancelled", 2, 4), step("y", "failure", 5, 6)},
			in(0, "##[group]Run lint", failed) + in(2, "##[group]Run make") + in(5, "##[group]Run up") + in(6, "##[error]up"), "Run up", "##[error]up"},
		{"one that has no error, and nothing after it", []change.Step{step("lint", "success", 0, 1), step("x", "cancelled", 2, 4)},
			in(0, "##[group]Run lint", failed) + in(2, "##[group]Run make") + in(3, "ok 1") + in(5, "Post job cleanup.", "x"), "Run make", "ok 1"},
		{"a later step ends in the same second", []change.Step{step("x", "failure", 1, 3), step("up", "failure", 3, 3)},
			in(1, "##[group]Run make") + in(3, "reason", failed, "##[group]Run up", "##[error]upload failed"), "Run make", failed},
		{"cleaning up in the same second", []change.Step{step("x", "failure", 1, 3), step("Post x", "success", 3, 3)},
			in(1, "##[group]Run make") + in(3, failed, "Post job cleanup.", "##[error]late"), "Run make", failed},
		{"a group of the step's own in its last second", []change.Step{step("x", "failure", 1, 3), step("up", "failure", 4, 5)},
			in(1, "##[group]Run make") + in(3, "##[error]a.c:1", "##[group]Run unit tests", failed) + in(5, "##[error]up"), "Run make", failed},
		{"short steps before it, all told apart", []change.Step{setup, step("a", "success", 1, 1), step("b", "skipped", 1, 1), step("c", "failure", 1, 3)},
			in(1, "##[group]Run actions/checkout@v4", "##[group]Run make") + in(3, failed), "Run make", failed},
		{"short steps before it, one that is composite", []change.Step{setup, step("a", "success", 1, 1), step("c", "failure", 1, 3)},
			in(1, "##[group]Run ./a", "##[group]Run actions/checkout@v4", "##[group]Run make") + in(3, failed), "", failed},
		{"the same, and the name tells", []change.Step{setup, step("a", "success", 1, 1), step("Run make", "failure", 1, 3)},
			in(1, "##[group]Run ./a", "##[group]Run actions/checkout@v4", "##[group]Run make") + in(3, failed), "Run make", failed},
		{"the head comes a second late", []change.Step{setup, step("a", "success", 1, 1), step("c", "failure", 1, 3)},
			in(1, "##[group]Run ./a") + in(2, "##[group]Run make") + in(3, failed), "Run make", failed},
		{"no times", []change.Step{{Name: "x", Conclusion: "failure"}}, in(1, "##[group]Run make", failed), "", failed},
		{"no steps", nil, in(1, "##[group]Run make", failed), "", failed},
		{"no step failed", []change.Step{step("x", "success", 1, 3)}, in(1, "##[group]Run make", "a"), "", "a"},
	} {
		found := newTail(9, spanOf(tc.steps))
		if err := found.readLog(strings.NewReader(tc.log)); err != nil {
			t.Fatal(err)
		}
		lines := found.lines()
		if last := lines[len(lines)-1]; found.head.run() != tc.run || last != tc.want {
			t.Errorf("%s: got %q and %q at the end, want %q and %q", tc.name, found.head.run(), lines, tc.run, tc.want)
		}
	}
}

// FuzzHead holds that what a step ran is bounded and begins as the log has it,
// whatever a job prints.
func FuzzHead(f *testing.F) {
	f.Add([]byte(in(1, strings.Split(script("make", "x"), "\n")...)+in(3, "##[error]x")), 1, 2, true)
	f.Add([]byte(in(1, "##[group]Run a", "##[group]Run b", cyan+"\xff")), 1, 1, true)
	f.Fuzz(func(t *testing.T, log []byte, from, to int, overlap bool) {
		if from < 0 || to < from || to > 59 {
			return
		}
		h := headReader{span: span{since: second(tick(from)), until: second(tick(to)), overlap: overlap, heads: 1}}
		for line := range strings.SplitSeq(string(log), "\n") {
			stamp, rest := cutStamp([]byte(line))
			h.add(stamp, rest)
		}
		run := h.run()
		if run != "" && !strings.HasPrefix(run, "Run ") || len(run) > (maxScript+2)*(maxLine+4) || strings.Count(run, "\n") > maxScript {
			t.Errorf("got %.100q of %d bytes", run, len(run))
		}
	})
}
