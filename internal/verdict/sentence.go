// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxTitles is how many workflows the first sentence names.
const maxTitles = 3

// sentence says the verdict in one line: what Gerrit shows of a message before
// it is opened.
func (m Message) sentence(c cleaner) string {
	v := m.Verdict
	var workflows []string
	for _, run := range v.deciding() {
		workflows = append(workflows, run.Run.Key.Workflow)
	}
	text := titles(c, workflows) + ": "
	if v.Outcome != Passed && v.Outcome != Failed && v.Ready && v.Vote == 0 {
		text += "no verdict: "
	}
	missing := v.Workflows(Missing)
	switch {
	case v.Outcome != Missing || len(missing) == 0:
		text += tally(v.Outcome, v.deciding())
	case len(missing) == 1:
		text += title(c, missing[0]) + " " + Missing.trait().one
	default:
		text += titles(c, missing) + " " + Missing.trait().many
	}
	if runs := v.deciding(); len(runs) == 1 {
		text += attempt(runs[0].Run)
	}
	return text
}

// count says how a single run ended.
func count(run RunResult) string { return tally(run.Outcome, []RunResult{run}) }

// tally says how many of the deciding jobs of some runs had an outcome.
func tally(o Outcome, runs []RunResult) string {
	total, n, open := 0, 0, 0
	for _, run := range runs {
		for _, j := range run.counted() {
			total++
			switch j.Outcome {
			case o:
				n++
			case Failed, Passed, Neutral:
			default:
				open++
			}
		}
	}
	t := o.trait()
	switch {
	case o == Running && total == 0 && len(runs) == 1 && runs[0].Run.Run.ID == 0:
		return "not started yet"
	case o == Skipped:
		return "nothing ran, all jobs were skipped"
	case n == 0 && o == Missing:
		return t.one
	case n == 0 && len(runs) > 1:
		return "a run " + t.one
	case n == 0:
		return "the run " + t.one
	case n == total && n > 1:
		return fmt.Sprintf("all %d jobs %s", n, t.many)
	case n == total:
		return "1 job " + t.one
	}
	text := fmt.Sprintf("%d of %d jobs %s", n, total, t.one)
	if n > 1 {
		text = fmt.Sprintf("%d of %d jobs %s", n, total, t.many)
	}
	if o == Failed && open > 0 {
		text += fmt.Sprintf(", %d more gave no verdict", open)
	}
	return text
}

func counted(n int, t trait) string {
	if n == 1 {
		return "1 job " + t.one
	}
	return fmt.Sprintf("%d jobs %s", n, t.many)
}

func titles(c cleaner, workflows []string) string {
	if len(workflows) == 0 {
		return "CI"
	}
	var b strings.Builder
	for i, w := range workflows {
		if i == maxTitles {
			fmt.Fprintf(&b, " and %d more", len(workflows)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(title(c, w))
	}
	return b.String()
}

// title is a workflow's name as people say it. A name that is none of a
// workflow's is quoted.
func title(c cleaner, workflow string) string {
	if change.CheckWorkflow(workflow) != nil {
		return c.span(workflow)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(workflow, ".yml"), ".yaml")
	if name == "" {
		return workflow
	}
	return c.line(name, maxSpan)
}

// attempt tells a first run from later ones.
func attempt(r Run) string {
	switch again := r.Attempt > 1; {
	case r.Carried > 0:
		return fmt.Sprintf(" (run of patchset %d)", r.Carried)
	case r.Key.Attempt > 1 && again:
		return fmt.Sprintf(" (run %d, attempt %d)", r.Key.Attempt, r.Attempt)
	case r.Key.Attempt > 1:
		return fmt.Sprintf(" (run %d)", r.Key.Attempt)
	case again:
		return fmt.Sprintf(" (attempt %d)", r.Attempt)
	}
	return ""
}

// duration is short: nobody needs to know the seconds of an hour.
func duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d <= 0:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", max(n, 0))
	case n < 1000*1000:
		return fmt.Sprintf("%d kB", n/1000)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%d MB", n/(1000*1000))
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
