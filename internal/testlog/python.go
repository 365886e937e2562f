// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// python follows pytest's report: what is wrong comes before a test's full name.
type python struct {
	// noted are the sections of the report, by their titles.
	noted []pySection
	// raised is the exception that was shown last, whatever became of it, until
	// something else says that it failed.
	raised *change.Failure
}

type pySection struct {
	title string
	change.Failure
}

// pythonRules know pytest and unittest.
var pythonRules = []*rule{
	newRule("pytest (terminal.py)", "_", "___ ", `^_{3,} (\S.*) _{3,}$`, func(r *Reader, m []string) {
		r.python.noted = note(r.python.noted, pySection{title: clip(m[1], maxName)})
	}),
	newRule("pytest (_code/code.py)", "E", "E  ", `^E   (?:    )?(\s*\S.*)$`, func(r *Reader, m []string) {
		if s := r.section(); s != nil && s.Text == "" {
			s.Text = clip(strings.TrimSpace(m[1]), maxText)
		} else if s != nil && len(s.Details) < maxDetails {
			s.Details = append(s.Details, clip(m[1], maxText))
		}
	}),
	newRule("pytest (_code/code.py)", "", ".py:", `^([^\s:]+\.py):(\d+): (?:in \S+|\w*)$`, func(r *Reader, m []string) {
		// The last one is the innermost; those of the library are not ours.
		if s := r.section(); s != nil && !pySystem.MatchString(m[1]) {
			s.Path, s.Line = clip(relative(m[1]), maxName), number(m[2])
		}
	}),
	newRule("pytest (terminal.py)", "FES", ".py", `^(?:FAILED|ERROR|SUBFAIL(?:ED)?(?:\[.*?\]|\(.*?\))*) (\S+\.py(?:::[^\[]*?(?:\[.*?\])?)?)(?: - (.*))?$`, (*Reader).pytest),
	newRule("pytest (terminal.py)", "=1234567890", " in ", `^(?:=+ )?((?:\d+ (?:failed|passed|skipped|errors?|xfailed|xpassed|deselected|warnings?|rerun)(?:, )?)+) in [\d.]+s.*$`, func(r *Reader, m []string) {
		for n, word := range pairs(m[1]) {
			switch word {
			case "failed", "passed", "error", "errors", "xfailed", "xpassed":
				r.ran("pytest", n)
			}
		}
		r.python.noted = nil
	}),
	newRule("unittest (runner.py)", "FEU", " (", `^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \((\w+(?:\.\w+)+)\)((?: \[.*\])?(?: \(.*\))?)$`, func(r *Reader, m []string) {
		name := m[2]
		if !strings.HasSuffix(name, "."+m[1]) { // Python before 3.11 names the class
			name += "." + m[1]
		}
		f := r.add("unittest", test, change.Failure{Test: name + m[3]})
		if strings.HasPrefix(m[0], "U") {
			r.say(f, "unexpected success")
			return
		}
		r.follow(maxNoted, func(line string) bool { return r.traceback(f, line) })
	}),
	newRule("Python (traceback.py)", "", "Traceback (most recent call last):", `^(?:.*: )?Traceback \(most recent call last\):$`, (*Reader).raised),
	newRule("unittest (runner.py)", "R", "Ran ", `^Ran (\d+) tests? in [\d.]+s$`, func(r *Reader, m []string) { r.ran("unittest", m[1]) }),
}

// pySystem are files of Python itself and of packages.
var pySystem = regexp.MustCompile(`/lib/python\d|site-packages/|^<`)

// section is the present one of pytest's report.
func (r *Reader) section() *pySection {
	if n := len(r.python.noted); n > 0 {
		return &r.python.noted[n-1]
	}
	return nil
}

// pytest takes a line of the summary, and what its section said.
func (r *Reader) pytest(m []string) {
	f := r.add("pytest", test, change.Failure{Test: m[1]})
	_, name, _ := strings.Cut(m[1], "::")
	name = strings.ReplaceAll(name, "::", ".")
	end := " of " + name
	if name == "" {
		end = " " + m[1]
	}
	for _, s := range r.python.noted {
		if s.title == name || strings.HasSuffix(s.title, end) {
			f.complete(s.Failure)
			if f.Details == nil && len(r.found) <= detailed {
				f.Details = s.Details
			}
		}
	}
	if f.Text == "" {
		f.Text = clip(m[2], maxText)
	}
}

var pyFrame = regexp.MustCompile(`^\s*File "([^"]+)", line (\d+)`)

// traceback takes a line of unittest's report of a failure: the innermost frame that
// is not Python's own, and what was raised.
func (r *Reader) traceback(f *failure, line string) bool {
	m := pyFrame.FindStringSubmatch(line)
	switch {
	case strings.HasPrefix(line, "FAIL: "), strings.HasPrefix(line, "ERROR: "):
		r.block = nil
		return false
	case m != nil && !pySystem.MatchString(m[1]):
		f.Path, f.Line = clip(relative(m[1]), maxName), number(m[2])
	case m != nil, strings.HasPrefix(line, " "), strings.HasPrefix(line, "-----"), strings.HasPrefix(line, "Traceback "):
	case line == "" && f.Text == "":
	case strings.HasPrefix(line, "======"), line == "":
		r.block = nil
	default:
		r.say(f, line)
	}
	return true
}

// raised takes a traceback outside of tests: what a program ends with, or what one
// logs that goes on. The last that was raised before a build failed may be why.
func (r *Reader) raised([]string) {
	f := &failure{}
	r.follow(maxNoted, func(line string) bool {
		m := pyFrame.FindStringSubmatch(line)
		switch {
		case m != nil && !pySystem.MatchString(m[1]):
			f.Path, f.Line = clip(relative(m[1]), maxName), number(m[2])
		case m != nil, strings.HasPrefix(line, " "):
		case pyRaised.MatchString(line):
			r.say(f, line)
			if r.around == nil {
				r.python.raised = &f.Failure
			}
			r.block = nil
		default:
			r.block = nil
			return false
		}
		return true
	})
}

// pyRaised is the line of an exception.
var pyRaised = regexp.MustCompile(`^[A-Za-z_][\w.]*(?:: .*)?$`)

// pairs yields the numbers and words of "3 failed, 2 passed".
func pairs(text string) func(yield func(number, word string) bool) {
	words := strings.Fields(strings.ReplaceAll(text, ",", ""))
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(words); i += 2 {
			if !yield(words[i], words[i+1]) {
				return
			}
		}
	}
}
