// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var patchsetFiles = Changed{"lib/a.c": {{10, 20}, {30, 30}}, "lib/b.c": nil, "c.c": {}}

func on(path string, line int) []Place { return []Place{{path, line}} }

func TestComments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		finding Finding
		want    string // "" for none
		why     Reason
	}{
		{"on a changed line", Finding{Places: on("lib/a.c", 10), Text: "x"}, "lib/a.c:10", Placed},
		{"on the last changed line", Finding{Places: on("lib/a.c", 30), Text: "x"}, "lib/a.c:30", Placed},
		{"between changed lines", Finding{Places: on("lib/a.c", 21), Text: "x"}, "", OtherLine},
		{"on the file", Finding{Places: on("lib/a.c", 0), Text: "x"}, "lib/a.c:0", Placed},
		{"on a line before the first", Finding{Places: on("lib/b.c", -5), Text: "x"}, "lib/b.c:0", Placed},
		{"lines are not known", Finding{Places: on("lib/b.c", 999), Text: "x"}, "lib/b.c:999", Placed},
		{"no line is changed", Finding{Places: on("c.c", 1), Text: "x"}, "", OtherLine},
		{"a file that nobody was asked about", Finding{Places: on("lib/z.c", 1), Text: "x"}, "", UnknownLines},
		{"no text", Finding{Places: on("lib/b.c", 1), Text: " \n\t"}, "", NoText},
		{"no place", Finding{Left: Ambiguous, Text: "x"}, "", Ambiguous},
		{"the second place", Finding{Places: append(on("lib/a.c", 1), on("lib/a.c", 12)...), Text: "x"}, "lib/a.c:12", Placed},
		{"the first of two", Finding{Places: append(on("lib/a.c", 11), on("lib/a.c", 12)...), Text: "x"}, "lib/a.c:11", Placed},
		{"a file after a line that is old", Finding{Places: append(on("lib/a.c", 1), on("lib/b.c", 0)...), Text: "x"}, "", OtherLine},
		{"a line in the second file", Finding{Places: append(on("lib/z.c", 1), on("lib/b.c", 2)...), Text: "x"}, "lib/b.c:2", Placed},
	}
	for _, tt := range tests {
		got := ""
		comments, counts := Comments([]Finding{tt.finding}, patchsetFiles, MaxComments, nil)
		for _, c := range comments {
			got = fmt.Sprintf("%s:%d", c.Path, c.Line)
		}
		want := Counts{Read: 1}
		if want.leave(tt.why, 1); got != tt.want || !cmp.Equal(counts, want) {
			t.Errorf("%s: got %q and %+v, want %q", tt.name, got, counts, tt.want)
		}
	}
}

func TestCommentsOrder(t *testing.T) {
	t.Parallel()
	var findings []Finding
	for i := range 30 {
		findings = append(findings, Finding{Places: on("lib/b.c", 30-i), Severity: Warning, Text: fmt.Sprint("warning ", i%25), Job: "tidy"})
	}
	findings = append(findings,
		Finding{Places: on("lib/b.c", 7), Text: "bad", Job: "build (gcc)"},
		Finding{Places: on("lib/b.c", 7), Text: "bad", Job: "build (clang)"},
		Finding{Places: on("lib/a.c", 12), Text: "worse\nmuch worse", Severity: Failure},
		Finding{Places: on("lib/a.c", 12), Text: "note", Severity: Notice, Job: "x"})
	got, counts := Comments(findings, patchsetFiles, 99, nil)
	if len(got) != MaxComments || counts.Left[OverLimit] != 33-MaxComments || counts.Left[Repeated] != 1 || counts.Read != 34 {
		t.Errorf("got %d comments and %+v, want %d", len(got), counts, MaxComments)
	}
	if few, counts := Comments(findings, patchsetFiles, 2, nil); len(few) != 2 || counts.Left[OverLimit] != 31 {
		t.Errorf("got %d comments and %+v, want 2", len(few), counts)
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
	f.Add("lib/a.c", 12, strings.Repeat("x\n", 50), hostile)
	f.Fuzz(func(t *testing.T, path string, line int, text, job string) {
		comments, counts := Comments([]Finding{{Places: on(path, line), Text: text, Job: job}}, patchsetFiles, MaxComments, []string{"secret"})
		if md := counts.markdown(newCleaner(nil), func(s string) string { return s }); len(comments) == 0 && !strings.Contains(md, "1 not: 1 ") {
			t.Errorf("got %q", md)
		}
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
