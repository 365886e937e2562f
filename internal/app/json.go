// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// The types below are the format of --json and of the output "runs"; README.md
// documents it, and fields are only ever added.
type (
	jsonReport struct {
		Totals   totals        `json:"totals"`
		Projects []jsonProject `json:"projects"`
		Runs     []jsonRun     `json:"runs"`
		// NotChecked is what a dry run left open.
		NotChecked []string `json:"not_checked,omitempty"`
	}
	jsonProject struct {
		Project string `json:"project"`
		DryRun  bool   `json:"dry_run,omitempty"`
		// Listed counts the changes that Gerrit lists as open: each has an action, or is
		// counted in one of the next four.
		Listed      int `json:"listed"`
		UpToDate    int `json:"up_to_date"`
		Running     int `json:"running,omitempty"`
		NotRead     int `json:"not_read,omitempty"`
		ClosedSince int `json:"closed_meanwhile,omitempty"`
		// ForeignRefs counts refs in our namespaces that we did not write.
		ForeignRefs int           `json:"foreign_refs,omitempty"`
		Actions     []jsonAction  `json:"actions"`
		Problems    []jsonProblem `json:"problems"`
		// Warnings are what was seen and does not count.
		Warnings []string `json:"warnings,omitempty"`
		// Flaky are the tests and jobs that failed by chance, the worst first.
		Flaky []jsonFlaky `json:"flaky,omitempty"`
	}
	jsonAction struct {
		Verb     string          `json:"verb"`
		State    string          `json:"state"`
		Branch   string          `json:"branch,omitempty"`
		Change   int             `json:"change,omitempty"`
		Patchset int             `json:"patchset,omitempty"`
		Revision change.Revision `json:"revision,omitempty"`
		Workflow string          `json:"workflow,omitempty"`
		Key      string          `json:"key,omitempty"`
		Subject  string          `json:"subject,omitempty"`
		Reason   string          `json:"reason"`
		Hint     string          `json:"hint,omitempty"`
		RunID    int64           `json:"run_id,omitempty"`
		RunURL   string          `json:"run_url,omitempty"`
	}
	jsonProblem struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
		Hint string `json:"hint,omitempty"`
	}
	jsonRun struct {
		Project  string `json:"project"`
		Key      string `json:"key"`
		Change   int    `json:"change"`
		Patchset int    `json:"patchset"`
		Workflow string `json:"workflow"`
		RunID    int64  `json:"run_id,omitempty"`
		RunURL   string `json:"run_url,omitempty"`
	}
)

func jsonOf(results []reconcile.Result, more aside) jsonReport {
	out := jsonReport{Totals: totalsOf(results...), Runs: runsOf(results), Projects: []jsonProject{}, NotChecked: more.unchecked}
	for _, r := range results {
		p := jsonProject{Project: r.Project, DryRun: r.DryRun, Listed: len(r.Listed), UpToDate: r.Idle[plan.UpToDate], Running: r.Idle[plan.Running], NotRead: r.Idle[plan.Unread], ClosedSince: r.Idle[plan.ClosedSince], ForeignRefs: r.Unreadable, Actions: []jsonAction{}, Problems: []jsonProblem{}, Warnings: r.Warnings, Flaky: more.of(r.Project)}
		for _, l := range r.Lines {
			p.Actions = append(p.Actions, actionOf(l))
		}
		for _, err := range r.Problems {
			p.Problems = append(p.Problems, jsonProblem{fault.KindOf(err).String(), err.Error(), hintOf(err)})
		}
		out.Projects = append(out.Projects, p)
	}
	return out
}

func actionOf(l reconcile.Line) jsonAction {
	a := jsonAction{
		Verb: string(l.Verb), State: string(l.State), Branch: l.Branch, Change: l.Number,
		Revision: l.Revision, Workflow: l.Key.Workflow, Reason: l.Text(), Hint: hintOf(l.Err),
		RunID: l.Run.ID, RunURL: l.Run.URL,
	}
	if l.Change != nil {
		a.Change, a.Patchset, a.Subject = l.Change.Number, l.Change.Current.Number, l.Change.Subject
	}
	if l.Key.Attempt > 0 {
		a.Key = l.Key.String()
	}
	return a
}

// runsOf lists the runs that were started.
func runsOf(results []reconcile.Result) []jsonRun {
	runs := []jsonRun{}
	for _, r := range results {
		for _, l := range r.Lines {
			if !l.Started() {
				continue
			}
			runs = append(runs, jsonRun{
				Project: r.Project, Key: l.Key.String(), Change: l.Key.Change, Patchset: l.Key.Patchset,
				Workflow: l.Key.Workflow, RunID: l.Run.ID, RunURL: l.Run.URL,
			})
		}
	}
	return runs
}

// writeJSON prints a report.
func writeJSON(w io.Writer, results []reconcile.Result, more aside) error {
	return printJSON(w, jsonOf(results, more))
}

// printJSON prints a value. The encoder escapes control characters, and "<",
// ">" and "&"; what it leaves and a runner or a terminal could obey is escaped
// too. All of that stands inside strings only, so the value stays the same.
func printJSON(w io.Writer, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	text := strings.ReplaceAll(b.String(), "##[", `#\u0023[`)
	var out strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.Cf, r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
			continue
		}
		out.WriteRune(r)
	}
	_, err := io.WriteString(w, out.String())
	return err
}
