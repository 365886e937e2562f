// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"cmp"
	"slices"
	"strings"
)

// form is how a family of tools writes the results of tests: an element for each
// test with its name and result as attributes, and elements with what went wrong
// somewhere below it.
type form struct {
	test           string   // the element of a test
	name           []string // attributes that name it, the fullest first
	result         string
	failed, errors []string // results
	skipped        []string
	seconds        []string // attributes
	message, stack string   // elements
}

// forms are the families by the root of their files.
var forms = map[string]form{
	// NUnit 3: docs.nunit.org, Test Result XML Format.
	"test-run": nunit,
	// NUnit 2: nunit.org/files, Results.xsd; its results are words of ResultState.
	"test-results": nunit,
	// xUnit.net: xunit.net/docs/format-xml-v2.
	"assemblies": xunitNet, "assembly": xunitNet,
	// TRX: vstest, vstst.xsd, and TestOutcome of its TRX logger.
	"TestRun": {
		test: "UnitTestResult", name: []string{"testName"}, result: "outcome",
		failed: []string{"Failed"}, errors: []string{"Error", "Timeout", "Aborted"}, skipped: []string{"NotExecuted", "Inconclusive", "NotRunnable", "Disconnected"},
		message: "Message", stack: "StackTrace",
	},
}

var (
	nunit = form{
		test: "test-case", name: []string{"fullname", "name"}, result: "result", seconds: []string{"duration", "time"},
		failed: []string{"Failed", "Failure"}, errors: []string{"Error", "NotRunnable", "Cancelled"}, skipped: []string{"Skipped", "Ignored", "Inconclusive"},
		message: "message", stack: "stack-trace",
	}
	xunitNet = form{
		test: "test", name: []string{"name"}, result: "result", seconds: []string{"time"},
		failed: []string{"Fail"}, skipped: []string{"Skip", "NotRun"},
		message: "message", stack: "stack-trace",
	}
)

// results reads files of such a form.
type results struct {
	form form
	collector
	name, result string
	seconds      float64
	depth        int // of elements within the test's; 0 is outside of one
	within       string
	message      keeper
	stack        keeper
}

func (p *results) start(t token) {
	if p.depth > 0 {
		p.depth++
		p.within = t.start
		return
	}
	if t.start != p.form.test {
		return
	}
	p.depth, p.result, p.name, p.within = 1, t.get(p.form.result), "", ""
	p.message, p.stack, p.seconds = keeper{}, keeper{}, 0
	for _, attribute := range p.form.name {
		p.name = cmp.Or(p.name, t.get(attribute))
	}
	for _, attribute := range p.form.seconds {
		p.seconds = cmp.Or(p.seconds, seconds(t.get(attribute)))
	}
	if p.result == "" && t.get("success") == "False" { // NUnit 2.4
		p.result = p.form.failed[0]
	}
}

func (p *results) text(s string) {
	switch {
	case p.depth == 0:
	case p.within == p.form.message:
		p.message.add(s)
	case p.within == p.form.stack:
		p.stack.add(s)
	}
}

func (p *results) end(string) {
	if p.depth == 0 {
		return
	}
	p.within = ""
	if p.depth--; p.depth == 0 {
		p.finish()
	}
}

func (p *results) cut() {
	if p.depth > 0 {
		p.depth = 0
		p.finish()
	}
}

// finish counts the test that ended.
func (p *results) finish() {
	n := Totals{Tests: 1, Seconds: p.seconds}
	switch {
	case slices.Contains(p.form.failed, p.result):
		n.Failures = 1
	case slices.Contains(p.form.errors, p.result):
		n.Errors = 1
	case slices.Contains(p.form.skipped, p.result):
		n.Skipped = 1
	}
	p.Totals.add(n)
	if n.Failures+n.Errors == 0 {
		return
	}
	text := strings.Trim(p.message.String()+"\n"+p.stack.String(), "\n")
	p.add(Finding{Severity: Failure, Test: p.name, Title: titleOf(text, p.result), Text: text}, p.search(text, "")...)
}

// titleOf is what stands for a text that says nothing.
func titleOf(text, instead string) string {
	if head, _ := split(cleanText(text)); head != "" {
		return ""
	}
	return instead
}
