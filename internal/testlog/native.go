// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"path"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// native follows the tests of C and C++.
type native struct {
	// suite and test are CUnit's present ones; open: the test has not ended.
	suite, test string
	open        bool
	// assertion is googletest's first one of the test that runs, for the test that it belongs to.
	assertion *change.Failure
}

// nativeRules know CUnit, googletest and meson.
var nativeRules = []*rule{
	newRule("CUnit (Basic.c)", "S", "Suite: ", `^Suite: (\S.*)$`, func(r *Reader, m []string) { r.native.suite, r.native.open = clip(m[1], maxName), false }),
	newRule("CUnit (Basic.c)", "T", "Test: ", `^\s*Test: (\S.*?) ?\.\.\.(.*)$`, func(r *Reader, m []string) {
		r.native.test, r.native.open = clip(m[1], maxName), true
		r.cunitEnd(m[2])
	}),
	// What a test prints may stand between its name and how it ended.
	newRule("CUnit (Basic.c)", "", "FAILED", `FAILED$`, func(r *Reader, m []string) { r.cunitEnd(m[0]) }),
	newRule("CUnit (Basic.c)", "W", "WARNING - Suite ", `^WARNING - (Suite (?:initialization|cleanup) failed for '(.+)'\.)`, func(r *Reader, m []string) {
		r.add("CUnit", test, change.Failure{Test: m[2], Text: m[1]})
	}),
	newRule("CUnit (TestRun.c)", "t", "tests", `^\s+tests\s+\d+\s+(\d+)\s+\d+\s+\d+\s+\d+$`, func(r *Reader, m []string) { r.ran("CUnit", m[1]) }),

	newRule("googletest (gtest.cc)", "", "Failure", `^([^\s:]+):(\d+): Failure$`, func(r *Reader, m []string) {
		f := &failure{Failure: change.Failure{Path: r.folders.join(m[1]), Line: number(m[2])}}
		if r.native.assertion != nil {
			return // the first was the cause
		}
		r.native.assertion = &f.Failure
		r.follow(6, func(line string) bool {
			if line == "" || line[0] == '[' {
				r.block = nil
				return false
			}
			r.say(f, line)
			return true
		})
	}),
	newRule("googletest (gtest.cc)", "[", "[ RUN      ] ", `^\[ RUN      \] `, func(r *Reader, m []string) { r.native.assertion = nil }),
	newRule("googletest (gtest.cc)", "[", "[  FAILED  ]", `^\[  FAILED  \] ([\w/]+\.[\w/]+)(?:[ ,].*)?$`, func(r *Reader, m []string) {
		f := r.add("googletest", test, change.Failure{Test: m[1]})
		if a := r.native.assertion; a != nil && f.Path == "" {
			f.Path, f.Line, f.Text, f.Details = a.Path, a.Line, a.Text, a.Details
		}
		r.native.assertion = nil
	}),
	newRule("googletest (gtest.cc)", "[", "[==========] ", `^\[==========\] (\d+) tests? from \d+ test .* ran\.`, func(r *Reader, m []string) { r.ran("googletest", m[1]) }),

	newRule("meson test (mtest.py)", "123456789", "", `^\s*\d+/\d+ (\S.*?)\s+(FAIL|TIMEOUT|ERROR|UNEXPECTEDPASS)\s+[\d.]+s\b\s*(.*)$`, func(r *Reader, m []string) {
		r.add("meson", test, change.Failure{Test: m[1], Text: strings.TrimSpace(m[2] + " " + m[3])})
	}),
	newRule("meson test (mtest.py)", "OEFUST", ":", `^(?:Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout):\s+(\d+)$`, func(r *Reader, m []string) { r.ran("meson", m[1]) }),
}

// cunitEnd takes how a test of CUnit ended, if the text says that.
func (r *Reader) cunitEnd(text string) {
	n := &r.native
	switch {
	case !n.open:
	case strings.HasSuffix(text, "passed"):
		n.open = false
	case strings.HasSuffix(text, "FAILED"):
		n.open = false
		f := r.add("CUnit", test, change.Failure{Test: strings.TrimPrefix(n.suite+"."+n.test, ".")})
		r.follow(maxNoted, func(line string) bool {
			m := cunitAssertion.FindStringSubmatch(line)
			if m == nil {
				r.block = nil
				return false
			}
			file, term := r.beside(m[1]), m[3]
			if f.Path != "" {
				term = m[1] + ":" + m[2] + ": " + term
			}
			f.place(file, m[2])
			r.say(f, term)
			return true
		})
	}
}

var cunitAssertion = regexp.MustCompile(`^\s+\d+\. (\S+?):(\d+)\s+- (.*)$`)

// beside returns where a source is that a test program has in its folder, as CUnit
// names it: the program of NAME.c is NAME.
func (r *Reader) beside(file string) string {
	if strings.Contains(file, "/") {
		return relative(file)
	}
	program := r.program(strings.TrimSuffix(file, path.Ext(file)))
	if program == "" {
		return file
	}
	return relative(path.Join(path.Dir(program), file))
}

// unfinished is the test that had begun and not ended, or whose output is shown:
// of CUnit, or of what started the program. "" is none.
func (r *Reader) unfinished() string {
	if r.native.open {
		return strings.TrimPrefix(r.native.suite+"."+r.native.test, ".")
	}
	if r.output != nil {
		return r.output.name
	}
	return ""
}
