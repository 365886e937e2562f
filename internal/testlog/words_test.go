// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestWords are lines that tools write, and lines that only look so; "seen" logs of
// whole runs are in testdata.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, log, want string }{
		{"GitHub's stamps, colours, the runner's marks", "2026-11-24T12:11:59.9484027Z \x1b[31mnot ok 2 red\x1b[0m\n2026-11-24T12:12:00.0000000Z # (in test file a.bats, line 5)\n##[error]a.c:3:1: error: x\n##[group]not ok 3\n##[debug]not ok 4 x",
			"red a.bats:5; a.c:3 error: x"},
		{"a passed run of SPDK", strings.Repeat("[2026-11-01 10:00:00.1] /dispatcher/source/lib/bdev/bdev.c:8923:bdev_open: *ERROR*: no bdev\n", 3) + "  Test: a ...passed\nWARN: neither valgrind nor ASAN is enabled!", ""},
		{"what a test prints stands before how it ended", "Suite: s\n  Test: quiet ...passed\n  Test: loud ...line\na.c:1: *ERROR*: x\nmoreFAILED\n    1. a_ut.c:8  - CU_ASSERT(0)\nFAILED", "s.loud a_ut.c:8 CU_ASSERT(0)"},
		{"the folder of a program", "+ valgrind --log-file=/tmp/x ./test/unit/a.c/a_ut\nSuite: s\n  Test: t ...FAILED\n    1. a_ut.c:8  - 0", "s.t test/unit/a.c/a_ut.c:8 0"},
		{"xtrace is no output", "++ not ok 1 x\n+ echo --- FAIL: TestX (0.00s)\n+++ a.c:1:1: error: b", ""},
		{"listings of scripts are none either", "* Failing Code:\n\n  ==> a.sh <==\n   not ok 1 - x\n      1. a.c:1 - x\n   a.c:1:1: error: y\nnot ok 2 - real", "real"},
		{"TAP's directives", "not ok 4 - later # TODO some day\nnot ok 5 # SKIP no disk\nnot ok 6 - fixes #12\nok 7 - x", "fixes #12"},
		{"a compiler's error before the tests, for which the build failed", "a.c:1:1: error: x\nmake: *** [Makefile:3: a.o] Error 1\nnot ok 1 y", "a.c:1 error: x; y"},
		{"one that a test was after", "a.c:1:1: error: x\nok 1 does not compile\nnot ok 2 y", "y; a.c:1 error: x"},
		{"only make says that something failed", "make[1]: *** [Makefile:3: check] Error 1\nmake: *** [Makefile:1: all] Error 2", ""},
		{"what make ignores", "make: [Makefile:3: x] Error 1 (ignored)", ""},
		{"folders of make", "make[1]: Entering directory '/home/ci/dispatcher/source/lib/a'\nx.c:1: error: one\nmake[1]: Leaving directory '/home/ci/dispatcher/source/lib/a'\nmake[1]: Entering directory '/s/lib/b'\nmake[1]: Entering directory '/s/lib/c'\nx.c:2: error: two",
			"lib/a/x.c:1 error: one; x.c:2 error: two"},
		{"a header that is missing", "a.c:1:10: fatal error: b.h: No such file or directory\ncompilation terminated.", "a.c:1 fatal error: b.h: No such file or directory"},
		{"a linker", "/usr/bin/ld: a.o: in function `f':\na.c:(.text+0x5): undefined reference to `g'\n/usr/bin/ld: b.o:(.data+0x0): multiple definition of `h'; a.o:(.data+0x0): first defined here\nld.lld: error: undefined symbol: z\ncollect2: error: ld returned 1 exit status",
			"a.c undefined reference to `g'; b.o multiple definition of `h'; error: undefined symbol: z"},
		{"a test that never ended", "panic: test timed out after 1s\n\trunning tests:\n\t\tTestHangs (1s)\n\ngoroutine 1 [running]:\ntesting.x()\n\t/usr/local/go/src/testing/testing.go:1 +0x1\na.b()\n\t/src/a/b_test.go:9 +0x2\nFAIL\ta\t1.0s", "TestHangs /src/a/b_test.go:9 panic: test timed out after 1s"},
		{"parents of tests", "--- FAIL: TestX (0.00s)\n    --- FAIL: TestX/deep (0.00s)\n        foo_test.go:5: bad\n            more\nFAIL\nFAIL\texample.com/mod/pkg\t0.005s", "TestX/deep example.com/mod/pkg/foo_test.go:5 bad"},
		{"a crash in a test", "Suite: s\n  Test: t ...=====\n==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\nREAD of size 4\n    #0 0x1 in memcpy /usr/src/x.c:1:2\n    #1 0x1 in f(int) /github/workspace/a.c:4:5", "s.t a.c:4 AddressSanitizer: heap-use-after-free"},
		{"an old Rust", "test a ... FAILED\nthread 'a' panicked at 'no', src/lib.rs:5:9\nthread 'main' panicked at src/main.rs:1:2:\nboom", "a src/lib.rs:5 no; src/main.rs:1 boom"},
		{"pytest without a summary", "____ test_a ____\nE   assert 1 == 2\n\nx/test_a.py:4: AssertionError", "test_a x/test_a.py:4 assert 1 == 2"},
		{"Surefire 3", "[ERROR] com.acme.FooTest.breaks -- Time elapsed: 0.010 s <<< ERROR!\njava.lang.IllegalStateException: no\n\tat com.acme.Foo.bar(Foo.java:3)\n\tat com.acme.FooTest.breaks(FooTest.java:6)\n\n[ERROR] Errors: \n[ERROR]   FooTest.breaks:6 IllegalState no\n[ERROR] Tests run: 2, Failures: 0, Errors: 1, Skipped: 0", "com.acme.FooTest.breaks com/acme/FooTest.java:6 java.lang.IllegalStateException: no"},
		{"Surefire 2", "[ERROR] breaks[1](com.acme.FooTest)  Time elapsed: 0.001 s  <<< ERROR!\nadds(com.acme.FooTest)  Time elapsed: 0 sec  <<< FAILURE!", "com.acme.FooTest.breaks[1]; com.acme.FooTest.adds"},
		{"Surefire, the end only", "[ERROR]   FooTest.adds:5 expected:<1> but was:<2>", "FooTest.adds expected:<1> but was:<2>"},
		{"Maven", "[ERROR] /s/src/A.java:[3,5] cannot find symbol", "/s/src/A.java:3 cannot find symbol"},
		{"ctest, tests that are off", "The following tests did not run:\n\t  2 - off (Disabled)\n\t  3 - skipped (Skipped)", ""},
		{"CTest, which did not come to its end", "    Start 1: a\n1/3 Test #1: a ...   Passed    0.01 sec\n    Start 2: b\n2/3 Test #2: b ...***Failed    0.00 sec\nwant 3\n\n    Start 3: c", "b Failed"},
		{"CTest, a test's numbered lines", "    Start 1: a\n1: not ok 1 - x\n1/1 Test #1: a ...   Passed    0.01 sec\nx: y", ""},
		{"CTest, what else its test said", "    Start 1: a\n1/2 Test #1: a ...***Failed    0.00 sec\n==7== Invalid read of size 4\n\n    Start 2: b\n2/2 Test #2: b ...***Failed    0.00 sec\n\n0% tests passed, 2 tests failed out of 2\n\t  1 - a (Failed)\n\t  2 - b (Failed)", "a Invalid read of size 4; b Failed"},
		{"CTest, a line of nobody between numbered ones", "    Start 1: a\n\n1: Test command: /a\n1: begins\nx: z.c:3: main: Assertion `x' failed.\n1/1 Test #1: a ...***Failed    0.00 sec\n\t  1 - a (Failed)", "z.c:3 Assertion `x' failed.; a Failed"},
		{"automake, another test's step of that name", "not ok 2 - removes\nx\nFAIL: steps.tap 2 - removes\nTestsuite summary for ring 1.0", "removes; steps.tap 2 - removes FAIL"},
		{"automake, the log after the summary", "FAIL: bad.sh\nTestsuite summary for ring 1.0\n# TOTAL: 8\n# FAIL:  1\nmake: *** [Makefile:3: check] Error 1\nFAIL: bad\n=========\n\nbad.sh: x.c:3: main: Assertion `1 == 2' failed.\nFAIL bad.sh (exit status: 134)", "bad.sh x.c:3 FAIL"},
		{"automake's words without its summary", "FAIL: bad.sh\nERROR: x\nFAIL: steps.tap 2 - removes\n# TOTAL: 8", ""},
		{"a traceback that was no matter", "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    x\nOSError: no device\nnot ok 1 - y", "y"},
		{"the traceback before a build failed", "ERROR:root:x\nTraceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nOSError: no device\nTraceback (most recent call last):\n  File \"b.py\", line 4, in <module>\n    f()\n  File \"/usr/lib/python3.11/json/x.py\", line 9, in f\nValueError\nmake: *** [Makefile:3: x] Error 1\nTraceback (most recent call last):\n  File \"c.py\", line 5, in <module>\nKeyError: 'x'", "b.py:4 ValueError"},
		{"a traceback that ends in nothing", "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nnot ok 1 - y", "y"},
		{"mocha's list of what passed", "  the ring\n    1) keeps its size\n  2) x:\n     y\n", ""},
		{"jest's words that are no failures", "  ● Console\n\n    console.log\n      x\n", ""},
		{"a stage, and what a sanitizer remarked", "a.c:3:1: runtime error: shift\n* Failing Component: \"a\"\n* Failing Test Stack: autotest->a", "autotest.a; a.c:3 runtime error: shift"},
		{"a kernel", "[   12.345678] BUG: kernel NULL pointer dereference, address: 0\n[   13.0] Kernel panic - not syncing: Fatal exception", "BUG: kernel NULL pointer dereference, address: 0; Kernel panic - not syncing: Fatal exception"},
		{"a stage beside tests", "not ok 1 x\n* Failing Component: \"a\"\n* Failing Test Stack: autotest->a", "x"},
		{"talk about failures", "this is not ok 1 x\nFAILED to start\nERROR: x (y)\n--- FAIL: no time\n12 - x\n[ERROR] something else: 3\ntest of x ... FAILED twice\nthe test FAILED\nerror: no place\nError: 3\nld: warning: x\na: error: b\n1..x\n=== FAILED", ""},
	} {
		if got := brief(read(tt.log)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// brief writes the failures of a report on one line.
func brief(report change.LogReport) string {
	var list []string
	for _, f := range report.Failures {
		at := f.Path
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.Path, f.Line)
		}
		list = append(list, strings.Join(strings.Fields(f.Test+" "+at+" "+f.Text), " "))
	}
	return strings.Join(list, "; ")
}

