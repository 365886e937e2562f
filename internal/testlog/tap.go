// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// directive makes a failure none (TAP 14, Directives).
var directive = regexp.MustCompile(`(?i)\s# ?(?:todo|skip)`)

// tapRules know TAP, bats and perl.
var tapRules = []*rule{
	newRule("TAP 14; bats (bats-format-tap)", "n", "not ok ", `^not ok (?:\d+(?: -)?|-) (\S.*?)(?: in \d+m?s(?:ec)?)?$`, func(r *Reader, m []string) {
		if directive.MatchString(m[0]) {
			return
		}
		f := r.add("TAP", test, change.Failure{Test: m[1]})
		r.follow(30, (&tapTest{Reader: r, f: f}).take)
	}),
	newRule("TAP 14", "1", "1..", `^1\.\.(\d+)(?: .*)?$`, func(r *Reader, m []string) { r.ran("TAP", m[1]) }),
	newRule("TAP 14; prove", "BF", "", `^(?:Bail out!|FAILED--Further testing stopped:)\s*(.*)$`, func(r *Reader, m []string) {
		r.add("TAP", crash, change.Failure{Text: strings.TrimSpace("Bail out! " + m[1])})
	}),
	newRule("perl (Test::Builder)", "#", "Failed test", `^#   Failed test '(.+)'$`, func(r *Reader, m []string) {
		f := r.add("TAP", test, change.Failure{Test: m[1]})
		r.follow(10, (&tapTest{Reader: r, f: f}).take)
	}),
	newRule("prove (TAP::Harness)", "F", "Files=", `^Files=\d+, Tests=(\d+), `, func(r *Reader, m []string) { r.ranInAll("TAP", m[1]) }),
	newRule("bats (bats-format-pretty)", "\xe2", "✗", `^ ✗ (\S.*?)(?: \[\d+\])?$`, func(r *Reader, m []string) {
		f := r.add("bats", test, change.Failure{Test: m[1]})
		r.follow(10, (&tapTest{Reader: r, f: f}).take)
	}),
	newRule("bats (bats-format-pretty)", "1234567890", " failure", `^(\d+) tests?, \d+ failures?`, func(r *Reader, m []string) { r.ran("bats", m[1]) }),
}

var (
	tapPlace  = regexp.MustCompile(`(?:in test file (\S.*?), line (\d+)\)|^at (\S.*?) line (\d+)\.)$`)
	tapFailed = regexp.MustCompile("^`.*' failed")
	tapYAML   = regexp.MustCompile(`^\s+(?:message|error|location|at): ['"|>-]*(.*?)['"]?$`)
	tapKey    = regexp.MustCompile(`^  \w+:`)
	tapColumn = regexp.MustCompile(`^(/?[^\s:]+):(\d+)(?::\d+)?$`)
)

// tapTest is a test that failed, with what is said of it below.
type tapTest struct {
	*Reader
	f *failure
	// begun: a text of several lines begins.
	begun bool
}

// take takes a comment, a line of a block of YAML, or one of bats' own.
func (t *tapTest) take(line string) bool {
	comment, ok := strings.CutPrefix(line, "#")
	text := strings.TrimSpace(comment)
	switch m := tapYAML.FindStringSubmatch(line); {
	case ok:
	case t.begun && (text == "" || m == nil && !tapKey.MatchString(line)):
		t.say(t.f, text)
		return true
	case !strings.HasPrefix(line, "  "):
		t.block = nil
		return false
	case m != nil && m[1] == "":
		t.begun = true
		return true
	case m == nil && tapKey.MatchString(line):
		t.begun = false
		return true
	case m != nil:
		if at := tapColumn.FindStringSubmatch(m[1]); at != nil {
			t.f.place(relative(at[1]), at[2])
		} else {
			t.say(t.f, m[1])
		}
		return true
	}
	switch m := tapPlace.FindStringSubmatch(text); {
	case m != nil:
		t.f.place(relative(m[1]+m[3]), m[2]+m[4])
	case strings.HasPrefix(text, "Failed test"): // the next one
		t.block = nil
		return false
	case strings.HasPrefix(text, "Looks like you"), strings.HasPrefix(text, "(from function"):
	case ok || tapFailed.MatchString(text):
		t.say(t.f, text)
	}
	return true
}
