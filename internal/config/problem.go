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

// Problems is everything that is wrong, a hundred problems at most, ordered by place. As an error it is a
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

// sorted puts inputs first, in the order of Inputs, then files by line.
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
	return ps
}

// bad returns what a value's own check says: what is wrong, and what to do.
func bad(hint, format string, args ...any) error {
	e := fault.New(fault.Configuration, format, args...)
	e.Hint = hint
	return e
}