// TestBounds: however much a job prints, little is kept.
func TestBounds(t *testing.T) {
	t.Parallel()
	var r Reader
	long := strings.Repeat("x", 1<<20)
	for i := range maxFailures + 10 {
		r.Line(fmt.Appendf(nil, "not ok %d - test %d %s", i, i, long[:3000]))
		r.Line(fmt.Appendf(nil, "#   at f line %d.", i))
		r.Line([]byte("# " + long[:3000]))
		r.Line(fmt.Appendf(nil, "=== RUN   T%d", i))
		r.Line(fmt.Appendf(nil, "    a_test.go:%d: %s", i, long[:3000]))
		r.Line(fmt.Appendf(nil, "______ %d%s ______", i, long[:3000]))
		r.Line([]byte("E   " + long[:3000]))
		r.Line(fmt.Appendf(nil, "make: Entering directory '/%d'", i))
		r.Line(fmt.Appendf(nil, "__%d.c:1: Failure", i))
		r.Line(fmt.Appendf(nil, "    Start %d: t%d%s", i, i, long[:3000]))
		r.Line(fmt.Appendf(nil, "%d: %s", i, long[:3000]))
		r.Line(fmt.Appendf(nil, "FAIL: t%d.sh", i))
		r.Line(fmt.Appendf(nil, "FAIL: %d", i))
		r.Line(nil)
	}
	r.Line([]byte(long))
	r.Line([]byte("+ " + long))
	report := r.Report()
	if len(report.Failures) != maxFailures || report.More == 0 {
		t.Errorf("got %d failures and %d more", len(report.Failures), report.More)
	}
	details, size := 0, 0
	for _, f := range report.Failures {
		details += len(f.Details)
		size += len(f.Test) + len(f.Path) + len(f.Text)
	}
	if details > detailed*maxDetails || size > maxFailures*(2*maxName+maxText+9) {
		t.Errorf("got %d details and %d bytes", details, size)
	}
	if len(r.ctest.started) > maxFailures || len(r.automake.failed) > maxFailures {
		t.Errorf("it follows %d and %d tests", len(r.ctest.started), len(r.automake.failed))
	}
	if len(r.golang.said) > maxNoted || len(r.python.noted) > maxNoted || len(r.folders) > maxNoted || len(r.command) > maxLine {
		t.Errorf("it notes %d, %d, %d things and a command of %d bytes", len(r.golang.said), len(r.python.noted), len(r.folders), len(r.command))
	}
}

