// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"fmt"
	"strings"
	"testing"
)

// texts are in tools' own words. Those marked "seen" were written by the tool itself,
// run on a small file; the others are by its source or documentation.
var texts = []struct{ tool, text, folder, want string }{
	// seen: bats 1.8.2
	{"bats", "(in test file nvme.bats, line 5)\n  `[ 3 -eq 4 ]' failed", "", "nvme.bats:5"},
	{"bats, a helper", "(from function `check' in file test/my lib.bash, line 2,\n in test file test/nvme.bats, line 8)\n  `check 2' failed", "", "test/my lib.bash:2 test/nvme.bats:8"},
	// seen: CTest 3.25.1 with glibc's assert
	{"ctest", "connecting to 127.0.0.1:8080 at 12:30\nut: /work/t/sub/ut.c:6: main: Assertion `1 == 2' failed.", "", "/work/t/sub/ut.c:6"},
	{"assert of a bare name", "ut: ut.c:6: main: Assertion `1 == 2' failed.", "", "ut.c:6"},
	// seen: CUnit 2.1-3
	{"CUnit", "  Test: test_parse_ip_addr ...FAILED\n    1. string_ut.c:4  - CU_ASSERT_EQUAL(1,2)\n    12. string_ut.c:5  - 3 < 2 && \"a<b\"", "", "string_ut.c:4 string_ut.c:5"},
	// seen: go 1.26
	{"go", "    foo_test.go:5: dial 127.0.0.1:8080 failed", "example.com/mod/pkg/sub", "example.com/mod/pkg/sub/foo_test.go:5"},
	{"go, a panic", "panic: assignment to entry in nil map\ntesting.tRunner.func1()\n\t/usr/local/go/src/testing/testing.go:1977 +0x349\nexample.com/mod/pkg/sub.TestPanic(0x226f29a6cb48?)\n\t/work/pkg/sub/foo_test.go:8 +0x28", "", "/work/pkg/sub/foo_test.go:8"},
	// seen: Surefire 3.2.5 with JUnit 4
	{"Surefire", "java.lang.AssertionError: expected:<1> but was:<2>\n\tat org.junit.Assert.fail(Assert.java:89)\n\tat com.acme.FooTest.adds(FooTest.java:5)\n\tat com.acme.FooTest$Inner.lambda$x$0(FooTest.java:7)\n\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)\n\tat java.base/jdk.internal.X.invoke0(Native Method)", "", "com/acme/FooTest.java:5 com/acme/FooTest.java:7"},
	{"Java with class loaders", "\tat app//com.acme.Foo.<init>(Foo.java:3)\n\tat deployment.x.war//Bar.go(Bar.kt:4)\n\tat Top.main(Top.java:1)", "", "com/acme/Foo.java:3 Bar.kt:4 Top.java:1"},
	// seen: pytest 9.2, unittest of Python 3.11
	{"pytest", "    def helper(v):\n>       assert v == 1, \"v is wrong\"\nE       AssertionError: v is wrong\n\ntest_x.py:3: AssertionError", "", "test_x.py:3"},
	{"unittest", "Traceback (most recent call last):\n  File \"/tmp/py/test x.py\", line 8, in test_b\n    self.assertEqual(1, 2)\n  File \"/tmp/py/b.py\", line 9, in c\n  File \"/usr/lib/python3.11/x.py\", line 2, in d\nAssertionError: 1 != 2", "", "/tmp/py/b.py:9 /tmp/py/test x.py:8"},
	// seen: gcc 12
	{"gcc", "In file included from a.c:1:\na.h:1:7: error: expected declaration specifiers\n    1 | int f(;\na.c:2:15: error: expected", "", "a.h:1 a.c:2"},
	{"gcc, further files", "In file included from lib/x.h:3,\n                 from lib/a.c:1:\nlib/y.h:1:7: error: x", "", "lib/y.h:1"},
	{"clang, a module", "In module 'x' imported from lib/a.m:1:\nlib/y.h:1:7: error: x", "", "lib/y.h:1"},
	// MSVC's documentation of diagnostics; the loggers of Boost.Test, doctest, Qt Test
	{"MSVC", `C:\src\lib\a.c(12,5): error C2065: 'x': undeclared identifier`, "", "/src/lib/a.c:12"},
	{"Boost.Test", "lib/a.cpp(12): error: in \"suite/case\": check x has failed", "", "lib/a.cpp:12"},
	{"Boost.Test, JUnit", "ASSERTION FAILURE:\n- file   : a.cpp\n- line   : 12\n- message: check x has failed", "", "a.cpp:12"},
	{"doctest", "a.cpp(12): ERROR: CHECK( x == 1 ) is NOT correct!", "", "a.cpp:12"},
	{"Qt Test", "FAIL!  : T::x() Compared values are not the same\n   Loc: [../t/tst_x.cpp(31)]", "", "t/tst_x.cpp:31"},
	{"two lines", "File: lib/a.c\nLine: 12\nwhat", "", "lib/a.c:12"}, {"two fields", "File: lib/a b.c, Line: 12", "", "lib/a b.c:12"}, {"a file alone", "File: lib/a.c\nSize: 12", "", ""},
	// StackTrace.cs; xUnit.net's console
	{".NET", "   at Acme.MathTests.Adds() in /src/My Tests/MathTests.cs:line 12\n   at System.X()", "", "/src/My Tests/MathTests.cs:12"},
	{"xUnit.net", `        C:\src\T.cs(29,0): at Acme.T.X(Boolean expected)`, "", "/src/T.cs:29"},
	// googletest, Catch2, cmocka, rustc, node, jest, minitest, RSpec, Test::More, bash, make
	{"googletest", "lib/a_test.cc:12\nExpected equality of these values:", "", "lib/a_test.cc:12"},
	{"Catch2", "FAILED:\n  CHECK( x == 1 )\nat a.cpp:12", "", "a.cpp:12"},
	{"cmocka", "0 != 0x1\n[   LINE   ] --- a_test.c:12: error: Failure!", "", "a_test.c:12"},
	{"rust", "thread 't' panicked at src/lib.rs:12:5:\nassertion failed", "", "src/lib.rs:12"}, {"rustc", "error[E0425]: x\n --> lib.rs:2:5", "", "lib.rs:2"},
	{"node", "Error: x\n    at f (/work/app/[id]/a.test.js:12:5)\n    at file:///work/b.mjs:3:1\n    at Module._load (node:internal/modules/cjs/loader:1234:14)\n    at /work/node_modules/x/y.js:1:1", "", "/work/app/[id]/a.test.js:12 /work/b.mjs:3"},
	{"minitest", "Failure:\nFooTest#test_x [test/foo_test.rb:12]:\nExpected: 1", "", "test/foo_test.rb:12"},
	{"RSpec", "     # ./spec/foo_spec.rb:12:in `block (2 levels)'", "", "spec/foo_spec.rb:12"},
	{"Test::More", "#   Failed test 'x'\n#   at t/foo.t line 12.", "", "t/foo.t:12"},
	{"bash", "./test/run.sh: line 12: foo: command not found", "", "test/run.sh:12"},
	{"make", "Makefile:17: *** missing separator.  Stop.", "", "Makefile:17"},
	{"a test's own folder", "a_test.c:3: bad\nlib/b.c:4: bad", "test/unit", "test/unit/a_test.c:3 lib/b.c:4"},
	// What is no place.
	{"addresses", "dial tcp 127.0.0.1:8080: connect: connection refused\nlocalhost:5432: no\nconnect to name.example:443\ncurl: (7) Failed to connect to ci.example.sh:443 port\n[::1]:8080", "", ""},
	{"times", "12:30 done\n2026-11-29T12:30:45.123Z x\n[12:30:45] y\nat 12:30:45.c", "", ""},
	{"web addresses", "GET http://localhost:9876/src/foo.js:12:5 failed\nsee https://x.example/lib/a.c:3 and (ftp://h/a.c:9)", "", ""},
	{"versions", "docker.io/library/x:3\nghcr.io/a/node:20\nfoo/v1.2:30\n1.2.3:4", "", ""},
	{"ratios", "and/or:3 a.b.c:d 5/6:7", "", ""},
	{"dependencies", "/usr/include/x.h:3:1: error\n/x/site-packages/y.py:3: z\n  File \"/usr/lib/python3/x.py\", line 3", "", ""},
}

