// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// refusedAgain ends a line whose patchset, branch or message was refused in words
// that leave no doubt. The first time it is a failure; after that it is known, and
// the line is a quiet one. e says what the refusal is about.
//
// The ref that remembers it is a push of its own, of a commit that is there: a
// mirror that refuses whatever comes refuses that as well, and so proves nothing.
func (a *acting) refusedAgain(line int, e change.Entry, word string, err error) {
	l := &a.result.Lines[line]
	before := l.Before
	before.Kind = e.Kind
	next, note := before.Again(a.Now(), word)
	if l.fail(err); before.Known() {
		l.State, l.Err, l.Note = Skipped, nil, fmt.Sprintf("still refused; %s: %s", next.Outlook(), err)
	}
	if !note {
		return
	}
	at := cmp.Or(a.anchor(), a.base())
	e.Word, e.Count, e.At = next.Word, next.Count, next.At
	switch {
	case change.CheckRef(a.Project.Mirror.Ledger.Ref(e)) != nil:
		return // a branch's name is too long to be remembered: it is told in each pass
	case at != "":
		a.noteOnce(e, at)
	case e.Kind == change.Unmoved: // nothing is on the mirror yet, which takes the commits under other names
		n := a.entry(e, l.Revision)
		n.OnMirror = false
		a.notes = append(a.notes, n)
	default:
		return
	}
	l.Keep = append(l.Keep, e)
	for _, ref := range before.Refs {
		a.dropOnce(ref)
		a.dropLines[ref.Name] = line
	}
}

// takenAfterAll forgets that something was refused before.
func (a *acting) takenAfterAll(l *Line) {
	for _, ref := range l.Before.Refs {
		a.dropOnce(ref)
	}
}

// noteOnce and dropOnce are for what several lines may ask for.
func (a *acting) noteOnce(e change.Entry, at change.Revision) {
	ref := a.Project.Mirror.Ledger.Ref(e)
	if !slices.ContainsFunc(a.notes, func(n relay.Item) bool { return n.Updates[0].Ref == ref }) {
		a.note(e, at)
	}
}

func (a *acting) dropOnce(ref plan.Ref) {
	if !a.forgotten[ref.Name] && !slices.ContainsFunc(a.drops, func(u relay.Update) bool { return u.Ref == ref.Name }) {
		a.drops = append(a.drops, relay.Update{Ref: ref.Name, Old: ref.Revision})
	}
}

// forgetStale deletes what the ledger remembers of refusals that are over.
func (a *acting) forgetStale() {
	for _, ref := range a.plan.Stale {
		a.dropOnce(ref)
	}
}

// said ends a line with what became of its message. That a change takes no more
// messages is remembered.
func (a *acting) said(line int, err error) {
	l := &a.result.Lines[line]
	switch {
	case err == nil:
		a.takenAfterAll(l)
	case errors.Is(err, change.ErrFull) && l.Change != nil:
		a.refusedAgain(line, change.Entry{Kind: change.Full, ID: l.Change.ID()}, change.OtherReason, err)
	default:
		l.fail(err)
	}
}
