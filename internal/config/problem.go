// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Place is where a setting was given: in a file or by an input. The zero value
// is neither, for what comes from the runner's own variables.
type Place struct {
	File string
	// Line and Column count from 1; Line 0 is the file as a whole.
	Line, Column int
	// Input is an input's name.
	Input string
}

// String returns "FILE:LINE:COL" or "input NAME".
func (p Place) String() string {
	switch {
	case p.Input != "":
		return "input " + p.Input
	case p.Line > 0:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	default:
		return p.File
	}
}

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Place
	// Text says what is wrong; it never holds a secret.
	Text string
	// Hint says what to do, or is empty.
	Hint string
}

// String returns "PLACE: what is wrong" and, on a line of its own, the hint.
func (p Problem) String() string {
	s := p.Text
	if place := p.Place.String(); place != "" {
		s = place + ": " + s
	}
	if p.Hint != "" {
		s += "\n    hint: " + p.Hint
	}
	return s
}

// Problems is everything that is wrong, ordered by place. As an error it is a
// fault.Configuration.
type Problems []Problem

// Error lists the problems, one after the other.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Is makes errors.Is(problems, fault.Configuration) true.
func (ps Problems) Is(target error) bool { return target == fault.Configuration }

// sorted puts inputs first, in the order of Inputs, then files by line, and
// drops what was found twice (a default is looked at once for each project).
func (ps Problems) sorted() Problems {
	order := map[string]int{}
	for i, in := range Inputs() {
		order[in.Name] = i
	}
	rank := func(p Problem) int {
		if p.Input == "" {
			return len(order)
		}
		return order[p.Input]
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	seen := map[Problem]bool{}
	return slices.DeleteFunc(ps, func(p Problem) bool {
		twice := seen[p]
		seen[p] = true
		return twice
	})
}

// bad returns what a value's own check says: what is wrong, and what to do.
func bad(hint, format string, args ...any) error {
	e := fault.New(fault.Configuration, format, args...)
	e.Hint = hint
	return e
}

// suggest returns the candidate that word was probably meant to be, or "".
func suggest(word string, candidates []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance between two short words; longer ones
// count as far apart.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