func TestScan(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		var got []string
		for _, p := range cleanPlaces(scan(tt.text, tt.folder)) {
			got = append(got, fmt.Sprintf("%s:%d", p.Path, p.Line))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.tool, s, tt.want)
		}
	}
}

// TestScanLongTexts finds what stands at the beginning and at the end.
func TestScanLongTexts(t *testing.T) {
	t.Parallel()
	text := "a/first.c:1: x\n" + strings.Repeat("line\n", 5000) + "a/middle.c:2: x\n" + strings.Repeat("line\n", 5000) + "a/last.c:3: x\n" + strings.Repeat("x", 1<<20) + " a/far.c:4: x"
	got := scan(text, "")
	if len(got) != 2 || got[0].Path != "a/first.c" || got[1].Path != "a/last.c" {
		t.Errorf("got %v", got)
	}
	if many := scan(strings.Repeat("a/b.c:1: x a/c.c:2: y\n", 1000), ""); len(many) > 2*maxPlaces {
		t.Errorf("got %d places", len(many))
	}
}

// TestSearchIsBounded: a file may cost so much search, and no more.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	c := newCollector("x")
	text := "a/b.c:1: x\n" + strings.Repeat("x", 1<<20-20)
	found := 0
	for range 20 {
		found += len(c.search(text, ""))
	}
	if found != maxSearched>>20 {
		t.Errorf("%d texts of 1 MiB were searched, want %d", found, maxSearched>>20)
	}
	full := newCollector("x")
	for range MaxFindings {
		full.add(Finding{Text: "x"})
	}
	if got := full.search(text, ""); got != nil {
		t.Errorf("got %v for a finding that is not kept", got)
	}
}

func FuzzScan(f *testing.F) {
	for _, tt := range texts {
		f.Add(tt.text, tt.folder)
	}
	f.Fuzz(func(t *testing.T, text, folder string) {
		found := scan(text, folder)
		if len(found) > 2*maxPlaces {
			t.Errorf("%d places", len(found))
		}
		for _, p := range found {
			if p.Path == "" || p.Line < 0 {
				t.Errorf("%+v", p)
			}
		}
		checkFindings(t, Report{Findings: []Finding{{Title: "x", Places: cleanPlaces(found)}}})
	})
}
