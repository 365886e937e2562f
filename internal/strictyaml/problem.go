// SPDX-License-Identifier: BSD-3-Clause

// Package strictyaml reads small YAML (and so JSON) files into structs, refuses
// what the structs do not know, and reports all mistakes at once, each with its
// line and column.
//
// It knows no particular file: what values mean is checked by the caller, who
// names a value by its path. It does not resolve merge
// keys, anchors or custom tags.
package strictyaml

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Problem is one thing that is wrong.
type Problem struct {
	// Place is "FILE:LINE:COLUMN", counted from 1, or what the caller called it.
	Place string
	// Text says what is wrong, Hint what to do; Hint may be empty.
	Text, Hint string
}

// String returns "PLACE: what is wrong" and, on a line of its own, the hint.
func (p Problem) String() string {
	s := p.Text
	if p.Place != "" {
		s = p.Place + ": " + s
	}
	if p.Hint != "" {
		s += "\n    hint: " + p.Hint
	}
	return s
}

// Problems is everything that is wrong, in the order of the file. As an error
// it is a fault.Configuration.
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

// maxProblems is how many a person wants to read at once.
const maxProblems = 100

// place is where a value stands: in the file, or where the caller says.
type place struct {
	line, column int
	name         string
}

func (d *Document) text(at place) string {
	switch {
	case at.name != "":
		return at.name
	case at.line > 0:
		return fmt.Sprintf("%s:%d:%d", d.file, at.line, at.column)
	}
	return d.file
}
