// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"cmp"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
)

// maxProblems is how many failures of one test case are kept.
const maxProblems = 20

// JUnit reads a test report in any of the dialects around: testsuites and
// testsuite nested in any way, gtest, pytest, go-junit-report, Surefire, Jest,
// PHPUnit, CTest, bats. file names it in errors and findings. An error says what
// was wrong and where; the report then holds all that was read before.
func JUnit(file string, r io.Reader) (Report, error) {
	return readXML(file, r, func(x *xmlReader, _ string) (dialect, error) { return newJUnit(file, x), nil })
}

func newJUnit(file string, x *xmlReader) dialect {
	return &junit{x: x, collector: newCollector(file)}
}

// junit is the reader's state.
type junit struct {
	collector
	x       *xmlReader
	suites  []suite
	test    *testCase
	problem *problem
	inside  int // depth of the problem's element
}

// suite is an open testsuite element.
type suite struct{ name, file string }

// testCase is an open testcase element.
type testCase struct {
	name, class, file string
	line              int
	seconds           float64
	skipped           bool
	problems          []*problem
	// output is what it printed: CTest says nothing else.
	output keeper
}

// problem is a failure, an error, or a failure that a repeat of the test put
// right (Surefire's flakyFailure).
type problem struct {
	kind, message, class, file string
	line                       int
	text                       keeper
}

func (p *junit) start(t token) {
	parent := ""
	if n := len(p.x.open); n > 1 {
		parent = p.x.open[n-2]
	}
	switch t.start {
	case "testsuite":
		p.suites = append(p.suites, suite{t.get("name"), t.get("file")})
	case "testcase":
		p.startCase(t)
	case "stackTrace":
		if p.problem != nil {
			p.problem.text = keeper{} // what stood before it was indentation
		}
	case "skipped", "disabled", "ignored":
		if p.test != nil && parent == "testcase" {
			p.test.skipped = true
		}
	case "failure", "error", "flakyFailure", "flakyError":
		if p.problem == nil && (parent == "testcase" || parent == "testsuite") {
			p.startProblem(t)
		}
	}
}

func (p *junit) startCase(t token) {
	p.endCase(true) // test cases do not nest; if they do, each counts
	p.test = &testCase{
		name: t.get("name"), class: cmp.Or(t.get("classname"), p.suite().name), file: t.get("file"),
		line: number(t.get("line")), seconds: seconds(t.get("time")),
		// googletest marks tests that were filtered out or are DISABLED_ so.
		skipped: t.get("status") == "notrun" || t.get("status") == "skipped" || t.get("result") == "suppressed",
	}
	// pytest counts lines from 0 (its xunit1 family).
	if p.suite().name == "pytest" && t.get("line") != "" {
		p.test.line++
	}
}

func (p *junit) startProblem(t token) {
	if p.test == nil { // set-up of a whole suite failed
		p.test = &testCase{name: p.suite().name, file: p.suite().file}
	}
	p.problem = &problem{kind: t.start, message: t.get("message"), class: t.get("type"), file: t.get("file"), line: number(t.get("line"))}
	p.inside = len(p.x.open)
	if len(p.test.problems) < maxProblems {
		p.test.problems = append(p.test.problems, p.problem)
	}
}

// text takes what stands between tags.
func (p *junit) text(s string) {
	switch {
	case p.problem != nil && p.speaking():
		p.problem.text.add(s)
	case p.test != nil && p.problem == nil && p.x.open[len(p.x.open)-1] == "system-out":
		p.test.output.add(s)
	}
}

// cut takes what was open when a file broke off.
func (p *junit) cut() { p.endCase(true) }

// speaking reports whether the current text is the problem's own: its element's
// or, in Surefire, that of a stackTrace in it; not what the test printed.
func (p *junit) speaking() bool {
	return len(p.x.open) == p.inside || p.x.open[len(p.x.open)-1] == "stackTrace"
}

