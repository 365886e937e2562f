// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// ctest follows the tests of CMake.
type ctest struct {
	// started are the tests that run, and those that failed.
	started []*ctestTest
	// verbose: the lines of a test begin with its number (ctest -V).
	verbose bool
}

type ctestTest struct {
	number string
	output
	failed bool
}

// ctestRules know CTest.
var ctestRules = []*rule{
	newRule("CTest (cmCTestRunTest.cxx)", "S", "Start ", `^\s*Start\s+(\d+): (\S.*)$`, func(r *Reader, m []string) {
		r.output = nil
		if len(r.ctest.started) < maxFailures {
			r.ctest.started = append(r.ctest.started, &ctestTest{number: clip(m[1], maxName), output: output{name: clip(m[2], maxName)}})
		}
	}),
	newRule("CTest (cmCTestRunTest.cxx)", "1234567890", "Test", `^\s*\d+/\d+ (?:Test|MemCheck)\s*#(\d+): .*?(\*\*\*|  Passed )`, func(r *Reader, m []string) {
		r.output = nil
		t := r.ctest.test(m[1])
		if m[2] != "***" || t == nil {
			r.ctest.started = slices.DeleteFunc(r.ctest.started, func(other *ctestTest) bool { return other == t })
			return
		}
		t.failed = true
		if !r.ctest.verbose { // what it printed follows
			r.output = &t.output
		}
	}),
	newRule("CTest (cmCTestRunTest.cxx)", "U", "Unable to find executable: ", `^Unable to find executable: \S.*$`, func(r *Reader, m []string) {
		if n := len(r.ctest.started); n > 0 {
			r.ctest.started[n-1].say(m[0])
		}
	}),
	newRule("CTest (cmCTestTestHandler.cxx)", "1234567890", "% tests passed", `^\d+% tests passed, \d+ tests failed out of (\d+)$`, func(r *Reader, m []string) {
		r.output = nil
		r.ran("CTest", m[1])
	}),
	newRule("CTest (cmCTestTestHandler.cxx)", "123456789", " - ", `^\s*(\d+) - (\S.*?) \((Failed|Timeout|SEGFAULT|ILLEGAL|INTERRUPT|NUMERICAL|OTHER_FAULT|BAD_COMMAND|Not Run|Bad exit|Exit code .{1,20}|(?:Subprocess|Child) \w+)\)(?:\s.*)?$`, func(r *Reader, m []string) {
		f := r.add("CTest", test, change.Failure{Test: m[2], Text: m[3]})
		if t := r.ctest.test(m[1]); t != nil {
			t.failed = false // it is told
			r.explain(f, m[3], &t.output)
		}
		f.testOf("CTest")
	}),
}

// unlisted are the failed tests of a CTest that did not come to its end.
func (c *ctest) unlisted() []*failure {
	var list []*failure
	for _, t := range c.started {
		if t.failed {
			list = append(list, &failure{Failure: change.Failure{Test: t.name, Text: "Failed", Details: t.said}, class: test, tool: "CTest"})
		}
	}
	return list
}

// test returns the test of a number that began last, or nil.
func (c *ctest) test(number string) *ctestTest {
	for _, t := range slices.Backward(c.started) {
		if t.number == number {
			return t
		}
	}
	return nil
}

var (
	ctestPrefix = regexp.MustCompile(`^(\d+): ?`)
	// ctestAbout is what CTest itself says of a test that begins.
	ctestAbout = regexp.MustCompile(`^(?:Test command:|Working Directory: |Test timeout computed to be: |Environment variables:)`)
)

// ctestOutput returns what a test printed without the number that "ctest -V" puts in
// front of it.
func (r *Reader) ctestOutput(line []byte) []byte {
	c := &r.ctest
	if len(c.started) == 0 {
		return line
	}
	if c.verbose {
		r.output = nil
	}
	m := ctestPrefix.FindSubmatch(line)
	if m == nil {
		return line
	}
	t, rest := c.test(string(m[1])), line[len(m[0]):]
	about := ctestAbout.Match(rest)
	switch {
	case t == nil || !about && !c.verbose:
		return line
	case about:
		c.verbose = true
		return nil
	}
	r.output = &t.output
	return rest
}
