// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestLeftOut: what is left out is told once, in order, and not without an end.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	var l leftOut
	for i := range maxNotes + 2 {
		l.note(fmt.Sprintf("page %02d is odd", maxNotes+2-i))
		l.note("page 01 is odd")
	}
	l.change(8, errors.New("its owner has no account id"))
	l.change(7, errors.New("its owner has no account id"))
	lines, notes := l.take()
	if len(lines) != 2 || lines[0].Number != 7 {
		t.Errorf("got the lines %+v", lines)
	}
	if len(notes) != maxNotes+1 || !slices.IsSorted(notes[:maxNotes]) || notes[0] != "Gerrit: page 01 is odd" || notes[maxNotes] != "Gerrit: 2 more like these" {
		t.Errorf("got the notes %q", notes)
	}
	if lines, notes = l.take(); len(lines)+len(notes) > 0 {
		t.Errorf("told again: %v, %v", lines, notes)
	}
}
