// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// tailOf finds the end of a log, joined with " | ".
func tailOf(t *testing.T, log, until string, lines int) string {
	t.Helper()
	found := newTail(lines, span{until: until})
	if err := found.readLog(strings.NewReader(log)); err != nil {
		t.Fatal(err)
	}
	return strings.Join(found.lines(), " | ")
}

// stamped puts a time stamp before each line, a second apart from 10:00:00 on.
func stamped(lines ...string) string {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, "2026-11-24T10:00:%02d.1234567Z %s\n", i, line)
	}
	return b.String()
}

func TestTail(t *testing.T) {
	t.Parallel()
	const failed = "##[error]Process completed with exit code 2."
	ordinary := stamped("##[group]Run make", "cc a.c", "##[group]Run make test", "##[endgroup]", "ok 1", "not ok 2", failed, "Post job cleanup.", "git config")
	lenient := stamped("##[group]Run lint", "W1", failed, "##[group]Run test", "not ok", failed, "##[group]Run collect", "no files", "##[error]No files", "Post job cleanup.")
	long := strings.Repeat("x", 3*maxLine)
	for _, tc := range []struct {
		name, log, until string
		lines            int
		want             string
	}{
		{"failing step", ordinary, "", 9, "##[group]Run make test | ##[endgroup] | ok 1 | not ok 2 | " + failed},
		{"its last lines", ordinary, "", 2, "not ok 2 | " + failed},
		{"a step that failed without harm, and one that ran always", lenient, "2026-11-24T10:00:05", 9, "##[group]Run test | not ok | " + failed},
		{"the end of the step is not known", lenient, "", 9, "##[group]Run collect | no files | ##[error]No files"},
		{"the step ended in the same second", lenient, "2026-11-24T10:00:07", 9, "##[group]Run test | not ok | " + failed},
		{"the step's time is wrong", ordinary, "2026-11-23T00:00:00", 9, "##[group]Run make test | ##[endgroup] | ok 1 | not ok 2 | " + failed},
		{"no error until the step's end", stamped("a", "b", "c"), "2026-11-24T10:00:00", 2, "b | c"},
		{"errors within a step", stamped("##[group]Run cc", "##[error]a.c:1", "b", "##[error]b.c:1", "c"), "", 9, "##[group]Run cc | ##[error]a.c:1 | b | ##[error]b.c:1"},
		{"no error", stamped("##[group]Run make", "cc a.c", "cc b.c"), "", 2, "cc a.c | cc b.c"},
		{"cut off by a lost runner", stamped("##[group]Run lint", "W", "##[group]Run make", "cc"), "", 3, "W | ##[group]Run make | cc"},
		{"marks elsewhere in a line", stamped("a ##[error]b", " ##[group]Run c", "d"), "", 2, " ##[group]Run c | d"},
		{"no stamps", "one\r\n\n  two", "2026-11-24T10:00:07", 9, "one |  |   two"},
		{"byte order mark", "\ufeff" + stamped("a"), "", 9, "a"},
		{"long line", stamped(long, "b"), "", 9, long[:maxLine] + "... | b"},
		{"line longer than any buffer", stamped(strings.Repeat("y", 1<<20), failed), "", 1, failed},
		{"cut within a character", stamped(long[:maxLine-1] + "\u00e9\u00e9"), "", 9, long[:maxLine-1] + "..."},
		{"empty", "", "", 9, ""},
	} {
		if got := tailOf(t, tc.log, tc.until, tc.lines); got != tc.want {
			t.Errorf("%s: got %.300q, want %.300q", tc.name, got, tc.want)
		}
	}
}

func TestCutStamp(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{
		"2026-11-24T10:00:00.1234567Z a b": {"2026-11-24T10:00:00", "a b"},
		"2026-11-24T10:00:00.1Z  a":        {"2026-11-24T10:00:00", " a"},
		"2026-11-24T10:00:00.1234567Z":     {"2026-11-24T10:00:00", ""},
		"2026-11-24T10:00:00.1234567":      {"", "2026-11-24T10:00:00.1234567"},
		"2026-11-24T10:00:00.Z a":          {"", "2026-11-24T10:00:00.Z a"},
		"2026-11-24T10:00:00Z a":           {"", "2026-11-24T10:00:00Z a"},
		"2026-11-24 10:00:00.1Z a":         {"", "2026-11-24 10:00:00.1Z a"},
		"x026-11-24T10:00:00.1Z a":         {"", "x026-11-24T10:00:00.1Z a"},
		"":                                 {"", ""},
	} {
		second, rest := cutStamp([]byte(line))
		if got := [2]string{string(second), string(rest)}; got != want {
			t.Errorf("cutStamp(%q): got %q, want %q", line, got, want)
		}
	}
}

// tailBySplitting does with the whole log in memory what tail does.
func tailBySplitting(log string, lines int) []string {
	var all []string
	from, begin, end := 0, 0, 0
	log = strings.ReplaceAll(strings.TrimPrefix(log, "\ufeff"), "\r\n", "\n")
	for i, line := range strings.Split(strings.TrimSuffix(log, "\n"), "\n") {
		_, rest := cutStamp([]byte(line))
		all = append(all, string(rest))
		if strings.HasPrefix(all[i], string(headMark)) {
			from = i
		}
		if strings.HasPrefix(all[i], string(errorMark)) {
			begin, end = from, i+1
		}
	}
	if end > 0 {
		all = all[begin:end]
	}
	all = all[max(0, len(all)-lines):]
	for i := range all {
		all[i] = change.Clip(all[i], maxLine)
	}
	return all
}

// FuzzTail holds that the end of a log is the same whether it is found in one
// pass or with all of it at hand, and that it has no more than was asked for.
func FuzzTail(f *testing.F) {
	f.Add([]byte(stamped("##[group]Run a", "b", "##[error]c", "d", "##[group]Run e", "##[error]f")), 3)
	f.Add([]byte("##[error]\n##[group]Run \r\n\n\n##[error]x"), 1)
	f.Add([]byte("\ufeff2026-11-24T10:00:00.1Z \xff"), 9)
	f.Fuzz(func(t *testing.T, log []byte, lines int) {
		if lines < 1 || lines > maxTail || len(log) == 0 {
			return
		}
		found := newTail(lines, span{})
		if err := found.readLog(strings.NewReader(string(log))); err != nil {
			t.Fatal(err)
		}
		got := found.lines()
		if len(got) > lines {
			t.Errorf("got %d lines, want at most %d", len(got), lines)
		}
		for _, line := range got {
			if len(line) > maxLine+3 {
				t.Errorf("got a line of %d bytes", len(line))
			}
		}
		if len(log) > 60<<10 {
			return // lines longer than the buffer are cut before the line end is seen
		}
		if diff := cmp.Diff(tailBySplitting(string(log), lines), got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}
