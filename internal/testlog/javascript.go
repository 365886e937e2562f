// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// javascript follows jest and mocha.
type javascript struct {
	// file is that of the tests which jest tells of.
	file string
	// failing is how many of mocha's failures are still to be told.
	failing int
}

// javascriptRules know jest (as of 30) and mocha (as of 11).
var javascriptRules = []*rule{
	newRule("jest (DefaultReporter)", "F", "FAIL ", `^FAIL (?:\S+ )?(\S+\.[cm]?[jt]sx?)(?: \([\d.]+ m?s\))?$`, func(r *Reader, m []string) { r.javascript.file = clip(relative(m[1]), maxName) }),
	newRule("jest (jest-message-util)", "\xe2", "  ● ", `^  ● (\S.*)$`, (*Reader).jest),
	newRule("jest (SummaryReporter)", "T", "Tests: ", `^Tests:\s+(.* total)$`, func(r *Reader, m []string) {
		for n, word := range pairs(m[1]) {
			if word == "failed" || word == "passed" {
				r.ran("jest", n)
			}
		}
	}),
	newRule("mocha (reporters/base.js)", "1234567890", " passing (", `^  (\d+) passing \(\d+\w+\)$`, func(r *Reader, m []string) { r.ran("mocha", m[1]) }),
	newRule("mocha (reporters/base.js)", "1234567890", " failing", `^  (\d+) failing$`, func(r *Reader, m []string) {
		r.javascript.failing = number(m[1])
		r.ran("mocha", m[1])
	}),
	newRule("mocha (reporters/base.js)", "1234567890", ") ", mochaItem.String(), (*Reader).mocha),
}

var (
	mochaItem = regexp.MustCompile(`^  \d+\) (\S.*)$`)
	// nodeFrame is a line of a stack: of a function, or of a file only.
	nodeFrame = regexp.MustCompile(`^\s+at (?:.* \()?(?:file://)?([^\s():]+\.\w+):(\d+):\d+\)?$`)
	nodeAt    = regexp.MustCompile(`^\s+at (?:.+ \(.*\)|\S+:\d+:\d+)$`)
	// nodeForeign are files of packages; those of Node have another scheme.
	nodeForeign = regexp.MustCompile(`(?:^|/)node_modules/`)
	codeFrame   = regexp.MustCompile(`^\s+(?:> )?\s*\d* \|`)
)

// jest takes a test that failed: what it expected, the source, and a stack.
func (r *Reader) jest(m []string) {
	name := m[1]
	switch name {
	case "Console", "Cannot log after tests are done. Did you forget to wait for something async in your test?":
		return
	case "Test suite failed to run":
		if name = r.javascript.file; name == "" {
			name = m[1]
		}
	}
	f := r.add("jest", test, change.Failure{Test: name})
	stack := false
	r.follow(maxNoted, func(line string) bool {
		at := nodeFrame.FindStringSubmatch(line)
		switch {
		case line != "" && !strings.HasPrefix(line, "    "):
			r.block = nil
			return false
		case at != nil && !nodeForeign.MatchString(at[1]):
			f.place(relative(at[1]), at[2])
		case nodeAt.MatchString(line), codeFrame.MatchString(line):
			stack = true
		case !stack:
			r.say(f, strings.TrimPrefix(line, "    "))
		}
		return true
	})
}

// mocha takes a test that failed: its name is on several lines, the last of which
// ends with a colon.
func (r *Reader) mocha(m []string) {
	if r.javascript.failing == 0 {
		return
	}
	r.javascript.failing--
	names := []string{m[1]}
	var f *failure
	if name, whole := strings.CutSuffix(m[1], ":"); whole {
		f = r.add("mocha", test, change.Failure{Test: name})
	}
	stack := false
	r.follow(maxNoted, func(line string) bool {
		at := nodeFrame.FindStringSubmatch(line)
		switch {
		case mochaItem.MatchString(line), stack && !nodeAt.MatchString(line):
			r.block = nil
			return false
		case f == nil:
			name, end := strings.CutSuffix(strings.TrimSpace(line), ":")
			if names = append(names, name); end || len(names) > 20 {
				f = r.add("mocha", test, change.Failure{Test: strings.Join(names, " ")})
			}
		case at != nil && !nodeForeign.MatchString(at[1]):
			stack = true
			f.place(relative(at[1]), at[2])
		case nodeAt.MatchString(line):
			stack = true
		default:
			r.say(f, strings.TrimPrefix(line, "      "))
		}
		return true
	})
}
