// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// leftOut is what of Gerrit's answers was left out. Readers work side by side.
type leftOut struct {
	mu    sync.Mutex
	lines []reconcile.Line
	notes []string
}

// change notes a change that Gerrit described in a way that nobody can trust.
func (l *leftOut) change(number int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, reconcile.Line{State: reconcile.Skipped, Action: plan.Action{
		Verb: plan.Skip, Number: number, Reason: "Gerrit's description of it cannot be trusted: " + why.Error(),
	}})
}

// note notes anything else, once.
func (l *leftOut) note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text = "Gerrit: " + text; !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// maxNotes is how many notes one pass shows.
const maxNotes = 20

// take returns what was noted since the last call, in an order that does not depend on
// who was first.
func (l *leftOut) take() (lines []reconcile.Line, notes []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, notes = l.lines, l.notes
	l.lines, l.notes = nil, nil
	slices.SortFunc(lines, func(a, b reconcile.Line) int { return cmp.Compare(a.Number, b.Number) })
	slices.Sort(notes)
	if more := len(notes) - maxNotes; more > 0 {
		notes = append(notes[:maxNotes], fmt.Sprintf("Gerrit: %d more like these", more))
	}
	return lines, notes
}
