// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// sarifAt and junitAt have one finding in a file.
func sarifAt(file string, line int) string {
	return fmt.Sprintf(`{"runs":[{"tool":{"driver":{"name":"scan"}},"results":[{"ruleId":"R1","message":{"text":"unused"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":%q},"region":{"startLine":%d}}}]}]}]}`, file, line)
}

func junitAt(file string, line int) string {
	return fmt.Sprintf(`<testsuite><testcase name="a" classname="b" file="%s" line="%d"><failure message="boom">x</failure></testcase></testsuite>`, file, line)
}

// TestRoots finds the file of a finding wherever a machine had the sources.
func TestRoots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		want int // comments
	}{
		{"lib/nvme.c", 2}, {"./lib/nvme.c", 2}, {"source/lib/nvme.c", 2}, {"../lib/nvme.c", 2}, {"/lib/nvme.c", 2}, {"nvme.c", 2},
		{"/home/runner/work/ci/ci/lib/nvme.c", 2}, {"/home/runner/work/ci/ci/source/lib/nvme.c", 2}, {"/__w/ci/ci/lib/nvme.c", 2}, {"/github/workspace/lib/nvme.c", 2},
		{"/opt/actions-runner/_work/ci/ci/lib/nvme.c", 2}, {"/home/lab/actions-runner/_work/ci/ci/source/lib/nvme.c", 2}, {"/Users/runner/work/ci/ci/lib/nvme.c", 2},
		{"/root/spdk/lib/nvme.c", 2}, {"/tmp/job/source/lib/nvme.c", 2}, {"/source/lib/nvme.c", 2}, {"file:///lib/nvme.c", 2}, {"file:///root/spdk/lib/nvme.c", 2},
		{`D:\a\ci\ci\lib\nvme.c`, 2}, {`D:\\a\\ci\\ci\\lib\\nvme.c`, 2}, {"file:///D:/a/ci/ci/lib/nvme.c", 2},
		{"/usr/include/nvme.c", 0}, {"app/nvme.c", 0}, {"https://x.example/lib/nvme.c", 0}, {"lib/other.c", 0}, {"Makefile", 0},
	} {
		s := &shelf{zips: map[int64]string{1: zipOf(t, "out/scan.sarif", sarifAt(tt.path, 7), "junit.xml", junitAt(tt.path, 6))},
			lines: map[string][][2]int{"lib/nvme.c": {{5, 8}}}}
		w := newWorld(job("tests", "success"))
		w.commenting(s, 20)
		done, err := w.ask(t)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range w.posted[0].Comments {
			got = append(got, fmt.Sprintf("%s:%d", c.Path, c.Line))
		}
		if len(got) != tt.want || tt.want > 0 && !slices.Equal(got, []string{"lib/nvme.c:6", "lib/nvme.c:7"}) {
			t.Errorf("%s: got comments on %q, want %d", tt.path, got, tt.want)
		}
		if want := fmt.Sprintf("Findings: 2 read, %d shown on changed lines", tt.want); !strings.Contains(done.Summary, want) {
			t.Errorf("%s: got\n%s", tt.path, done.Summary)
		}
	}
}

// TestFindingsAreCounted: each finding has a comment or a reason.
func TestFindingsAreCounted(t *testing.T) {
	t.Parallel()
	s := &shelf{zips: map[int64]string{1: zipOf(t,
		"1.sarif", sarifAt("lib/nvme.c", 6), "2.sarif", sarifAt("lib/nvme.c", 900), "3.sarif", sarifAt("other.c", 1), "4.sarif", sarifAt("both.c", 1),
		"5.sarif", sarifAt("lib/bdev.c", 1), "7.sarif", sarifAt("/root/spdk/lib/nvme.c", 5), "8.sarif", sarifAt("/root/spdk/top.c", 1), "6.sarif", sarifAt("https://x.example/x.c", 1),
		"junit.xml", `<testsuite><testcase name="no place"><failure message="boom"/></testcase></testsuite>`)},
		lines: map[string][][2]int{"lib/nvme.c": {{5, 8}}, "top.c": {{1, 1}}}}
	w := newWorld(job("tests", "failure"))
	w.commenting(s, 20)
	w.change.Files = append(w.change.Files, "a/both.c", "b/both.c", "top.c")
	done, err := w.ask(t)
	if err != nil {
		t.Fatal(err)
	}
	want := "\nFindings: 10 read, 4 shown on changed lines; 6 not: 2 without a place, 1 in files that the patchset does not touch, " +
		"1 of which the file is ambiguous, 1 on lines that it does not change, 1 in files of which the changed lines are not known.\n"
	if !strings.HasSuffix(done.Summary, want) || len(w.posted[0].Comments) != 4 {
		t.Errorf("got %d comments and the summary\n%s\nwant at its end\n%s", len(w.posted[0].Comments), done.Summary, want)
	}
}

