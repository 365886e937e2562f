// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"slices"
	"strings"
)

// folded are outcomes whose jobs are named in one line, since one decision
// stands behind all of them.
var folded = []Outcome{ActionRequired, Stale, Superseded, Cancelled, Neutral, Running}

// others writes the jobs that neither passed nor failed in a test, those first
// that matter most.
func (m Message) others(d *draft) {
	d.next()
	d.heading(otherName, "No verdict from:")
	for _, t := range traits {
		switch t.outcome {
		case Failed, TimedOut, Passed, Skipped:
			continue
		}
		jobs := m.jobs(t.outcome)
		if slices.Contains(folded, t.outcome) {
			if len(jobs) > 0 {
				d.item(otherName, counted(len(jobs), t)+": "+names(d.cleaner, jobs))
			}
			continue
		}
		for _, j := range jobs {
			text := d.span(j.Job.Name) + " " + t.one + details(d.cleaner, j)
			if t.outcome == Unknown && j.Job.Conclusion != "" {
				text += ", GitHub says " + d.span(j.Job.Conclusion)
			}
			d.item(otherName, text)
			if why := reason(j); why != "" {
				d.glue(moreLines, ": "+d.span(why))
			}
			d.glueURL(otherURL, j.Job.URL)
		}
	}
	m.wholeRuns(d)
	m.mayFail(d)
}

// wholeRuns writes what GitHub says of runs whose jobs do not explain it.
func (m Message) wholeRuns(d *draft) {
	for _, run := range m.Verdict.Required {
		conclusion := run.Run.Run.Conclusion
		told := slices.ContainsFunc(run.decided(), func(j JobResult) bool { return j.Outcome == run.Outcome })
		if conclusion == "" || conclusion == "success" || told || len(run.Jobs) == 0 || slices.Contains(quiet, run.Outcome) {
			continue
		}
		d.item(otherName, fmt.Sprintf("GitHub says that %s as a whole ended with %s; no job that it lists says why", title(d.cleaner, run.Run.Key.Workflow), d.span(conclusion)))
	}
}

// mayFail writes what did not pass and does not decide.
func (m Message) mayFail(d *draft) {
	d.next()
	d.heading(otherName, "Allowed to fail:")
	for _, run := range m.Verdict.Required {
		for _, j := range run.Jobs {
			if j.MayFail && !slices.Contains(quiet, j.Outcome) {
				text := " " + j.Outcome.trait().one + details(d.cleaner, j)
				if isOptionalLab(j.Job) && untaken(j.Job) {
					text = " was not run: no runner of its lab took it"
				}
				d.item(otherName, d.span(j.Job.Name)+text)
				d.glueURL(otherURL, j.Job.URL)
			}
		}
	}
}

// optional writes a line for each workflow that does not vote.
func (m Message) optional(d *draft) {
	d.next()
	d.heading(otherName, "Without a vote:")
	for _, run := range m.Verdict.Optional {
		text := title(d.cleaner, run.Run.Key.Workflow) + attempt(run.Run) + ": " + count(run)
		if run.Outcome != Passed {
			jobs := slices.DeleteFunc(run.decided(), func(j JobResult) bool { return j.Outcome != run.Outcome })
			if len(jobs) > 0 {
				text += ": " + names(d.cleaner, jobs)
			}
		}
		d.item(otherName, text)
		d.glueURL(otherURL, run.Run.Run.URL)
	}
}

// passed writes how many jobs passed, and their names where there is room.
func (m Message) passed(d *draft) {
	d.next()
	if jobs := m.jobs(Passed); len(jobs) > 0 {
		d.add(otherName, fmt.Sprintf("Passed (%d)", len(jobs)))
		d.glue(passedNames, ": "+names(d.cleaner, jobs))
	}
	skipped := 0
	for _, run := range m.Verdict.Required {
		for _, j := range run.Jobs {
			if j.Outcome == Skipped {
				skipped++
			}
		}
	}
	if skipped > 0 {
		d.add(otherName, fmt.Sprintf("Skipped (%d)", skipped))
	}
}

// jobs returns the deciding jobs of the required runs that ended so.
func (m Message) jobs(o Outcome) []JobResult {
	var jobs []JobResult
	for _, run := range m.Verdict.Required {
		for _, j := range run.counted() {
			if j.Outcome == o {
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// names returns the names of jobs in one line of bounded length.
func names(c cleaner, jobs []JobResult) string {
	var b strings.Builder
	for i, j := range jobs {
		name := c.span(j.Job.Name)
		if b.Len()+len(name) > maxNames {
			fmt.Fprintf(&b, " and %d more", len(jobs)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
	}
	return b.String()
}
