// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"path"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// automake follows "make check" of automake's test harness. Its words are those of
// others too: they count once it says that they are its own.
type automake struct {
	// failed are the tests that failed.
	failed []*amTest
	// summary: the summary has begun.
	summary bool
	// died is what the shell said of a test's end, in the line diedAt.
	died   string
	diedAt int
}

// amTest is a test that failed.
type amTest struct {
	// how is what is said of it.
	how string
	output
	// f is the failure, once that counts.
	f *failure
}

// automakeRules know automake's test-driver and tap-driver.sh, as of automake 1.16.
var automakeRules = []*rule{
	newRule("automake (test-driver, tap-driver.sh)", "FXE", ": ", `^(FAIL|XPASS|ERROR): ([\w./+-]+)( \d+(?: .*)?| - .*)?$`, func(r *Reader, m []string) {
		if m[3] != "" {
			r.amStep(m[1], clip(m[2]+m[3], maxName))
			return
		}
		how := m[1]
		if r.automake.died != "" && r.automake.diedAt == r.lines-1 {
			how = r.automake.died
		}
		r.follow(1, func(line string) bool {
			r.block = nil
			if len(line) == len(m[0]) && strings.Trim(line, "=") == "" {
				r.amLog(m[2])
				return true
			}
			r.amFailed(how, clip(m[2], maxName))
			return false
		})
	}),
	newRule("automake (test-driver)", "", "test-driver: line ", `^\S*test-driver: line \d+:\s+\d+ (.*?)\s+"\$@"`, func(r *Reader, m []string) {
		r.automake.died, r.automake.diedAt = clip(m[1], maxText), r.lines
	}),
	newRule("automake (test-driver)", "FXE", " (exit status: ", `^(?:FAIL|XPASS|ERROR) \S+ \(exit status: \d+\)$`, func(r *Reader, m []string) { r.amEnd() }),
	newRule("automake (check.am)", "T", "Testsuite summary for ", `^Testsuite summary for \S`, func(r *Reader, m []string) {
		r.amEnd()
		r.automake.summary = true
		for _, t := range r.automake.failed {
			if t.f == nil {
				t.f = r.add("automake", test, change.Failure{Test: t.name, Text: t.how})
				t.f.testOf("automake")
			}
			r.explain(t.f, t.how, &t.output)
		}
	}),
	newRule("automake (check.am)", "#", "# TOTAL:", `^# TOTAL: +(\d+)$`, func(r *Reader, m []string) {
		if r.automake.summary { // else it is that of the log that is shown
			r.ran("automake", m[1])
		}
		r.automake.summary = false
	}),
}

// amFailed notes a test that failed.
func (r *Reader) amFailed(how, name string) *amTest {
	a := &r.automake
	if i := slices.IndexFunc(a.failed, func(t *amTest) bool { return t.name == name }); i >= 0 {
		return a.failed[i]
	}
	t := &amTest{how: how, output: output{name: name}}
	if len(a.failed) < maxFailures {
		a.failed = append(a.failed, t)
	}
	return t
}

// amStep notes a step of a test that speaks TAP. In the test's log that stands below
// the step's own line, which is no other failure then.
func (r *Reader) amStep(how, name string) {
	t := r.amFailed(how, name)
	if len(r.found) == 0 {
		return
	}
	last := r.found[len(r.found)-1]
	if last.tool != "TAP" || last.at != r.lines-1 || !strings.HasSuffix(name, " "+last.Test) {
		return
	}
	last.passed = true
	said := &failure{}
	r.follow(30, func(line string) bool {
		taken := (&tapTest{Reader: r, f: said}).take(line)
		if taken {
			t.say(strings.TrimSpace(strings.TrimPrefix(line, "#")))
		}
		return taken
	})
}

// amLog turns to the log of a test, whose name stands there without its extension.
func (r *Reader) amLog(title string) {
	r.amEnd()
	for _, t := range r.automake.failed {
		if !strings.Contains(t.name, " ") && (t.name == title || strings.TrimSuffix(t.name, path.Ext(t.name)) == title) {
			r.output = &t.output
		}
	}
}

// amEnd ends the log of a test, which may be shown when its failure was told
// already.
func (r *Reader) amEnd() {
	for _, t := range r.automake.failed {
		if r.output == &t.output && t.f != nil {
			r.explain(t.f, t.how, r.output)
		}
	}
	r.output = nil
}
