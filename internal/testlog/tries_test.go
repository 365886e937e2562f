// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTries: what passed when it was tried again, or was to fail, is no failure.
func TestTries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, log, want string }{
		{"Surefire's flakes", "[ERROR] com.acme.FooTest.flaky -- Time elapsed: 0.010 s <<< FAILURE!\njava.lang.AssertionError: x\n\tat com.acme.FooTest.flaky(FooTest.java:6)\n\n[ERROR] com.acme.FooTest.bad -- Time elapsed: 0.010 s <<< FAILURE!\njava.lang.AssertionError: y\n\tat com.acme.FooTest.bad(FooTest.java:9)\n\n[WARNING] Flakes: \n[WARNING] com.acme.FooTest.flaky\n[ERROR]   Run 1: FooTest.flaky:6 x\n[INFO]   Run 2: PASS\n[INFO] \n[ERROR] Failures: \n[ERROR]   FooTest.bad:9 y\n[ERROR]   BarTest.late:3 z",
			"com.acme.FooTest.bad com/acme/FooTest.java:9 java.lang.AssertionError: y; BarTest.late z"},
		{"nextest", "  TRY 1 FAIL [   0.005s] (1/2) acme tests::flaky\n  stdout ───\n\n    test tests::flaky ... FAILED\n\n  stderr ───\n    thread 'tests::flaky' panicked at src/lib.rs:5:9:\n    boom\n    note: run with\n\n  TRY 2 PASS [   0.004s] acme tests::flaky\n        FAIL [   0.004s] acme tests::bad\n    thread 'tests::bad' (12) panicked at src/lib.rs:8:9:\n    no\n------\n   FLAKY 2/2 [   0.004s] acme tests::flaky\n        FAIL [   0.004s] acme tests::bad\n     SIGSEGV [   0.1s] acme::bin tests::dies",
			"tests::bad src/lib.rs:8 no; tests::dies"},
		{"nextest, only flaky at the end", "  TRY 1 FAIL [   0.005s] acme a\n   FLAKY 2/2 [   0.004s] acme a", ""},
		{"nextest, what follows a panic", "  TRY 1 FAIL [   0.005s] acme a\n    thread 'a' panicked at a.rs:1:1:\n    boom\n------\n   FLAKY 2/2 [   0.004s] acme a", ""},
		{"nextest, the same name in another crate", "  TRY 1 FAIL [   0.005s] acme a\n  TRY 2 PASS [   0.005s] acme a\n        FAIL [   0.005s] other a", "a"},
		{"gotestsum --rerun-fails", "=== Failed\n=== FAIL: . TestFlaky (0.00s)\n    f_test.go:3: not yet\n\n=== FAIL: . TestBad (0.00s)\n    f_test.go:4: never\n\n=== FAIL: . TestBad (re-run 1) (0.00s)\n    f_test.go:4: never\n\n=== FAIL: . TestBad (re-run 2) (0.00s)\n    f_test.go:4: never\n\nDONE 3 runs, 5 tests, 4 failures in 3.948s", "TestBad f_test.go:4 never"},
		{"gotestsum, with what go test -v says", "=== RUN   TestNew\n    a_test.go:5: no\n--- FAIL: TestNew (0.00s)\nFAIL\nFAIL\tacme/m\t0.006s\n=== RUN   TestNew\n    a_test.go:6: no disk\n--- FAIL: TestNew (0.00s)\nFAIL\nFAIL\tacme/m/disk\t0.006s\n=== Failed\n=== FAIL: . TestNew (0.00s)\n    a_test.go:5: no\n\n=== FAIL: disk TestNew (0.00s)\n    a_test.go:6: no disk\n\nDONE 2 tests, 2 failures in 0.1s", "TestNew acme/m/a_test.go:5 no; TestNew acme/m/disk/a_test.go:6 no disk"},
		{"cargo test --nocapture", "thread 'a::b' panicked at src/lib.rs:5:9:\nboom\nnote: run with\ntest a::b - should panic ... ok\nthread 'c' panicked at src/lib.rs:9:9:\nbang\nnote: x\ntest c ... FAILED", "c src/lib.rs:9 bang"},
		{"a probe of configure", "conftest.c:5:10: fatal error: x.h: No such file or directory\ncompilation terminated.\nsrc/a.c:3:1: error: real\nmake: *** [Makefile:3: a.o] Error 1", "src/a.c:3 error: real; conftest.c:5 fatal error: x.h: No such file or directory"},
		{"what make ignores", "a.c:1:1: error: x\nmake[1]: [Makefile:3: probe] Error 1 (ignored)\nb.c:1:1: error: y\nmake: *** [Makefile:3: b.o] Error 1", "b.c:1 error: y; a.c:1 error: x"},
		{"what make ignores after what it does not", "b.c:1:1: error: y\nmake: *** [b.o] Error 1\nmake: [p] Error 1 (ignored)\nnot ok 1 z", "b.c:1 error: y; z"},
		{"what a script ignores", "a.sh: line 3:  12 Aborted      (core dumped) ./probe || true\nnot ok 1 - real\nb.sh: line 3:  12 Aborted  ./b", "real; b.sh:3 Aborted ./b; a.sh:3 Aborted (core dumped) ./probe || true"},
		{"panics of threads without a test", "thread 'io' panicked at a.rs:5:9:\nboom\n\nthread 'net' panicked at b.rs:9:9:\nbang\n", "a.rs:5 boom; b.rs:9 bang"},
	} {
		if got := brief(read(tt.log)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestNames: each test that failed is told by a name of its own, with what it said
// first.
func TestNames(t *testing.T) {
	t.Parallel()
	unit := func(name, text string) string {
		return name + "\n" + strings.Repeat("-", 70) + "\nTraceback (most recent call last):\n  File \"/s/test_x.py\", line 3, in test_a\n    x\nAssertionError: " + text + "\n\n" + strings.Repeat("=", 70) + "\n"
	}
	for _, tt := range []struct{ name, log, want string }{
		{"unittest before Python 3.11", unit("FAIL: test_a (x.T)", "1") + unit("ERROR: test_b (x.T)", "2"), "x.T.test_a /s/test_x.py:3 AssertionError: 1; x.T.test_b /s/test_x.py:3 AssertionError: 2"},
		{"unittest's subtests", unit("FAIL: test_a (x.T.test_a) (i=1)", "1") + unit("FAIL: test_a (x.T.test_a) [even] (i=3)", "2"), "x.T.test_a (i=1) /s/test_x.py:3 AssertionError: 1; x.T.test_a [even] (i=3) /s/test_x.py:3 AssertionError: 2"},
		{"pytest's subtests", "SUBFAIL test_a.py::test_x - assert 1 == 2\nSUBFAILED[a b](i=1) test_a.py::test_y - assert 0", "test_a.py::test_x assert 1 == 2; test_a.py::test_y assert 0"},
		{"one name in two packages of Go", "--- FAIL: TestNew (0.00s)\n    a_test.go:5: one\nFAIL\nFAIL\tacme/a\t0.1s\n--- FAIL: TestNew (0.00s)\n    b_test.go:6: two\nFAIL\nFAIL\tacme/b\t0.1s\n--- FAIL: TestNew (0.00s)\n    a_test.go:5: one\nFAIL\tacme/a\t0.2s", "TestNew acme/a/a_test.go:5 one; TestNew acme/b/b_test.go:6 two"},
		{"Go, a test and one below it", "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n        --- FAIL: TestA/b/c (0.00s)\n            a_test.go:5: sub\n    a_test.go:9: parent\n        more\nFAIL\tacme/a\t0.1s", "TestA acme/a/a_test.go:9 parent; TestA/b/c acme/a/a_test.go:5 sub"},
		{"gotestsum", "=== FAIL: acme/a TestA (0.00s)\n    a_test.go:5: boom\n\n=== FAIL: b TestA (0.00s)\n    b_test.go:7: bang\nDONE 3 tests, 2 failures in 0.5s", "TestA acme/a/a_test.go:5 boom; TestA b/b_test.go:7 bang"},
		{"Surefire 3's milestones", "[ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! - in com.acme.FooTest\n[ERROR] com.acme.FooTest.adds  Time elapsed: 0.01 s  <<< FAILURE!\njava.lang.AssertionError: x\n\tat com.acme.FooTest.adds(FooTest.java:6)\n", "com.acme.FooTest.adds com/acme/FooTest.java:6 java.lang.AssertionError: x"},
		{"CTest, a name below another", "The following tests FAILED:\n\t  1 - unit (Failed)\n\t  2 - unit/foo (Timeout)", "unit Failed; unit/foo Timeout"},
		{"TAP, a name below another", "not ok 1 - unit\nnot ok 2 - unit/foo", "unit; unit/foo"},
		{"googletest, the first of two assertions", "a.cc:1: Failure\nbefore\n\n[ RUN      ] A.b\na.cc:3: Failure\nfirst\n\na.cc:4: Failure\nsecond\n\n[  FAILED  ] A.b (0 ms)", "A.b a.cc:3 first"},
		{"TAP without numbers", "not ok - broken\nnot ok\nok - x\nnot ok - later # TODO\nnot ok to do", "broken"},
		{"Gradle", "> Task :test FAILED\n\ncom.acme.FooTest > adds() FAILED\n    org.acme.Error: expected: <1>\n        at app//org.Assert.x(Assert.java:1)\n        at app//com.acme.FooTest.adds(FooTest.java:12)\n\nBarTest > sub > x FAILED\n    java.lang.IllegalStateException at BarTest.java:7\n\n5 tests completed, 2 failed\n", "com.acme.FooTest > adds() com/acme/FooTest.java:12 org.acme.Error: expected: <1>; BarTest > sub > x BarTest.java:7 java.lang.IllegalStateException"},
	} {
		if got := brief(read(tt.log)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTestify: its assertions say where first, on lines of their own.
func TestTestify(t *testing.T) {
	t.Parallel()
	said := "    a_test.go:9: \n        \tError Trace:\t/s/a_test.go:9\n        \t            \t/s/b_test.go:19\n        \tError:      \tNot equal: \n        \t            \texpected: 1\n        \t            \tactual  : 2\n        \tTest:       \tTestA\n"
	for _, log := range []string{"--- FAIL: TestA (0.00s)\n" + said + "FAIL", "=== RUN   TestA\n" + said + "--- FAIL: TestA (0.00s)\nFAIL"} {
		got := read(log)
		if brief(got) != "TestA a_test.go:9 Not equal:" {
			t.Errorf("got %q", brief(got))
		} else if diff := cmp.Diff([]string{"expected: 1", "actual  : 2"}, got.Failures[0].Details); diff != "" {
			t.Errorf("details (-want +got):\n%s", diff)
		}
	}
}

// TestGoJSON: the events of packages that are tested at the same time are mixed.
func TestGoJSON(t *testing.T) {
	t.Parallel()
	event := func(pkg, test, output string) string {
		return fmt.Sprintf(`{"Time":"2026-11-01T00:00:00Z","Action":"output","Package":%q,"Test":%q,"Output":%q}`, pkg, test, output+"\n")
	}
	log := strings.Join([]string{
		`{"ImportPath":"acme/c","Action":"build-output","Output":"# acme/c\n"}`, `{"ImportPath":"acme/c","Action":"build-output","Output":"c/c.go:3:1: undefined: x\n"}`,
		`{"Action":"run","Package":"acme/a","Test":"TestNew"}`,
		event("acme/a", "TestNew", "=== RUN   TestNew"), event("acme/b", "TestNew", "=== RUN   TestNew"),
		event("acme/a", "TestNew", "    x_test.go:5: one"), event("acme/b", "TestNew", "        of the other"), event("acme/b", "TestNew", "    x_test.go:6: two"),
		event("acme/a", "TestNew", "--- FAIL: TestNew (0.00s)"), `{"Action":"fail","Package":"acme/a","Test":"TestNew","Elapsed":0}`,
		event("acme/b", "TestNew", "--- FAIL: TestNew (0.00s)"), event("acme/b", "", "FAIL\tacme/b\t0.1s"), event("acme/a", "", "FAIL\tacme/a\t0.1s"),
		`{"Action":"output","Output":"not ok 1 - no event"}`, `{"Action":"output`,
	}, "\n")
	for _, f := range read(log).Failures {
		if len(f.Details) > 0 {
			t.Errorf("%s has details of another package: %q", f.Path, f.Details)
		}
	}
	if got, want := brief(read(log)), "c/c.go:3 undefined: x; TestNew acme/a/x_test.go:5 one; TestNew acme/b/x_test.go:6 two"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var r Reader
	for i := range 100 * maxPackages {
		r.Line([]byte(event(fmt.Sprint("p", i), "T", "    x_test.go:5: one")))
	}
	for i := range 2 * maxFailures {
		r.Line(fmt.Appendf(nil, "[ERROR] com.acme.FooTest.t%d -- Time elapsed: 0.1 s <<< ERROR!", i))
	}
	if len(r.packages) > maxPackages+1 || len(r.java.told) > maxFailures {
		t.Errorf("got %d packages and %d tests of Java", len(r.packages), len(r.java.told))
	}
}
