// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"math"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// litRules know lit, LLVM's test runner (lit/display.py, as of lit 15 and 23).
var litRules = []*rule{
	newRule("lit (display.py)", "FXUT", " :: ", `^(FAIL|XPASS|UNRESOLVED|TIMEOUT): (\S.* :: \S.*) \(\d+ of \d+\)$`, func(r *Reader, m []string) {
		f := r.add("lit", test, change.Failure{Test: m[2]})
		if m[1] == "XPASS" || m[1] == "TIMEOUT" { // what is printed does not say that
			r.say(f, m[1])
		}
	}),
	newRule("lit (display.py)", "*", " TEST '", `^\*{20} TEST '(.+ :: .+)' (FAILED|\w+) \*{20}$`, func(r *Reader, m []string) { r.lit(m[1]) }),
	newRule("lit (main.py)", "-", "-- Testing: ", `^-- Testing: (\d+)(?: of \d+)? tests, `, func(r *Reader, m []string) { r.ran("lit", m[1]) }),
}

var (
	// litOwn are lit's words between those of the commands that a test runs.
	litOwn = regexp.MustCompile(`^(?:# (?:RUN: at line \d+|executed command: .*|\.---command .*|` + "`" + `-{5,}|command (?:output|stderr):)|Command Output \(.*\):|Script:|--|\$ ".*|: 'RUN: .*)$`)
	// litError is what says where a command failed, if one of them does.
	litError = regexp.MustCompile(`^(?:([^\s:]+):(\d+):(?:\d+:)? )?((?:(?:fatal )?error: |Assertion |LLVM ERROR: |.*Sanitizer: ).*)$`)
	litExit  = regexp.MustCompile(`^(?:Exit Code: \d+|error: command (?:failed|reached|had) .*)$`)
)

// lit takes what a test printed that failed: the place and text of the first error,
// or else the last lines before the command that failed ended.
func (r *Reader) lit(name string) {
	f := r.add("lit", test, change.Failure{Test: name})
	said, exit, ended := &output{name: name}, "", false
	r.follow(math.MaxInt, func(line string) bool {
		if strings.Trim(line, "*") == "" && len(line) >= 20 {
			r.block = nil
			r.litEnd(f, said, exit)
			return true
		}
		text := strings.TrimPrefix(strings.TrimPrefix(line, "# |"), " ")
		switch at := litError.FindStringSubmatch(text); {
		case litExit.MatchString(strings.TrimPrefix(line, "# ")):
			ended = ended || strings.Contains(line, "error: command")
			exit = strings.TrimPrefix(line, "# ")
		case ended, litOwn.MatchString(line):
		case at != nil && f.Text == "":
			f.place(relative(at[1]), at[2])
			r.say(f, at[3])
		case f.Text != "":
			r.say(f, text)
		default:
			said.say(text)
		}
		return true
	})
}

// litEnd tells how a test ended of which no error was found.
func (r *Reader) litEnd(f *failure, said *output, exit string) {
	if f.Text == "" && exit != "" {
		r.say(f, exit)
	}
	r.explain(f, f.Text, said)
}
