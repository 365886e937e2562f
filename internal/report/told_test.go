// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
	"github.com/spdk-community-ci/dispatcher/internal/testlog"
)

// logged lets the only job fail with a log of testlog's.
func (w *world) logged(t *testing.T, log string, s *shelf, files ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../testlog/testdata/logs", log+".log"))
	if err != nil {
		t.Fatal(err)
	}
	var r testlog.Reader
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		r.Line([]byte(line))
	}
	w.change.Files = files
	w.with = func(r2 *Reporter, q *Request) {
		r2.Details = &logs{world: w, tail: append(lines[max(0, len(lines)-logLines):], "##[error]Process completed with exit code 1."), told: r.Report()}
		r2.Artifacts, r2.Lines = s, s
		q.Project.Report.Comments = config.Comments{Files: []string{"**/*junit*.xml"}, Max: 20}
	}
}

// TestMessagesOfLogs shows what authors get of the logs of real tools, and which
// lines of their change have comments.
func TestMessagesOfLogs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		log   string
		files map[string][][2]int // of the patchset, with the lines that it changes
	}{
		{"spdk-unit", map[string][][2]int{"test/unit/lib/util/string.c/string_ut.c": {{5, 5}}}},
		{"spdk-build", map[string][][2]int{"lib/util/string.c": {{4, 4}}}},
		{"spdk-nvme", map[string][][2]int{"test/nvme/nvme.sh": {{1, 2}}}},
		{"gcc-make", map[string][][2]int{"gcc/lib/util/string.c": {{5, 5}}, "lib/other/string.c": {{1, 9}}}},
		{"go", map[string][][2]int{"sub/sub_test.go": {{9, 9}}, "broken/broken.go": {{3, 3}}}},
		{"pytest", map[string][][2]int{"py/test_ring.py": {{1, 99}}}},
	} {
		t.Run(tt.log, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("unit", "failure"))
			s := &shelf{lines: tt.files}
			var files []string
			for file := range tt.files {
				files = append(files, file)
			}
			w.logged(t, tt.log, s, files...)
			done, err := w.ask(t)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			b.WriteString(done.Text + "\n")
			for _, c := range w.posted[0].Comments {
				fmt.Fprintf(&b, "\n%s:%d\n%s\n", c.Path, c.Line, c.Text)
			}
			golden.Compare(t, "testdata/told/"+tt.log+".golden", b.String())
		})
	}
}

// TestReportsBeforeLogs: what test reports say comes before what a log does, once,
// and the end of the log is not shown.
func TestReportsBeforeLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(job("unit", "failure"))
	s := &shelf{lines: map[string][][2]int{"py/test_ring.py": {{1, 99}}}}
	w.logged(t, "pytest", s, "py/test_ring.py")
	with := w.with
	w.with = func(r *Reporter, q *Request) {
		with(r, q)
		q.Findings = []findings.Report{{Totals: findings.Totals{Tests: 7}, Findings: []findings.Finding{
			{Severity: findings.Failure, Test: "test_ring.test_put", Title: "of the report", Places: []findings.Place{{Path: "py/test_ring.py", Line: 10}}}}}}
	}
	done, err := w.ask(t)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Failed tests (1 of 7): `test_ring.test_put`\n\n    py/test_ring.py:10: of the report\n\n"; !strings.Contains(done.Text, want) {
		t.Errorf("got no %q in\n%s", want, done.Text)
	}
	on := map[int]int{}
	for _, c := range w.posted[0].Comments {
		on[c.Line]++
	}
	if on[10] != 1 || on[14] != 1 || len(on) != 4 {
		t.Errorf("got comments on lines %v, want one on each of four", on)
	}
}

// TestUnknownTools: the lines before the first that says that something failed.
func TestUnknownTools(t *testing.T) {
	t.Parallel()
	w := newWorld(job("docs", "failure"))
	l := &logs{world: w, tail: []string{"cleaning up", "##[error]Process completed with exit code 2."}, told: change.LogReport{Around: []string{"odd: no such thing", "make: *** [Makefile:1: all] Error 2"}}}
	w.with = func(r *Reporter, _ *Request) { r.Details = l }
	done, err := w.ask(t)
	if want := "\n\n    odd: no such thing\n    make: *** [Makefile:1: all] Error 2\n\n"; err != nil || !strings.Contains(done.Text, want) {
		t.Errorf("got %v and no %q in\n%s", err, want, done.Text)
	}
}
