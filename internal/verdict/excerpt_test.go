// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestExcerpt(t *testing.T) {
	t.Parallel()
	remark := func(level, path string, line int, title, text string) change.Annotation {
		return change.Annotation{Level: level, Path: path, Line: line, Title: title, Text: text}
	}
	many := change.Job{}
	for i := range 30 {
		many = logged(many, fmt.Sprint("line ", i))
	}
	tests := []struct {
		name string
		job  change.Job
		want []string
	}{
		{"nothing", change.Job{}, nil},
		{"remarks before the log", logged(change.Job{Annotations: []change.Annotation{
			remark("warning", "a.c", 1, "", "a warning"), remark("failure", "a.c", 7, "unused", "variable x"),
			remark("failure", ".github", 1, "", exit1), remark("failure", "b.c", 0, "x: y", "x: y z"), remark("failure", "", 0, "", "two\n\nlines"),
		}}, "log"), []string{"a.c:7: unused: variable x", "b.c: x: y z", "two", "lines"}},
		{"a place is told once", change.Job{Annotations: []change.Annotation{
			remark("failure", "a.c", 7, "new line", "a.c:7: broken"), remark("failure", "a.c", 7, "", "a.c:7:12: error: x"), remark("failure", "a.c", 7, "", "a.c:70: y"),
			remark("failure", "a.c", 0, "", "a.c:7: z"), remark("failure", "a.c", 0, "", "a.c: w"), remark("failure", "a.c", 7, "", "a.c:7:"), remark("failure", "", 7, "", ":7: v"),
		}}, []string{"a.c:7: new line: broken", "a.c:7: error: x", "a.c:7: a.c:70: y", "a.c: a.c:7: z", "a.c: w", "a.c:7: a.c:7:", ":7: v"}},
		{"bare remarks do not count", logged(change.Job{Annotations: []change.Annotation{
			remark("failure", ".github", 1, "", exit1), remark("failure", "", 0, "", cancelText), remark("failure", "", 0, "", limitText), remark("failure", "", 0, "", " "),
		}}, "##[group]Run x", "##[command]x", "out", "", "##[warning]w", "##[endgroup]", "##[error]really", "##[error]"+exit1, "##[debug]d"),
			[]string{"x", "out", "w", "really"}},
		{"the end of a long log", many, []string{"line 18", "line 19", "line 20", "line 21", "line 22", "line 23", "line 24", "line 25", "line 26", "line 27", "line 28", "line 29"}},
		{"the beginning of many remarks", change.Job{Annotations: []change.Annotation{remark("failure", "", 0, "", strings.Repeat("x\n", 99))}}, strings.Fields(strings.Repeat("x ", maxExcerpt))},
		{"a byte order mark and no timestamp", change.Job{LogTail: []string{"\ufeff2026-11-24T12:11:59Z a", "2026-11-24 b"}}, []string{"a", "2026-11-24 b"}},
	}
	for _, tt := range tests {
		got, _ := excerpt(tt.job)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		job  change.Job
		want string
	}{
		{change.Job{}, ""},
		{with(change.Job{}, "something else", lostText), "The self-hosted runner: lab-17 lost communication with the server"},
		{with(change.Job{}, "first", "second"), "first"},
		{logged(change.Job{}, "first", "last"), "last"},
		{logged(change.Job{}, "cp: x: No space left on device", "last"), "cp: x: No space left on device"},
	}
	for _, tt := range tests {
		if got := reason(JobResult{Job: tt.job}); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.job, got, tt.want)
		}
	}
}
