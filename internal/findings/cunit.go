// SPDX-License-Identifier: BSD-3-Clause

package findings

import "strings"

// cunit reads what CUnit's automated interface writes (CUnit 2.1, Automated.c):
// a record for each failed assertion, and one for each test that passed.
type cunit struct {
	collector
	suite string
	// last is the test of the record before: one test has many failures.
	last    string
	lastBad bool
	within  string
	fields  map[string]*keeper
}

// The elements that hold text.
const (
	cunitSuite  = "SUITE_NAME"
	cunitTest   = "TEST_NAME"
	cunitFile   = "FILE_NAME"
	cunitLine   = "LINE_NUMBER"
	cunitTerm   = "CONDITION"
	cunitReason = "FAILURE_REASON"
)

func (p *cunit) start(t token) {
	switch p.within = t.start; p.within {
	case "CUNIT_RUN_SUITE", "CUNIT_RUN_TEST_RECORD":
		p.fields = nil
		if p.within == "CUNIT_RUN_SUITE" {
			p.suite, p.last = "", ""
		}
	}
}

func (p *cunit) text(s string) {
	switch p.within {
	case cunitSuite, cunitTest, cunitFile, cunitLine, cunitTerm, cunitReason:
		if p.fields == nil {
			p.fields = map[string]*keeper{}
		}
		if p.fields[p.within] == nil {
			p.fields[p.within] = &keeper{}
		}
		p.fields[p.within].add(s)
	}
}

// field is the text of an element of the current record.
func (p *cunit) field(name string) string {
	if k := p.fields[name]; k != nil {
		return strings.TrimSpace(k.String())
	}
	return ""
}

func (p *cunit) end(name string) {
	p.within = ""
	switch name {
	case cunitSuite:
		p.suite = p.field(cunitSuite)
	case "CUNIT_RUN_TEST_SUCCESS":
		p.count(false)
	case "CUNIT_RUN_TEST_FAILURE":
		p.count(true)
		p.failure(p.field(cunitTest), p.field(cunitTerm))
	case "CUNIT_RUN_SUITE_FAILURE", "CUNIT_RUN_GROUP_FAILURE": // its set-up or tear-down
		p.last = ""
		p.count(true)
		p.failure("", p.field(cunitReason))
	}
}

// cut has nothing to keep: of a record that broke off the place is not known.
func (p *cunit) cut() {}

// count counts a test once, however many records it has.
func (p *cunit) count(bad bool) {
	test := p.field(cunitTest)
	if test == "" || test != p.last {
		p.Totals.Tests++
		p.lastBad = false
	}
	if bad && !p.lastBad {
		p.Totals.Failures++
	}
	p.last, p.lastBad = test, p.lastBad || bad
}

func (p *cunit) failure(test, text string) {
	name := strings.Trim(p.suite+"."+test, ".")
	p.add(Finding{Severity: Failure, Test: name, Title: titleOf(text, "failed"), Text: text}, Place{Path: p.field(cunitFile), Line: number(p.field(cunitLine))})
}
