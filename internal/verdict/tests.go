// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Tests are tests that failed in a run, as its test reports name them.
type Tests struct {
	Key change.Key `json:"key"`
	// Job is the name of the job that they failed in, "" where nothing tells.
	Job   string   `json:"job,omitempty"`
	Names []string `json:"names"`
	// Failures say more of those of which more is known.
	Failures []change.Failure `json:"failures,omitempty"`
	// Ran is how many tests there were, 0 where that is not known.
	Ran int `json:"ran,omitempty"`
	// Incomplete: there were more than could be kept.
	Incomplete bool `json:"incomplete,omitempty"`
}

const (
	// namedTests and summaryTests are how many failing tests of one job a message
	// and a summary name.
	namedTests   = 5
	summaryTests = 50
	// maxTests bounds the names that are looked at of one job.
	maxTests = 1000
)

// failedTests returns the tests that failed in a job: those that test reports
// name, or else those in what the job said.
func (m Message) failedTests(run RunResult, j change.Job) (names []string, incomplete bool) {
	if j.Name != "" {
		names, incomplete = m.reported(run, j.Name)
	}
	if len(names) > 0 {
		return names, incomplete
	}
	log := told(j)
	for _, f := range log.Failures {
		if f.Test != "" && len(names) < maxTests && !slices.Contains(names, f.Test) {
			names = append(names, f.Test)
		}
	}
	return names, log.More > 0
}

// ran is how many tests ran in a job, by what named those that failed; 0 if that is
// not known, or told beside the job.
func (m Message) ran(run RunResult, r JobResult) (n int) {
	if r.Mark != nil && r.Mark.Tests != nil {
		return 0
	}
	named := false
	for _, t := range m.Tests {
		if t.Key == run.Run.Key && t.Job == r.Job.Name && r.Job.Name != "" {
			named, n = named || len(t.Names) > 0, n+t.Ran
		}
	}
	if !named {
		return told(r.Job).Tests
	}
	return n
}

// reported returns the tests that reports of a run name for a job; "" for those
// that nobody knows the job of.
func (m Message) reported(run RunResult, job string) (names []string, incomplete bool) {
	seen := map[string]bool{}
	for _, t := range m.Tests {
		if t.Key != run.Run.Key || t.Job != job {
			continue
		}
		incomplete = incomplete || t.Incomplete
		for _, name := range t.Names {
			if name = strings.TrimSpace(name); name == "" || seen[name] {
				continue
			}
			if len(names) == maxTests {
				return names, true
			}
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, incomplete
}

// unclaimed returns the failing tests of a run of which the job is not known, where
// a job of it failed: without those that stand with a job.
func (m Message) unclaimed(run RunResult) (names []string, incomplete bool) {
	claimed := map[string]bool{}
	for _, t := range m.Tests {
		for _, name := range t.Names {
			if t.Key == run.Run.Key && t.Job != "" {
				claimed[name] = true
			}
		}
	}
	failed := false
	for _, j := range run.Jobs {
		if j.Outcome == Failed || j.Outcome == TimedOut {
			failed = failed || !j.MayFail
			of, _ := m.failedTests(run, j.Job)
			for _, name := range of {
				claimed[name] = true
			}
		}
	}
	if !failed {
		return nil, false
	}
	names, incomplete = m.reported(run, "")
	return slices.DeleteFunc(names, func(name string) bool { return claimed[name] }), incomplete
}

// testsOf writes the failing tests of a job.
func (m Message) testsOf(d *draft, run RunResult, j JobResult) {
	names, incomplete := m.failedTests(run, j.Job)
	if line := testNames(d.cleaner, names, incomplete, m.ran(run, j), namedTests); line != "" {
		d.add(testName, line)
	}
}

// unclaimedTests writes, below the failed jobs, a section for the failing tests of
// each run of which the job is not known.
func (m Message) unclaimedTests(d *draft) {
	for _, run := range m.Verdict.Required {
		names, incomplete := m.unclaimed(run)
		line := testNames(d.cleaner, names, incomplete, 0, namedTests)
		if line == "" {
			continue
		}
		d.next()
		if len(m.Verdict.Required) > 1 {
			line = title(d.cleaner, run.Run.Key.Workflow) + ": " + line
		}
		d.add(testName, line)
		d.excerpt(explain(m.unclaimedFailures(run, names), 0, maxExcerpt), false)
	}
}

// unclaimedFailures say more of failing tests of which the job is not known.
func (m Message) unclaimedFailures(run RunResult, names []string) (list []change.Failure) {
	for _, t := range m.Tests {
		if t.Key != run.Run.Key || t.Job != "" {
			continue
		}
		for _, f := range t.Failures {
			if f.Path+f.Text != "" && slices.Contains(names, f.Test) {
				list = append(list, f)
			}
		}
	}
	return list
}

// testNames names the first failing tests on one line, and counts all: those that
// failed, and those that ran where that is known.
func testNames(c cleaner, names []string, incomplete bool, ran, most int) string {
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Failed tests (%d", len(names))
	if incomplete {
		b.WriteString(" or more")
	} else if ran >= len(names) {
		fmt.Fprintf(&b, " of %d", ran)
	}
	b.WriteString("): ")
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.span(name))
	}
	return b.String()
}

// summaryTests writes the failing tests of all failed jobs for a step summary.
func (m Message) summaryTests(c cleaner) string {
	var b strings.Builder
	write := func(of string, names []string, incomplete bool, ran int) {
		if line := testNames(c, names, incomplete, ran, summaryTests); line != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", of, line)
		}
	}
	for _, run := range m.Verdict.all() {
		for _, j := range run.Jobs {
			if j.Outcome == Failed || j.Outcome == TimedOut {
				names, incomplete := m.failedTests(run, j.Job)
				write(c.span(j.Job.Name), names, incomplete, m.ran(run, j))
			}
		}
		names, incomplete := m.unclaimed(run)
		write(title(c, run.Run.Key.Workflow), names, incomplete, 0)
	}
	return b.String()
}