func (p *junit) end(name string) {
	if p.problem != nil && len(p.x.open) < p.inside {
		p.problem = nil
	}
	switch name {
	case "testcase", "testsuite":
		p.endCase(false)
		if name == "testsuite" && len(p.suites) > 0 {
			p.suites = p.suites[:len(p.suites)-1]
		}
	}
}

// suite returns the innermost suite that is open.
func (p *junit) suite() suite {
	if len(p.suites) == 0 {
		return suite{}
	}
	return p.suites[len(p.suites)-1]
}

// endCase counts the open test case and keeps its problems. One that was cut
// off counts only if it had some.
func (p *junit) endCase(cut bool) {
	t := p.test
	p.test, p.problem = nil, nil
	if t == nil || cut && len(t.problems) == 0 {
		return
	}
	p.Totals.add(t.totals())
	test := strings.Trim(t.class+"."+t.name, ".")
	if t.name == t.class || strings.HasPrefix(t.name, t.class+" ") {
		test = t.name // Jest repeats the one in the other
	}
	for _, q := range t.problems {
		f := Finding{Severity: Failure, Test: test, Text: q.words()}
		at := []Place{{Path: q.file, Line: q.line}}
		if at = append(at, p.search(f.Text, p.folder(t))...); strings.TrimSpace(f.Text) == "" {
			f.Text = q.telling(t.output.String())
			at = append(at, p.search(f.Text, p.folder(t))...)
		}
		if head, _ := split(cleanText(f.Text)); head == "" {
			f.Title = cmp.Or(q.class, q.kind)
		}
		if strings.HasPrefix(q.kind, "flaky") {
			f.Severity, f.Title = Warning, "passed only when repeated"
		}
		p.add(f, append(at, Place{Path: t.file, Line: t.line}, Place{Path: p.suite().file})...)
	}
}

// folder is where a test's files are, as far as its names tell: go-junit-report
// and gotestsum name packages, and Go's tests bare files in them.
func (p *junit) folder(t *testCase) string {
	for _, name := range []string{t.class, p.suite().name} {
		if strings.Contains(name, "/") && !strings.ContainsAny(name, " \\:") {
			return strings.Trim(name, "/")
		}
	}
	if folder := path.Dir(t.file); folder != "." && folder != "/" {
		return folder
	}
	return ""
}

// telling returns what a test printed from shortly before the first place in it
// on, or else its end.
func (q *problem) telling(output string) string {
	const around, last = 2, 10
	lines := strings.Split(strings.TrimSpace(output), "\n")
	from := max(0, len(lines)-last)
	for i, line := range lines {
		if found, _ := placesIn(line[:min(len(line), maxLine)], ""); len(found) > 0 {
			from = max(0, i-around)
			break
		}
	}
	return strings.Join(lines[from:], "\n")
}

// totals counts one test case, by the worst that happened to it.
func (t *testCase) totals() Totals {
	n := Totals{Tests: 1, Seconds: t.seconds}
	for _, q := range t.problems {
		switch {
		case q.kind == "failure":
			n.Failures, n.Errors = 1, 0
		case q.kind == "error" && n.Failures == 0:
			n.Errors = 1
		}
	}
	if t.skipped && n.Failures+n.Errors == 0 {
		n.Skipped = 1
	}
	return n
}

// words joins what the attribute and the element say. Most dialects repeat the
// one in the other, and go-junit-report's message is always "Failed".
func (q *problem) words() string {
	text := q.text.String()
	switch {
	case strings.TrimSpace(text) == "":
		return q.message
	case q.message == "Failed", strings.Contains(text, strings.TrimSpace(q.message)):
		return text
	default:
		return q.message + "\n" + text
	}
}

// number reads a positive number, or gives 0.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return n
}

// seconds reads a duration; some write 1,234.5.
func seconds(s string) float64 {
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), ",", ""), 64)
	if err != nil || !(f >= 0 && f < 1e9) {
		return 0
	}
	return f
}
