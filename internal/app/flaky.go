// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/flake"
	"github.com/spdk-community-ci/dispatcher/internal/report"
)

// maxFlaky is how many rows of the ledger of flaky tests and jobs are shown.
const maxFlaky = 10

// witness is a project's Gerrit that remembers the changes which a pass has read:
// their messages tell what failed by chance, without a request more.
type witness struct {
	reviews
	mu      sync.Mutex
	changes map[int]change.Change
}

// Open returns the open changes of a project.
func (w *witness) Open(ctx context.Context, p *config.Project) ([]change.Change, error) {
	list, err := w.reviews.Open(ctx, p)
	w.remember(list...)
	return list, err
}

// Change reads one change whole.
func (w *witness) Change(ctx context.Context, a change.Address) (change.Change, bool, error) {
	c, found, err := w.reviews.Change(ctx, a)
	if found {
		w.remember(c)
	}
	return c, found, err
}

func (w *witness) remember(list ...change.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range list {
		if c.Messages != nil {
			w.changes[c.Number] = c
		}
	}
}

// all returns the changes whose messages are known, by number.
func (w *witness) all(context.Context) ([]change.Change, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []change.Change
	for _, number := range slices.Sorted(maps.Keys(w.changes)) {
		list = append(list, w.changes[number])
	}
	return list, nil
}

// aside is what is told beside the results of passes.
type aside struct {
	// unchecked is what a dry run left open.
	unchecked []string
	// flaky are the tests and jobs that fail by chance, by project.
	flaky map[string][]flake.Row
	// warnings are what a person should mend although all was done.
	warnings []error
}

// ledger ranks the jobs of a project that fail by chance. That somebody asked for
// another run is no sign of it by itself.
func (w *witness) ledger(ctx context.Context, p *config.Project, a *App) []flake.Row {
	list, _ := w.all(ctx)
	rows := flake.Rank(report.History(p, a.Now(), change.Account{Username: p.Gerrit.Username}).Events(list))
	return slices.DeleteFunc(rows, func(r flake.Row) bool { return r.Hint() == "" })
}

// projects are those that there is something to tell of.
func (s aside) projects() []string { return slices.Sorted(maps.Keys(s.flaky)) }

// text is the ledger for a terminal.
func (s aside) text() string {
	var b strings.Builder
	for _, project := range s.projects() {
		fmt.Fprintf(&b, "%s: tests and jobs that failed by chance in the last %d days\n", change.OneLine(project), flakyDays)
		for line := range strings.Lines(flake.Table(s.flaky[project], maxFlaky)) {
			b.WriteString("  " + line)
		}
	}
	if len(s.unchecked) > 0 {
		b.WriteString(dryRunNote(s.unchecked) + "\n")
	}
	return b.String()
}

var flakyDays = int(flake.Window.Hours() / 24)

// markdown is the ledger for a job's summary.
func (s aside) markdown() string {
	var b strings.Builder
	for _, project := range s.projects() {
		fmt.Fprintf(&b, "### Tests and jobs of %s that failed by chance in the last %d days\n\n", action.Cell(project), flakyDays)
		b.WriteString("| job | changes | runs | passed later | false positive | rechecked | last |\n|---|---|---|---|---|---|---|\n")
		rows := s.flaky[project]
		for _, r := range rows[:min(len(rows), maxFlaky)] {
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %d%s | %d | %s |\n", action.Cell(r.Name), r.Changes, r.Count, r.Flipped, r.FalsePositive, issueText(r.Issues), r.Rechecked, r.Last.UTC().Format("2006-01-02"))
		}
		if more := len(rows) - maxFlaky; more > 0 {
			fmt.Fprintf(&b, "\nand %d more\n", more)
		}
		b.WriteString("\n")
	}
	if len(s.unchecked) > 0 {
		b.WriteString("\n" + action.Cell(dryRunNote(s.unchecked)) + "\n")
	}
	return b.String()
}

// issueText names known issues.
func issueText(issues []int) string {
	text := ""
	for _, n := range issues {
		text += fmt.Sprintf(" #%d", n)
	}
	return text
}

// jsonFlaky is a row of the ledger in --json.
type jsonFlaky struct {
	Job           string `json:"job"`
	Changes       int    `json:"changes"`
	Runs          int    `json:"runs"`
	PassedLater   int    `json:"passed_later"`
	FalsePositive int    `json:"false_positive"`
	Rechecked     int    `json:"rechecked"`
	Last          string `json:"last"`
	Issues        []int  `json:"issues,omitempty"`
}

// of returns a project's rows for --json.
func (s aside) of(project string) []jsonFlaky {
	var list []jsonFlaky
	for _, r := range s.flaky[project] {
		list = append(list, jsonFlaky{r.Name, r.Changes, r.Count, r.Flipped, r.FalsePositive, r.Rechecked, r.Last.UTC().Format("2006-01-02T15:04:05Z"), r.Issues})
	}
	return list
}

// warn tells of what should be mended: as annotations in a job, else on standard
// error.
func (a *App) warn(out *action.Action, warnings []error) {
	told := map[string]bool{}
	for _, err := range warnings {
		text := err.Error()
		if hint := fault.HintOf(err); hint != "" {
			text += " - hint: " + hint
		}
		switch {
		case told[text]:
		case out.InActions():
			out.Warning(text)
		default:
			fmt.Fprintln(a.Stderr, "dispatcher: warning:", change.OneLine(text))
		}
		told[text] = true
	}
}