// FuzzReader gives any text to a Reader: it never fails, and what it gives is
// bounded and in order.
func FuzzReader(f *testing.F) {
	f.Add("not ok 1 adds\n# at a line 3.\n--- FAIL: TestX (0.00s)\n    a_test.go:1: x\npanic: y\n\t/a.go:1 +0x2", "  Test: x ...FAILED\n    1. a.c:1 - b")
	f.Add("a.c:1:1: error: x\n    1 | y\nmake: *** [a:1: b] Error 1\nCMake Error at a:1 (b):\n  c", "[ERROR] a.B.c -- Time elapsed: 1 s <<< FAILURE!\n\tat a.B.c(B.java:1)\n\t 1 - x (Failed)")
	f.Add("FAIL: a (b.c)\nTraceback (most recent call last):\n  File \"x\", line 1\nE\n____ a ____\nE   x\na.py:1: b\nFAILED a.py::a - b", "error[E1]: x\n --> a:1:2\n  |\n1 | y\ntest a ... FAILED\nthread 'a' panicked at b:1:2:\nc")
	f.Add("* Failing Component: \"a\"\n* Failing Test Stack: a->b\n* Failing Code:\n  x\n[1] a (\"\") b:1 c", "==1==ERROR: AddressSanitizer: x\n    #0 0x1 in a b:1\n==1== Invalid read of x\n==1==    at 0x1: a (b:1)")
	f.Fuzz(func(t *testing.T, one, two string) {
		var r Reader
		for line := range strings.SplitSeq(one+"\n"+two+"\n"+one, "\n") {
			r.Line([]byte(line))
		}
		report := r.Report()
		for _, f := range report.Failures {
			if len(f.Test) > maxName+3 || len(f.Path) > 2*maxName+9 || len(f.Text) > maxText+3 || len(f.Details) > maxDetails || f.Line < 0 {
				t.Errorf("got %+v", f)
			}
			if f.Test == "" && f.Text == "" && f.Path == "" {
				t.Error("a failure says nothing")
			}
		}
	})
}

