// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"cmp"
	"slices"
	"strings"
)

const (
	// MaxSize is how many bytes of a file are read.
	MaxSize = 64 << 20
	// MaxFindings is how many findings are kept of one file.
	MaxFindings = 1000
	// MaxText and maxTitle bound the texts of a finding, in bytes. A longer text
	// keeps its beginning and its end.
	MaxText  = 4 << 10
	maxTitle = 200
	maxName  = 300
)

// Severity orders findings; more is worse.
type Severity int

// The severities, by GitHub's words for annotations.
const (
	Notice Severity = iota
	Warning
	Failure
)

// String returns GitHub's word: notice, warning or failure.
func (s Severity) String() string { return [...]string{"notice", "warning", "failure"}[s] }

// maxPlaces bounds the places of one finding.
const maxPlaces = 8

// Place is a file and a line, as somebody wrote them.
type Place struct {
	// Path has slashes and no "." or inner ".."; it may be absolute on a machine
	// that nobody knows, relative to any folder, or a bare name. It is never empty.
	Path string
	// Line and EndLine count from 1; 0 is none. EndLine is never before Line.
	Line, EndLine int
}

// Finding is one remark about the code under test.
type Finding struct {
	// Places are where it may belong, the likeliest first. Which of them are files
	// of a patchset, a Tree tells.
	Places   []Place
	Severity Severity
	// Title is one line; it is never empty.
	Title string
	// Text goes on after Title, which it does not repeat; it may have many lines.
	Text string
	// Test is the test's full name (class.name), for results of tests.
	Test string
	// Source is the file, tool or job that said it.
	Source string
}

// Totals sum up the results of tests.
type Totals struct {
	Tests, Failures, Errors, Skipped int
	Seconds                          float64
}

// Report is what was read.
type Report struct {
	Findings []Finding
	Totals   Totals
	// BadPaths counts findings whose only place was dropped: it is no path.
	BadPaths int
	// More counts findings beyond MaxFindings.
	More int
}

// Merge joins reports, worst findings first. The same remark at the same place
// is kept once, with the worst of its severities and its first source.
func Merge(reports ...Report) Report {
	type identity struct {
		at                Place
		title, text, test string
	}
	var all Report
	at := map[identity]int{}
	for _, r := range reports {
		all.Totals.add(r.Totals)
		all.BadPaths += r.BadPaths
		all.More += r.More
		for _, f := range r.Findings {
			id := identity{f.first(), f.Title, f.Text, f.Test}
			if i, seen := at[id]; seen {
				all.Findings[i].Severity = max(all.Findings[i].Severity, f.Severity)
				continue
			}
			at[id] = len(all.Findings)
			all.Findings = append(all.Findings, f)
		}
	}
	slices.SortStableFunc(all.Findings, func(x, y Finding) int { return cmp.Compare(y.Severity, x.Severity) })
	return all
}

func (t *Totals) add(more Totals) {
	t.Tests += more.Tests
	t.Failures += more.Failures
	t.Errors += more.Errors
	t.Skipped += more.Skipped
	t.Seconds += more.Seconds
}

// first is the likeliest place; the zero value where there is none.
func (f Finding) first() Place {
	if len(f.Places) == 0 {
		return Place{}
	}
	return f.Places[0]
}

// collector gathers the findings of one file.
type collector struct {
	source   string
	searched int // bytes of text
	Report
}

func newCollector(source string) collector { return collector{source: oneLine(source, maxName)} }

// report is what was gathered.
func (c *collector) report() Report { return c.Report }

// add keeps a finding, cleaned, with those of its places that are paths.
func (c *collector) add(f Finding, at ...Place) {
	if len(c.Findings) == MaxFindings {
		c.More++
		return
	}
	f.Places = cleanPlaces(at)
	if len(f.Places) == 0 && slices.ContainsFunc(at, func(p Place) bool { return p.Path != "" }) {
		c.BadPaths++
	}
	text := cleanText(f.Text)
	head, rest := split(text)
	head = oneLine(head, maxTitle)
	f.Title = cmp.Or(oneLine(f.Title, maxTitle), head, f.Severity.String())
	if f.Title == head {
		text = strings.TrimLeft(rest, "\n")
	}
	f.Text = clipText(text)
	f.Test = oneLine(f.Test, maxName)
	f.Source = cmp.Or(oneLine(f.Source, maxName), c.source)
	c.Findings = append(c.Findings, f)
}
