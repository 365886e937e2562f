// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestSummaryCells checks that all outside text in the table goes through the
// function that the caller hands in, secrets hidden, and that a job's page is
// linked only if it is one.
func TestSummaryCells(t *testing.T) {
	t.Parallel()
	jobs := []change.Job{jobOf("success"), jobOf("failure", "Run make test=failure")}
	jobs[0].Name, jobs[0].URL = "", "https://ci.example.org/1"
	jobs[1].Steps[0].Name = hostile
	jobs[1].Name, jobs[1].URL = hostile+" token-1234", "javascript:alert(1)"
	run := Run{Key: keyOf("autorun.yml", 2, 1), Run: ended("failure"), Jobs: jobs}
	res := Rules{}.Fold(run)
	m := Message{Verdict: Policy{Min: -2, Max: 2}.Combine([]Want{{Key: run.Key, Run: &res}}), Secrets: []string{"token-1234"}}
	var cells []string
	got := m.Summary(func(s string) string { cells = append(cells, s); return "CELL" })
	want := `### autorun: 1 of 2 jobs failed

Vote: -1

| job | outcome | step | time |
|---|---|---|---|
| CELL | failed | CELL |  |
| [CELL](https://ci.example.org/1) | passed | CELL |  |
`
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	all := strings.Join(cells, "\n")
	if len(cells) != 4 || !strings.Contains(all, noName) || !strings.Contains(all, "***") || strings.Contains(all, "token-1234") || strings.Contains(all, "\x1b") {
		t.Errorf("got the cells %q", cells)
	}
}

func TestSummaryBounds(t *testing.T) {
	t.Parallel()
	m := crowd(0, 0, maxRows+7)
	got := m.Summary(func(s string) string { return s })
	if rows := strings.Count(got, "\n| [passed-"); rows != maxRows || !strings.Contains(got, "| 7 more | | | |\n") {
		t.Errorf("got %d rows, want %d and the number of the rest", rows, maxRows)
	}
	empty := Message{}.Summary(func(s string) string { return s })
	if empty != "### CI: \n" && strings.Contains(empty, "|") {
		t.Errorf("got %q for no runs at all", empty)
	}
}
