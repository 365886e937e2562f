// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var patchsetFiles = Changed{"lib/a.c": {{10, 20}, {30, 30}}, "lib/b.c": nil, "c.c": {}}

func TestComments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		finding Finding
		want    string // "" for none
	}{
		{"on a changed line", Finding{Path: "lib/a.c", Line: 10, Text: "x"}, "lib/a.c:10"},
		{"on the last changed line", Finding{Path: "lib/a.c", Line: 30, Text: "x"}, "lib/a.c:30"},
		{"between changed lines", Finding{Path: "lib/a.c", Line: 21, Text: "x"}, ""},
		{"on the file", Finding{Path: "lib/a.c", Text: "x"}, "lib/a.c:0"},
		{"on a line before the first", Finding{Path: "lib/b.c", Line: -5, Text: "x"}, "lib/b.c:0"},
		{"lines are not known", Finding{Path: "lib/b.c", Line: 999, Text: "x"}, "lib/b.c:999"},
		{"no line is changed", Finding{Path: "c.c", Line: 1, Text: "x"}, ""},
		{"another file", Finding{Path: "lib/z.c", Line: 1, Text: "x"}, ""},
		{"a file of the same name elsewhere", Finding{Path: "b.c", Line: 1, Text: "x"}, ""},
		{"untidy", Finding{Path: "./lib//x/../b.c", Line: 1, Text: "x"}, "lib/b.c:1"},
		{"absolute", Finding{Path: "/home/runner/work/spdk/spdk/lib/b.c", Line: 1, Text: "x"}, "lib/b.c:1"},
		{"an address", Finding{Path: "file:///src/lib/b.c", Line: 1, Text: "x"}, "lib/b.c:1"},
		{"the longest end counts", Finding{Path: "/x/lib/c.c", Text: "x"}, "c.c:0"},
		{"absolute and not ours", Finding{Path: "/usr/include/stdio.h", Line: 1, Text: "x"}, ""},
		{"out of the tree", Finding{Path: "../lib/b.c", Line: 1, Text: "x"}, ""},
		{"no text", Finding{Path: "lib/b.c", Line: 1, Text: " \n\t"}, ""},
		{"no path", Finding{Line: 1, Text: "x"}, ""},
		{"a path of 1 MB", Finding{Path: "/" + strings.Repeat("a/", 1<<19) + "c.c", Text: "x"}, ""},
	}
	for _, tt := range tests {
		got := ""
		for _, c := range first(Comments([]Finding{tt.finding}, patchsetFiles, nil)) {
			got = fmt.Sprintf("%s:%d", c.Path, c.Line)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func first(c []Comment, _ int) []Comment { return c }

func TestCommentsOrder(t *testing.T) {
	t.Parallel()
	var findings []Finding
	for i := range 30 {
		findings = append(findings, Finding{Path: "lib/b.c", Line: 30 - i, Severity: Warning, Text: fmt.Sprint("warning ", i%25), Job: "tidy"})
	}
	findings = append(findings,
		Finding{Path: "lib/b.c", Line: 7, Text: "bad", Job: "build (gcc)"},
		Finding{Path: "lib/b.c", Line: 7, Text: "bad", Job: "build (clang)"},
		Finding{Path: "lib/a.c", Line: 12, Text: "worse\nmuch worse", Severity: Failure},
		Finding{Path: "lib/a.c", Line: 12, Text: "note", Severity: Notice, Job: "x"})
	got, more := Comments(findings, patchsetFiles, nil)
	if len(got) != MaxComments || more != 33-MaxComments {
		t.Errorf("got %d comments and %d more, want %d and %d", len(got), more, MaxComments, 33-MaxComments)
	}
	want := []Comment{
		{Path: "lib/a.c", Line: 12, Text: "Failure:\n\n    worse\n    much worse", Failure: true},
		{Path: "lib/b.c", Line: 7, Text: "Failure in `build (gcc)`:\n\n    bad", Failure: true},
		{Path: "lib/b.c", Line: 1, Text: "Warning in `tidy`:\n\n    warning 4"},
	}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Errorf("the first comments (-want +got):\n%s", diff)
	}
}

func FuzzComments(f *testing.F) {
	f.Add("lib/b.c", 3, hostile, "job")
	f.Add("/w/lib/a.c", 12, strings.Repeat("x\n", 50), hostile)
	f.Fuzz(func(t *testing.T, path string, line int, text, job string) {
		comments, _ := Comments([]Finding{{Path: path, Line: line, Text: text, Job: job}}, patchsetFiles, []string{"secret"})
		for _, c := range comments {
			if _, ok := patchsetFiles[c.Path]; !ok || c.Line < 0 {
				t.Errorf("got a comment on %q line %d", c.Path, c.Line)
			}
			intro, body, _ := strings.Cut(c.Text, "\n\n")
			if strings.Contains(intro, "\n") || strings.Contains(c.Text, "secret") || len(c.Text) > 4096 {
				t.Errorf("got %q", c.Text)
			}
			for l := range strings.SplitSeq(body, "\n") {
				if !strings.HasPrefix(l, "    ") || strings.TrimSpace(l) == "" {
					t.Errorf("got the line %q", l)
				}
			}
		}
	})
}
