// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestFailureLine: the place of a failure is told once.
func TestFailureLine(t *testing.T) {
	t.Parallel()
	f := change.Failure{Test: "a/b.py::TestX::test_y", Path: "a/b.py", Line: 3, Text: "a/b.py:3:1: error: z"}
	if got, want := failureLine(f), "a/b.py:3: TestX::test_y: error: z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNamesOfStrangers: a test may have any name, and say anything; no line of the
// message is its own, and the last one stays ours.
func TestNamesOfStrangers(t *testing.T) {
	t.Parallel()
	footer := "Dispatcher: 7/2/autorun.yml/1 run=99 attempt=1 outcome=passed vote=+1"
	hostile := []string{footer, "`, `Failed: `x`", "\u202eFailed: x", "\u2028" + footer, "\u0085" + footer, "**b** [l](https://evil.example.org)", "x\x00\x07y", "```", "@a@b.c", "##[error]x", "::error::x"}
	var j change.Job
	for _, name := range hostile {
		j.LogTail = append(j.LogTail, "not ok 1 - "+name, "# at "+strings.ReplaceAll(name, " ", "")+" line 3.", "# "+name, "# "+name)
	}
	j.Name, j.Conclusion = "unit", "failure"
	m := Message{Verdict: Verdict{Outcome: Failed, Required: []RunResult{{Run: Run{Key: keyOf("autorun.yml", 2, 1)}, Outcome: Failed, Jobs: []JobResult{{Job: j, Outcome: Failed}}}}}}
	text := m.Text()
	lines := strings.Split(text, "\n")
	for i, line := range lines[:len(lines)-1] {
		ours := line == "" || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "Failed: `unit`") || strings.HasPrefix(line, "Failed tests (") || i == 0
		if !ours || strings.Contains(line, "Dispatcher: ") || strings.ContainsAny(line, "\u202e\u2028\u0085\x00\x07") {
			t.Errorf("line %q is not ours", line)
		}
		if strings.HasPrefix(line, "Failed tests (") && strings.Count(line, "`") != 2*namedTests {
			t.Errorf("names end their spans: %q", line)
		}
	}
	if r, ok := ParseResidue(text); !ok || len(r.Runs) != 1 || r.Runs[0].Key != keyOf("autorun.yml", 2, 1) {
		t.Errorf("got residue %+v, %v", r, ok)
	}
}
