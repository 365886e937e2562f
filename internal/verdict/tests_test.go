// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// testsIn are the tests that a job itself names.
func testsIn(j change.Job) []string {
	names, _ := Message{}.failedTests(RunResult{}, j)
	return names
}

// TestTestsInText reads tools' own words: those marked "seen" are what the tool
// wrote when it was run on a small file.
func TestTestsInText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tool, log string
		want      []string
	}{
		// seen: bats 1.8.2
		{"bats", "1..3\nnot ok 1 adds two numbers\n# (in test file nvme.bats, line 5)\n#   `[ 3 -eq 4 ]' failed\nok 3 good\nnot ok 2 through a helper in 12ms\n", []string{"adds two numbers", "through a helper"}},
		{"TAP", "not ok 4 - later # TODO some day\nnot ok 5 # SKIP no disk\nnot ok 6 - fixes #12\nok 7 - x", []string{"fixes #12"}},
		// seen: CTest 3.25.1
		{"ctest", "1/2 Test #1: nvme_reset ........Subprocess aborted***Exception:   0.00 sec\n\nThe following tests FAILED:\n\t  1 - nvme_reset (Subprocess aborted)\n\t 12 - a b (Failed)\n\t  3 - slow (Timeout)          unit\n\t  4 - gone (Not Run)\n\t  5 - older (Child aborted)\nErrors while running CTest", []string{"nvme_reset", "a b", "slow", "gone", "older"}},
		{"ctest, tests that are off", "The following tests did not run:\n\t  2 - off (Disabled)\n\t  3 - skipped (Skipped)", nil},
		// seen: go 1.26
		{"go", "--- FAIL: TestX (0.00s)\n    --- FAIL: TestX/deep (0.00s)\n        foo_test.go:5: bad\n--- FAIL: TestPanic (0.00s)\npanic: x\nFAIL\nFAIL\texample.com/mod/pkg/sub\t0.005s\nFAIL", []string{"TestX/deep", "TestPanic"}},
		// seen: pytest 9.2
		{"pytest", "=== short test summary info ===\nFAILED test_x.py::test_a[1 - 2] - AssertionError: v is wrong\nFAILED test_x.py::TestB::test_b - AssertionError: 1 != 2\nERROR tests/test_y.py - ImportError: no\nERROR: file or directory not found\n2 failed in 0.03s", []string{"test_x.py::test_a[1 - 2]", "test_x.py::TestB::test_b", "tests/test_y.py"}},
		// seen: unittest of Python 3.11
		{"unittest", "======\nFAIL: test_b (test_x.TestB.test_b)\n------\nERROR: test_c (test_x.TestB.test_c)\nFAILED (failures=1)", []string{"test_x.TestB.test_b", "test_x.TestB.test_c"}},
		// seen: Surefire 3.2.5
		{"Surefire 3", "[ERROR] Tests run: 2, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.090 s <<< FAILURE! -- in com.acme.FooTest\n[ERROR] com.acme.FooTest.breaks -- Time elapsed: 0.010 s <<< ERROR!\njava.lang.IllegalStateException: no\n[ERROR] com.acme.FooTest.adds -- Time elapsed: 0.004 s <<< FAILURE!\n[ERROR] Failures: \n[ERROR]   FooTest.adds:5 expected:<1> but was:<2>\n[ERROR] Errors: \n[ERROR]   FooTest.breaks:6 IllegalState no\n[ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.2.5:test (default-test) on project t: x", []string{"com.acme.FooTest.breaks", "com.acme.FooTest.adds"}},
		{"Surefire, the end only", "[ERROR] Failures: \n[ERROR]   FooTest.adds:5 expected:<1> but was:<2>\n[ERROR]   FooTest.sub->Base.check:9 x", []string{"FooTest.adds", "FooTest.sub"}},
		{"Surefire 2", "[ERROR] breaks[1](com.acme.FooTest)  Time elapsed: 0.001 s  <<< ERROR!\nadds(com.acme.FooTest)  Time elapsed: 0 sec  <<< FAILURE!", []string{"com.acme.FooTest.breaks[1]", "com.acme.FooTest.adds"}},
		// seen: CUnit 2.1-3
		{"CUnit", "Suite: string\n  Test: test_parse_ip_addr ...FAILED\n    1. string_ut.c:4  - CU_ASSERT_EQUAL(1,2)\n  Test: test_ok ...passed\nSuite: two\n  Test: a b ...FAILED", []string{"string.test_parse_ip_addr", "two.a b"}},
		{"googletest", "[  FAILED  ] RingTest.Put (0 ms)\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] RingTest.Put\n[  FAILED  ] S/P.X/0, where GetParam() = 1", []string{"RingTest.Put", "S/P.X/0"}},
		{"cargo", "test tests::adds ... FAILED\ntest tests::ok ... ok\ntest result: FAILED. 1 passed", []string{"tests::adds"}},
		{"the runner's marks", "##[group]Run x\n##[error]not ok 1 marked\n2026-11-24T12:11:59.9484027Z \x1b[31mnot ok 2 red\x1b[0m\n##[debug]not ok 3 debug", []string{"marked", "red"}},
		{"talk about failures", "this is not ok 1 x\nFAILED to start\nERROR: x (y)\n--- FAIL: no time\n12 - x\n[ERROR] something else: 3\ntest of x ... FAILED twice\nthe test FAILED", nil},
		{"nothing", "", nil},
	} {
		j := change.Job{LogTail: strings.Split(tt.log, "\n")}
		if diff := cmp.Diff(tt.want, testsIn(j), cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.tool, diff)
		}
		remark := change.Job{Annotations: []change.Annotation{{Level: "failure", Text: tt.log}, {Level: "warning", Text: "not ok 1 only a warning"}}}
		if got := testsIn(remark); len(got) != len(tt.want) && !strings.Contains(tt.log, "##[") {
			t.Errorf("%s, as a remark: got %q", tt.tool, got)
		}
	}
}