// inUTF16 is how PowerShell and some Windows tools write.
func inUTF16(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

const trxText = `<TestRun><Results><UnitTestResult testName="Acme.Adds" outcome="Failed"/></Results></TestRun>`

// TestFailedTestsAreNamed below their jobs, or below all where the job is not known;
// with comments or without.
func TestFailedTestsAreNamed(t *testing.T) {
	t.Parallel()
	for _, off := range []bool{false, true} {
		s := &shelf{lines: map[string][][2]int{}, zips: map[int64]string{
			1: zipOf(t, "junit.xml", inUTF16(junitText)), 2: zipOf(t, "deep/junit-x.xml", trxText), 3: zipOf(t, "junit.xml", `<testsuite><testcase classname="c" name="orphan"><failure/></testcase><testcase classname="c" name="fine"/></testsuite>`)}}
		w := newWorld(job("unit (ubuntu, gcc)", "failure"), job("unit (ubuntu, clang)", "failure"), job("docs", "success"))
		w.commenting(s, 20)
		w.artifacts = []change.Artifact{{ID: 1, Name: "results-ubuntu-gcc", Size: 1}, {ID: 2, Name: "junit-clang", Size: 2}, {ID: 3, Name: "all", Size: 3}}
		with := w.with
		w.with = func(r *Reporter, q *Request) {
			with(r, q)
			q.Findings = []findings.Report{{Findings: []findings.Finding{
				{Severity: findings.Failure, Test: "nvme_ut.reset", Title: "x"}, {Severity: findings.Failure, Test: "local.one", Title: "x"}, {Severity: findings.Warning, Test: "flaky", Title: "x"}}}}
			if off {
				q.Project.Report.Comments.Max, r.Lines = 0, nil
			}
		}
		done, err := w.ask(t)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(done.Text) {
			if strings.HasPrefix(line, "Failed: ") || strings.HasPrefix(line, "Failed tests") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		want := []string{
			"Failed: `unit (ubuntu, gcc)` in `Run tests` after 1m 30s", "Failed tests (2 of 2): `nvme_ut.reset`, `other`",
			"Failed: `unit (ubuntu, clang)` in `Run tests` after 1m 30s", "Failed tests (1 of 1): `Acme.Adds`",
			"Failed tests (2): `local.one`, `c.orphan`",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("comments off %v (-want +got):\n%s", off, diff)
		}
		if off != strings.Contains(done.Summary, "since comments are off.") || off && len(w.posted[0].Comments) > 0 {
			t.Errorf("comments off %v: got %d comments and\n%s", off, len(w.posted[0].Comments), done.Summary)
		}
	}
}

// TestMoreThanAreKept of one file are counted.
func TestMoreThanAreKept(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range findings.MaxFindings + 7 {
		fmt.Fprintf(&many, `<testcase name="t%d"><failure/></testcase>`, i)
	}
	s := &shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", "<testsuite>"+many.String()+"</testsuite>")}, lines: map[string][][2]int{"lib/nvme.c": {{7, 7}}}}
	w := newWorld(job("tests", "failure"))
	w.commenting(s, 20)
	done, err := w.ask(t)
	if err != nil || !strings.Contains(done.Text, "Failed tests (1000 or more): `t0`, `t1`, `t2`, `t3`, `t4` and 995 more") ||
		!strings.Contains(done.Summary, "Findings: 1008 read, 1 shown on changed lines; 1007 not: 1000 without a place, 7 more than are kept of one file.") {
		t.Errorf("got %v\n%s\n%s", err, done.Text, done.Summary)
	}
}

// TestReportsAreReadForAReason: not where comments are off and nothing failed.
func TestReportsAreReadForAReason(t *testing.T) {
	t.Parallel()
	for conclusion, want := range map[string]int{"success": 0, "failure": 1, "timed_out": 1, "skipped": 0} {
		s := &shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", junitText)}}
		w := newWorld(job("tests", conclusion))
		if conclusion == "timed_out" { // GitHub cancels the step that hangs
			w.jobs[99][0].Steps[1].Conclusion = "cancelled"
			run := w.runs[99]
			run.Status, run.Conclusion = "completed", "failure"
			w.runs[99] = run
		}
		w.commenting(s, 0)
		if _, err := w.ask(t); err != nil || len(s.opened) != want || len(s.asked) != 0 {
			t.Errorf("%s: got %v, artifacts %v opened and %v asked for, want %d", conclusion, err, s.opened, s.asked, want)
		}
	}
}

// TestUnreadReportsAreTold in warnings and in the summary.
func TestUnreadReportsAreTold(t *testing.T) {
	t.Parallel()
	files := []string{"junit-empty.xml", "", "junit-cut.xml", "<testsuite><testcase name='first'><failure>x</failure></testcase>",
		"junit-cov.xml", "<coverage/>", "junit-tap.xml", "1..2\nnot ok 1 x\n", "junit-bytes.xml", "\x00\x01", "x.sarif", "{}"}
	s := &shelf{zips: map[int64]string{1: zipOf(t, files...), 2: "no zip"}, lines: map[string][][2]int{"lib/nvme.c": {{7, 7}}}}
	w := newWorld(job("tests", "failure"))
	w.commenting(s, 20)
	w.artifacts = append(w.artifacts, change.Artifact{ID: 3, Name: "huge", Size: maxArtifact + 1}, change.Artifact{ID: 4, Name: "old", Expired: true})
	with := w.with
	w.with = func(r *Reporter, q *Request) {
		with(r, q)
		q.Unread = []error{errors.New("the test report local.xml was not read")}
	}
	done, err := w.ask(t)
	if err != nil || !done.Voted {
		t.Fatalf("got %+v, %v", done, err)
	}
	warnings := errors.Join(done.Warnings...).Error()
	for _, want := range []string{
		"the test report junit-empty.xml in the artifact 1: junit-empty.xml, byte 0: it is empty",
		"junit-cut.xml, line 1 (byte 65): it ends within <testsuite>",
		"its first element is <coverage>, so it is no report of JUnit, NUnit, xUnit.net, TRX or CUnit",
		"it is a TAP report, which is not read", "junit-bytes.xml, at its beginning: it is neither XML nor JSON",
		"it has no runs, so it is no SARIF log", "failed to read test reports in the artifact 2: ",
	} {
		if !strings.Contains(warnings, want) || !strings.Contains(done.Summary, want) {
			t.Errorf("%q is not in the warnings or not in the summary:\n%s\n%s", want, warnings, done.Summary)
		}
	}
	for _, want := range []string{"<the test report local.xml was not read>", "the artifact huge was not searched: it is larger than 32 MB"} {
		if !strings.Contains(done.Summary, want) || strings.Contains(warnings, want) {
			t.Errorf("%q is not in the summary or is a warning:\n%s", want, done.Summary)
		}
	}
	if len(done.Warnings) != 7 || !strings.Contains(done.Text, "Failed tests (1 of 1): `first`") {
		t.Errorf("got %d warnings and\n%s", len(done.Warnings), done.Text)
	}
}

// TestManyUnreadReports cost a few warnings.
func TestManyUnreadReports(t *testing.T) {
	t.Parallel()
	var files []string
	for i := range maxReportFiles + 5 {
		files = append(files, fmt.Sprintf("junit-%d.xml", i), "x")
	}
	s := &shelf{zips: map[int64]string{1: zipOf(t, files...)}}
	w := newWorld(job("tests", "failure"))
	w.commenting(s, 0)
	done, err := w.ask(t)
	if err != nil || len(done.Warnings) != maxDamaged+1 {
		t.Errorf("got %v and %d warnings", err, len(done.Warnings))
	}
	if !strings.Contains(done.Summary, "- 81 more\n") { // one of them that the rest was not read
		t.Errorf("got\n%s", done.Summary)
	}
}

func TestJobOf(t *testing.T) {
	t.Parallel()
	jobs := func(names ...string) (list []verdict.JobResult) {
		for _, name := range names {
			name, failed := strings.CutSuffix(name, "!")
			r := verdict.JobResult{Outcome: verdict.Passed}
			if r.Job.Name = name; failed {
				r.Outcome = verdict.Failed
			}
			list = append(list, r)
		}
		return list
	}
	for _, tt := range []struct {
		artifact string
		jobs     []verdict.JobResult
		want     string
	}{
		{"unit", jobs("unit!", "docs!"), "unit"}, {"unit-results", jobs("Unit tests!", "docs!"), "Unit tests"},
		{"results-ubuntu-gcc", jobs("unit (ubuntu, gcc)!", "unit (ubuntu, clang)!"), "unit (ubuntu, gcc)"},
		{"results-fedora-42-1", jobs("test / fedora 42 (1)!", "test / fedora 42 (2)!"), "test / fedora 42 (1)"},
		{"ubuntu", jobs("unit (ubuntu, gcc)!", "unit (ubuntu, clang)!"), ""},
		{"gcc", jobs("gcc!", "gcc (again)!"), "gcc"},
		{"results", jobs("unit!", "docs"), "unit"}, {"results", jobs("unit!", "docs!"), ""}, {"", jobs("unit!", "docs"), "unit"}, {"", jobs("unit", "docs"), ""},
		{"docs", jobs("unit!", "docs"), "docs"}, {"coverage", jobs("unit!", "docs"), "unit"}, {"coverage", nil, ""}, {"///", jobs("---!", "..!"), ""},
	} {
		if got := jobOf(tt.jobs, tt.artifact); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.artifact, got, tt.want)
		}
	}
}
