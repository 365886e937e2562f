// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxRows bounds the table of a summary; a matrix has at most 256 jobs.
const maxRows = 500

// Summary returns the verdict as Markdown for a step summary of GitHub: the
// sentence, a table of all jobs, those first that matter most, the tests that
// failed, what the failed jobs said, and what became of the findings. cell makes
// outside text fit for a cell of a table.
func (m Message) Summary(cell func(string) string) string {
	c := newCleaner(m.Secrets)
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n", m.sentence(c))
	if vote := m.Residue().vote(); vote != "none" {
		fmt.Fprintf(&b, "\nVote: %s\n", vote)
	}
	var rows []row
	for _, run := range m.Verdict.all() {
		for _, j := range run.Jobs {
			rows = append(rows, row{run, j})
		}
	}
	if len(rows) == 0 {
		return b.String() + m.Findings.markdown(c, cell)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.job.Outcome.rank() - b.job.Outcome.rank() })
	b.WriteString("\n| job | outcome | step | time |\n|---|---|---|---|\n")
	for i, r := range rows {
		if i == maxRows {
			fmt.Fprintf(&b, "| %d more | | | |\n", len(rows)-i)
			break
		}
		b.WriteString(r.markdown(c, cell))
	}
	b.WriteString(m.summaryTests(c))
	for _, r := range rows {
		if lines, _ := m.excerpt(r.run, r.job.Job); r.job.Outcome == Failed && len(lines) > 0 {
			fmt.Fprintf(&b, "\n%s:\n\n", c.span(r.job.Job.Name))
			for _, line := range lines {
				if line = c.pre(line); line != "" {
					b.WriteString("    " + line + "\n")
				}
			}
		}
	}
	return b.String() + m.Findings.markdown(c, cell)
}

// row is one job of a summary.
type row struct {
	run RunResult
	job JobResult
}

func (r row) markdown(c cleaner, cell func(string) string) string {
	name := cell(cmp.Or(c.line(r.job.Job.Name, maxLine), noName))
	if address := c.link(r.job.Job.URL); address != "" {
		name = fmt.Sprintf("[%s](%s)", name, address)
	}
	outcome := string(r.job.Outcome)
	if r.job.MayFail {
		outcome += " (allowed)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, outcome, cell(c.line(spoken(r.job.Step), maxLine)), duration(r.job.Duration()))
}
