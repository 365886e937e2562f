// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Problem is one thing that is wrong with a recipe.
type Problem struct {
	// File is the recipe's file; Line and Column count from 1, and Line 0 is
	// the file as a whole.
	File         string
	Line, Column int
	// Text says what is wrong; Hint, which may be empty, what to do.
	Text, Hint string
}

// String returns "FILE:LINE:COL: text" and, on a line of its own, the hint.
func (p Problem) String() string {
	s := p.File + ": " + p.Text
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
	}
	if p.Hint != "" {
		s += "\n    hint: " + p.Hint
	}
	return s
}

// Problems is everything that is wrong, ordered by place.
type Problems []Problem

// Error lists the problems, one after the other.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// err returns the problems as a fault.Configuration, or nil if there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fault.Wrap(fault.Configuration, ps)
}