// BenchmarkReader reads a log of a build with xtrace and tests that pass, as most of
// a log is.
func BenchmarkReader(b *testing.B) {
	var log [][]byte
	size := 0
	for i := range 1000 {
		for _, line := range []string{
			"  CC lib/bdev/bdev_%d.o", "++ 12:00:00 unittest.unittest_bdev -- test/unit/unittest.sh@%d: [[ -n x ]]", "  Test: test_%d ...passed",
			"[2026-11-01 10:00:00.123456] /dispatcher/source/lib/bdev/bdev.c:%d:bdev_open: *ERROR*: Currently unable to find bdev with name: x",
			"-- Installing: /usr/local/include/spdk/%d.h", "[%d/2000] Compiling C object lib/librte_eal.a.p/eal_common.c.o",
		} {
			text := fmt.Appendf(nil, line, i)
			log, size = append(log, text), size+len(text)+1
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		var r Reader
		for _, line := range log {
			r.Line(line)
		}
		runtime.KeepAlive(r.Report())
	}
}

// TestAround: where no tool says what failed, the lines before the first that says
// that something did are worth more than the end of a log.
func TestAround(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	for i := range 30 {
		fmt.Fprintf(&log, "line %d\n+ traced\n\n", i)
	}
	log.WriteString("odd-tool: no such thing\nmake[1]: *** [Makefile:3: docs] Error 1\nmake: *** [Makefile:1: all] Error 2\n")
	log.WriteString(strings.Repeat("cleaning up\n", 100))
	report := read(log.String())
	got := report.Around
	if len(got) != maxAround || got[0] != "line 20" || got[10] != "odd-tool: no such thing" || got[11] != "make[1]: *** [Makefile:3: docs] Error 1" {
		t.Errorf("got %q", got)
	}
	if len(report.Failures) > 0 {
		t.Errorf("got failures %+v", report.Failures)
	}
	stage := read("+ rpc.py create\nrequest:\nFile exists\n******\nSTART TEST x\n* Failing Code:\n\n  a\n  b\nx\n* Failing Component: \"nvme\"\n[1]  f  (\"\")  test/nvme.sh:8  rpc create\n")
	want := change.Failure{Test: "nvme", Path: "test/nvme.sh", Line: 8, Text: "rpc create", Details: []string{"request:", "File exists"}}
	if diff := cmp.Diff([]change.Failure{want}, stage.Failures); diff != "" {
		t.Errorf("SPDK's stage (-want +got):\n%s", diff)
	}
}
