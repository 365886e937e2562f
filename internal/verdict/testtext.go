// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// failedWords are the words in which tools name a test that failed, by their
// sources or as seen in their output; the first group that is not empty is the
// name.
var failedWords = []struct {
	tool string
	re   *regexp.Regexp
}{
	{"bats, TAP", regexp.MustCompile(`^not ok \d+(?: -)? (\S.*?)(?: in \d+m?s(?:ec)?)?$`)}, // bats --timing
	{"ctest (cmCTestTestHandler)", regexp.MustCompile(`^\s*\d+ - (\S.*?) \((?:Failed|Timeout|SEGFAULT|ILLEGAL|INTERRUPT|NUMERICAL|OTHER_FAULT|BAD_COMMAND|Not Run|Bad exit|Exit code .{1,20}|(?:Subprocess|Child) \w+)\)(?:\s.*)?$`)},
	{"go (testing.go)", regexp.MustCompile(`^\s*--- FAIL: (\S+) \(\d`)},
	{"pytest (terminal.py)", regexp.MustCompile(`^(?:FAILED|ERROR) (\S+\.py(?:::[^\[]*?(?:\[.*?\])?)?)(?: - .*)?$`)},
	{"Surefire 3 (TestSetStats)", regexp.MustCompile(`^\[ERROR\] ([\w.$]+\.[\w$]+(?:\[.*?\]|\(.*?\))?) -- Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!`)},
	{"Surefire 2 (TestSetStats)", regexp.MustCompile(`^(?:\[ERROR\] )?([\w$]+(?:\[.*?\])?\([\w.$]+\))\s+Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!`)},
	{"Surefire (DefaultReporterFactory)", regexp.MustCompile(`^\[ERROR\]   ([A-Z][\w$]*\.[\w$]+)(?:->[\w$.]+)?:\d+\s`)},
	{"CUnit (Basic.c)", regexp.MustCompile(`^\s*Test: (\S.*?) ?\.\.\.\s*FAILED$`)},
	{"googletest (gtest.cc)", regexp.MustCompile(`^\[  FAILED  \] ([\w/]+\.[\w/]+)(?:[ ,].*)?$`)},
	{"cargo test (libtest)", regexp.MustCompile(`^test (\S.*?) \.\.\. FAILED$`)},
	{"unittest (runner.py)", regexp.MustCompile(`^(?:FAIL|ERROR): \w+ \((\w+(?:\.\w+)+)\)$`)},
}

// cunitSuite begins the tests of a suite in CUnit's basic mode.
var cunitSuite = regexp.MustCompile(`^Suite: (\S.*)$`)

// directive makes a failure none (TAP 14, Directives).
var directive = regexp.MustCompile(`(?i)\s# ?(?:todo|skip)`)

// surefireOld is METHOD(CLASS).
var surefireOld = regexp.MustCompile(`^([\w$]+(?:\[.*\])?)\(([\w.$]+)\)$`)

// testsInText returns the tests that a job's remarks and the end of its log call
// failed, in fixed words of tools.
func testsInText(j change.Job) []string {
	var lines, names []string
	for _, a := range j.Annotations[:min(len(j.Annotations), maxRemarks)] {
		if a.Level == "failure" {
			lines = append(lines, strings.Split(change.Clip(a.Text, maxRaw), "\n")...)
		}
	}
	for _, line := range tail(j.LogTail, maxTail) {
		if text, ok := logText(line); ok {
			lines = append(lines, text)
		}
	}
	suite := ""
	for _, line := range lines {
		line = strings.TrimRight(plain(line), " \t\r")
		if m := cunitSuite.FindStringSubmatch(line); m != nil {
			suite = m[1] + "."
			continue
		}
		name, tool := failedTest(line)
		if strings.HasPrefix(tool, "CUnit") {
			name = suite + name
		}
		if name != "" && len(names) < maxTests && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(names, func(other string) bool { return saysMore(other, name) })
	})
}

// failedTest returns the test that a line calls failed, and the tool that does.
func failedTest(line string) (name, tool string) {
	if strings.HasPrefix(line, "not ok ") && directive.MatchString(line) {
		return "", ""
	}
	for _, w := range failedWords {
		if m := w.re.FindStringSubmatch(line); m != nil {
			name = m[1]
			if old := surefireOld.FindStringSubmatch(name); old != nil && strings.HasPrefix(w.tool, "Surefire 2") {
				name = old[2] + "." + old[1]
			}
			return strings.TrimSpace(name), w.tool
		}
	}
	return "", ""
}

// saysMore reports whether one name makes another needless: that of a test below
// it (Go), or the same with its package (Surefire).
func saysMore(name, than string) bool {
	return strings.HasPrefix(name, than+"/") || strings.HasSuffix(name, "."+than) && strings.Contains(than, ".")
}