// TestNamesAreBounded: many tests and reports cost no more than a line.
func TestNamesAreBounded(t *testing.T) {
	t.Parallel()
	key := keyOf("autorun.yml", 2, 1)
	m := Message{}
	for i := range 3 * maxTests {
		m.Tests = append(m.Tests, Tests{Key: key, Job: "unit", Names: []string{fmt.Sprint("t", i), fmt.Sprint("t", i)}})
	}
	names, incomplete := m.failedTests(RunResult{Run: Run{Key: key}}, change.Job{Name: "unit"})
	line := testNames(newCleaner(nil), names, incomplete, 0, namedTests)
	if want := fmt.Sprintf("Failed tests (%d or more): `t0`, `t1`, `t2`, `t3`, `t4` and %d more", maxTests, maxTests-5); line != want {
		t.Errorf("got %q, want %q", line, want)
	}
	long := change.Job{LogTail: []string{"not ok 1 " + strings.Repeat("x", 1<<20)}}
	if line := testNames(newCleaner(nil), testsIn(long), false, 0, namedTests); len(line) > 200 {
		t.Errorf("got %d bytes", len(line))
	}
}

// TestUnclaimed: names without a job stand below the failed jobs of their own run.
func TestUnclaimed(t *testing.T) {
	t.Parallel()
	key, other := keyOf("autorun.yml", 2, 1), keyOf("docs.yml", 2, 1)
	all := []Tests{{Key: key, Names: []string{"a", "b", "logged"}}, {Key: key, Job: "unit", Names: []string{"b"}}, {Key: other, Job: "unit", Names: []string{"a"}}}
	job := func(o Outcome, mayFail bool) JobResult {
		return JobResult{Outcome: o, MayFail: mayFail, Job: logged(change.Job{Name: "soak"}, "not ok 1 logged")}
	}
	for _, tt := range []struct {
		name string
		jobs []JobResult
		want string
	}{
		{"a failed job", []JobResult{job(Failed, false), job(Passed, false)}, "a"},
		{"a job that hung", []JobResult{job(TimedOut, false)}, "a"},
		{"only one that may fail", []JobResult{job(Failed, true), job(Passed, false)}, ""},
		{"none that failed", []JobResult{job(Passed, false), job(RunnerLost, false)}, ""},
	} {
		names, _ := Message{Tests: all}.unclaimed(RunResult{Run: Run{Key: key}, Jobs: tt.jobs})
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestNamesGoBeforeJobs: the names outlive the log, and jobs outlive the names.
func TestNamesGoBeforeJobs(t *testing.T) {
	t.Parallel()
	m := textCases(t)["testdata/text/failing-tests-no-room"].message()
	without := false
	for limit := minText; limit < 6000; limit += 50 {
		m.Limit = limit
		text := m.Text()
		jobs, names, log := strings.Count(text, "\nFailed: "), strings.Count(text, "\nFailed tests ("), strings.Count(text, "\n    a line")
		without = without || jobs == 6 && names < 6
		if names > 0 && jobs < 6 || log > 0 && names < 6 {
			t.Errorf("with %d bytes there are %d jobs, %d lines of tests and %d of logs", limit, jobs, names, log)
		}
	}
	if !without {
		t.Error("no limit was low enough for this test")
	}
}

func FuzzTestsInText(f *testing.F) {
	f.Add("not ok 1 adds\n--- FAIL: TestX (0.00s)\n  Test: x ...FAILED", hostile)
	f.Add("[ERROR] a.B.c -- Time elapsed: 1 s <<< FAILURE!\n\t 1 - x (Failed)", "FAILED t.py::a - b")
	f.Fuzz(func(t *testing.T, log, remark string) {
		names := testsIn(change.Job{LogTail: strings.Split(log, "\n"), Annotations: []change.Annotation{{Level: "failure", Text: remark}}})
		if len(names) > maxTests {
			t.Errorf("got %d names", len(names))
		}
		line := testNames(newCleaner([]string{"secret"}), names, false, 0, namedTests)
		if strings.ContainsAny(line, "\n\r\x1b\x00") || len(line) > 1000 || strings.Count(line, "`")%2 != 0 || strings.Contains(line, "secret") {
			t.Errorf("got %q", line)
		}
	})
}
