// SPDX-License-Identifier: BSD-3-Clause

package flake

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// columns are the table's heads. The name comes last: it alone can be long.
var columns = [...]string{"changes", "runs", "passed later", "false positive", "rechecked", "last", "issues", "name"}

// Table writes the first rows, at most so many, one a line under a head. It is
// empty without rows.
func Table(rows []Row, most int) string {
	if len(rows) == 0 {
		return ""
	}
	shown := rows[:min(len(rows), most)]
	lines := [][len(columns)]string{columns}
	for _, r := range shown {
		lines = append(lines, r.cells())
	}
	var width [len(columns)]int
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		for i, cell := range line[:len(line)-1] {
			gap := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i < 5 { // numbers stand right
				cell, gap = gap+cell, ""
			}
			b.WriteString(cell + gap + "  ")
		}
		b.WriteString(line[len(line)-1] + "\n")
	}
	if more := len(rows) - len(shown); more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	return b.String()
}

// cells writes a row's columns.
func (r Row) cells() [len(columns)]string {
	issues := "-"
	for i, n := range r.Issues {
		if i == 0 {
			issues = fmt.Sprintf("#%d", n)
			continue
		}
		issues += fmt.Sprintf(" #%d", n)
	}
	last := "-"
	if !r.Last.IsZero() {
		last = r.Last.UTC().Format("2006-01-02")
	}
	return [...]string{
		fmt.Sprint(r.Changes), fmt.Sprint(r.Count), fmt.Sprint(r.Flipped), fmt.Sprint(r.FalsePositive), fmt.Sprint(r.Rechecked), last, issues, r.Name,
	}
}
