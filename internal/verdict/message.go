// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"fmt"
	"strings"
)

// Message is all that a message about a patchset may tell.
type Message struct {
	Verdict Verdict
	Retry   Retry
	// Refused: Gerrit did not take the vote.
	Refused bool
	// Secrets are replaced by "***" wherever they appear.
	Secrets []string
	// Published are links that a reader without a GitHub account can open.
	Published []Link
	Hints     []Hint
	Notes     []Note
	// Tests are the tests that failed, by the runs' test reports.
	Tests []Tests
	// Findings say what became of the findings; they are told in the summary.
	Findings Counts
	// Limit is the longest text in bytes; 0 stands for 16,000, which is below
	// what Gerrit takes by default (change.commentSizeLimit, 16 KiB).
	Limit int
}

// Link is an address with a name.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Hint is something that is known of a failure, such as an open issue about a
// test that is known to be flaky.
type Hint struct {
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
}

// Note is a remark of the caller's own, such as that the vote was refused.
type Note struct {
	// Text is a sentence of ours without a full stop.
	Text string `json:"text"`
	// Detail is outside text that belongs to it, such as a server's answer.
	Detail string `json:"detail,omitempty"`
}

const (
	maxText = 16000
	// minText has room for a sentence, the residue of one run and the remark
	// that lines were left out.
	minText = 1024
	// maxNames bounds a line of names, in bytes.
	maxNames = 1500
)

// Text returns the message for Gerrit. What stands in front of a line is ours:
// outside text is in code spans or in blocks that are indented by four spaces,
// which no text can end as it could end a fence. Newer Gerrits read that as
// Markdown; older ones show lines that begin with a space as they are, as mail
// does.
func (m Message) Text() string {
	d := &draft{cleaner: newCleaner(m.Secrets)}
	m.head(d)
	m.failed(d)
	m.unclaimedTests(d)
	m.artifacts(d)
	m.others(d)
	m.optional(d)
	m.runs(d)
	m.passed(d)
	m.retry(d)
	m.hints(d)
	limit := m.Limit
	if limit == 0 {
		limit = maxText
	}
	limit = max(limit, minText)
	return d.fit(m.residue(limit/2).String(), limit)
}

// head writes the verdict in one sentence, the page of the run and the notes.
func (m Message) head(d *draft) {
	d.add(keep, m.sentence(d.cleaner))
	if runs := m.Verdict.deciding(); len(runs) == 1 {
		d.url(runURL, runs[0].Run.Run.URL)
	}
	for _, n := range m.Notes {
		d.next()
		text := "Note: " + d.line(n.Text, 2*maxLine)
		if n.Detail != "" {
			text += ": " + d.span(n.Detail)
		}
		d.add(otherName, text)
	}
}

// failed writes a section for each job that failed or hung in a test.
func (m Message) failed(d *draft) {
	for _, o := range []Outcome{Failed, TimedOut} {
		for _, run := range m.Verdict.Required {
			for _, j := range run.decided() {
				if j.Outcome == o {
					m.failure(d, run, j)
				}
			}
		}
	}
}

func (m Message) failure(d *draft, run RunResult, j JobResult) {
	d.next()
	word := "Failed: "
	if j.Outcome == TimedOut {
		word = "Timed out: "
	}
	text := word + d.span(j.Job.Name)
	if len(m.Verdict.Required) > 1 {
		text += " of " + title(d.cleaner, run.Run.Key.Workflow)
	}
	d.add(failedName, text+details(d.cleaner, j))
	d.url(failedURL, j.Job.URL)
	m.testsOf(d, run, j)
	d.excerpt(m.excerpt(run, j.Job))
}

// excerpt writes the lines that tell why something failed.
func (d *draft) excerpt(lines []string, fromLog bool) {
	for i, line := range lines {
		kept := i < bestLines
		if fromLog {
			kept = i >= len(lines)-bestLines
		}
		if kept {
			d.pre(bestLine, line)
		} else {
			d.pre(moreLines, line)
		}
	}
}

// bestLines is how many lines of an excerpt are kept longest: the last ones of
// a log, the first ones of all else.
const bestLines = 3

// details returns where and after how long a job ended.
func details(c cleaner, j JobResult) string {
	var b strings.Builder
	if j.Step != "" {
		b.WriteString(" in " + c.span(spoken(j.Step)))
	}
	if j.Exit > 0 {
		fmt.Fprintf(&b, " (exit code %d)", j.Exit)
	}
	b.WriteString(j.told())
	if j.Memory {
		b.WriteString(" where memory ran out")
	}
	if s := duration(j.Duration()); s != "" {
		b.WriteString(" after " + s)
	}
	return b.String()
}

// artifacts lists what can be opened without an account first.
func (m Message) artifacts(d *draft) {
	d.next()
	d.heading(account, "Artifacts:")
	if len(m.Published) > 0 {
		d.heading(published, "Artifacts:")
	}
	for _, l := range m.Published {
		d.item(published, d.span(l.Name))
		d.glueURL(published, l.URL)
	}
	for _, run := range m.Verdict.all() {
		for _, a := range run.Run.Artifacts {
			if a.Expired {
				continue
			}
			d.item(account, fmt.Sprintf("%s (%s)", d.span(a.Name), size(a.Size)))
			if d.glueURL(account, a.URL) {
				d.glue(account, " (needs a GitHub account)")
			}
		}
	}
}

// runs lists the required runs where there are several.
func (m Message) runs(d *draft) {
	if len(m.Verdict.Required) < 2 {
		return
	}
	d.next()
	d.heading(runURL, "Runs:")
	for _, run := range m.Verdict.Required {
		d.item(runURL, title(d.cleaner, run.Run.Key.Workflow)+attempt(run.Run)+": "+count(run))
		d.glueURL(runURL, run.Run.Run.URL)
	}
}

func (m Message) retry(d *draft) {
	d.next()
	r := m.Retry
	r.Of = cmp.Or(r.Of, m.Verdict.Outcome)
	switch {
	case r.Again():
		when := ""
		if r.After > 0 {
			when = " in " + duration(r.After)
		}
		d.add(otherName, fmt.Sprintf("It will be tried again%s (retry %d of %d).", when, r.Done+1, r.Most))
	case r.GivenUp() && r.Done > 0:
		d.add(otherName, fmt.Sprintf("It is given up after %d retries; a comment `recheck` starts it again.", r.Done))
	case r.GivenUp():
		d.add(otherName, "It is not tried again by itself; a comment `recheck` starts it again.")
	case r.Done > 0:
		d.add(otherName, fmt.Sprintf("That was retry %d of %d.", r.Done, r.Most))
	}
}

func (m Message) hints(d *draft) {
	d.next()
	d.heading(published, "Seen before:")
	for _, h := range m.Hints {
		d.item(published, d.span(h.Text))
		d.glueURL(published, h.URL)
	}
}
