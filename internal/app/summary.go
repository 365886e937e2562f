// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// summary is the job's summary page: what was done and what failed stands in
// the open, what was left alone is folded away.
func summary(results []reconcile.Result) string {
	var b strings.Builder
	for _, r := range results {
		title := r.Project
		if r.DryRun {
			title += " (dry run)"
		}
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", action.Cell(title), totalsOf(r).text())
		var acted, left []reconcile.Line
		for _, l := range r.Lines {
			if l.State == reconcile.Skipped || l.State == reconcile.Waiting {
				left = append(left, l)
				continue
			}
			acted = append(acted, l)
		}
		summaryTable(&b, acted)
		for _, err := range r.Problems {
			fmt.Fprintf(&b, "- **problem**: %s", action.Cell(err.Error()))
			if hint := hintOf(err); hint != "" {
				fmt.Fprintf(&b, " - %s", action.Cell(flatHint(hint)))
			}
			b.WriteString("\n")
		}
		if len(left) > 0 {
			fmt.Fprintf(&b, "\n<details><summary>%d left alone</summary>\n\n", len(left))
			summaryTable(&b, left)
			b.WriteString("</details>\n\n")
		}
	}
	return b.String()
}

func summaryTable(b *strings.Builder, lines []reconcile.Line) {
	if len(lines) == 0 {
		return
	}
	b.WriteString("| | change | workflow | |\n|---|---|---|---|\n")
	for _, l := range lines {
		one := rowOf(l)
		if l.Run.URL != "" && l.Started() {
			one.text = l.Text()
		}
		text := action.Cell(one.text)
		if one.hint != "" {
			text += "<br>" + action.Cell(flatHint(one.hint))
		}
		if link := runLink(l); link != "" {
			text += " " + link
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", one.word, action.Cell(one.what), action.Cell(one.workflow), text)
	}
	b.WriteString("\n")
}

// runLink links a run by its number; the address is GitHub's own, and is left
// out if it could end the link.
func runLink(l reconcile.Line) string {
	if l.Run.ID == 0 || !strings.HasPrefix(l.Run.URL, "http") || strings.ContainsAny(l.Run.URL, " ()<>|\n\r\t\"'`") {
		return ""
	}
	return fmt.Sprintf("[run %d](%s)", l.Run.ID, l.Run.URL)
}
