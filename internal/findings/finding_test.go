// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestAnnotations(t *testing.T) {
	t.Parallel()
	job := change.Job{Name: "build\n(clang)", Annotations: []change.Annotation{
		{Level: "failure", Path: "lib/nvme.c", Line: 12, EndLine: 14, Title: "error: x", Text: "undeclared\x1b[0m"},
		{Level: "warning", Path: "/home/runner/work/spdk/spdk/lib/a.c", Line: 3, Text: "unused variable\nhere"},
		{Level: "notice", Path: "https://x.example/a.c", Line: 3, Text: "no path"},
		{Level: "failure", Path: ".github", Line: 7, Text: "The job was not started."},
		{Level: "whatever", Line: -4, EndLine: -9, Path: "a.c"},
	}}
	const source = "build (clang)"
	want := Report{BadPaths: 1, Findings: []Finding{
		{Places: []Place{{"lib/nvme.c", 12, 14}}, Severity: Failure, Title: "error: x", Text: "undeclared", Source: source},
		{Places: []Place{{"/home/runner/work/spdk/spdk/lib/a.c", 3, 3}}, Severity: Warning, Title: "unused variable", Text: "here", Source: source},
		{Severity: Notice, Title: "no path", Source: source},
		{Severity: Failure, Title: "The job was not started.", Source: source},
		{Places: []Place{{"a.c", 0, 0}}, Severity: Notice, Title: "notice", Source: source},
	}}
	if diff := cmp.Diff(want, Annotations(job)); diff != "" {
		t.Error(diff)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	at := func(line int, s Severity, title, source string) Finding {
		return Finding{Places: []Place{{"a.c", line, line}}, Severity: s, Title: title, Source: source}
	}
	got := Merge(
		Report{Totals: Totals{Tests: 3, Failures: 1, Seconds: 1.5}, BadPaths: 1, Findings: []Finding{
			at(1, Notice, "n", "one"), at(2, Warning, "w", "one"), at(2, Warning, "w", "one again"), at(3, Failure, "f", "one")}},
		Report{},
		Report{Totals: Totals{Tests: 2, Errors: 1, Skipped: 1, Seconds: 0.5}, More: 7, Findings: []Finding{
			at(2, Failure, "w", "two"), at(2, Warning, "other", "two"), at(3, Notice, "f", "two")}},
	)
	want := Report{Totals: Totals{Tests: 5, Failures: 1, Errors: 1, Skipped: 1, Seconds: 2}, BadPaths: 1, More: 7, Findings: []Finding{
		at(2, Failure, "w", "one"), at(3, Failure, "f", "one"), at(2, Warning, "other", "two"), at(1, Notice, "n", "one")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, title, text string }{
		{"one", "one", ""},
		{"\n\n  one  \ntwo\n\n", "one", "two"},
		{"a.c:12\nwhat\nrest", "what", "rest"},
		{"a.c:12:\n\nb.c:13", "failure", "a.c:12:\n\nb.c:13"},
		{"a\rb\r\nc\u2028d\x0be", "a", "b\nc\nde"},
		{"\x1b]0;title\x07\x1b[1;31mred\x1b[m\x1b(", "red(", ""},
		{"\x1b]0;never ended", "failure", ""},
		{"zero\u200bwidth \u202ebidi\xff", "zerowidth bidi\ufffd", ""},
		{strings.Repeat("x", 500), strings.Repeat("x", 200) + "...", ""},
		{"head\n" + strings.Repeat("\u00e4", MaxText), "head", strings.Repeat("\u00e4", MaxText/8) + "\n[...]\n" + strings.Repeat("\u00e4", (MaxText*3/4-7)/2)},
	} {
		c := newCollector("x")
		c.add(Finding{Severity: Failure, Text: tt.in})
		got := c.Findings[0]
		if got.Title != tt.title || got.Text != tt.text || len(got.Text) > MaxText {
			t.Errorf("%.60q: got %q and %q", tt.in, got.Title, got.Text)
		}
	}
}

// checkFindings holds what a reader made of anything to what the package says.
func checkFindings(t *testing.T, r Report) {
	t.Helper()
	if len(r.Findings) > MaxFindings || r.Totals.Seconds < 0 || r.Totals.Failures+r.Totals.Errors+r.Totals.Skipped > r.Totals.Tests {
		t.Errorf("%d findings, %+v", len(r.Findings), r.Totals)
	}
	for _, f := range r.Findings {
		for _, p := range f.Places {
			if clean, ok := cleanPath(p.Path); !ok || clean != p.Path || p.Line < 0 || p.EndLine < p.Line {
				t.Errorf("place %+v", p)
			}
		}
		if len(f.Places) > maxPlaces || f.Severity < Notice || f.Severity > Failure {
			t.Errorf("%+v", f)
		}
		if f.Title == "" || len(f.Title) > maxTitle+3 || len(f.Text) > MaxText || len(f.Test) > maxName+3 || len(f.Source) > maxName+3 {
			t.Errorf("texts of %d, %d, %d and %d bytes", len(f.Title), len(f.Text), len(f.Test), len(f.Source))
		}
		for _, s := range []string{f.Title, f.Text, f.Test, f.Source} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\r\u202e\u200b\x7f") {
				t.Errorf("text %q", s)
			}
		}
		for _, s := range []string{f.Title, f.Test, f.Source} {
			if change.OneLine(s) != s {
				t.Errorf("%q is not one line", s)
			}
		}
	}
}
