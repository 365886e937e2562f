// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Each change that Gerrit lists as open ends in lines of its own, or in one count
// that says why there is none.

// Rest is why there is nothing to do about a listed change.
type Rest string

// The reasons, in the order in which they are told.
const (
	// UpToDate: all that is wanted was started, and what came of it was told.
	UpToDate Rest = "up to date"
	// Running: a run goes on whose result is to be told.
	Running Rest = "running"
	// Unread: it could not be read, which is a problem of the pass.
	Unread Rest = "not read"
	// ClosedSince: it was merged or abandoned after it was listed.
	ClosedSince Rest = "closed meanwhile"
)

// Rests are all reasons, in their order.
var Rests = []Rest{Running, UpToDate, Unread, ClosedSince}

// Dropped is a listed change that left the snapshot when it was read again.
type Dropped struct {
	Change change.Change
	// Why is Unread, ClosedSince, or "" where Gerrit does not find it.
	Why Rest
}

// About is the number of the change that an action is about; 0 is none.
func (a Action) About() int {
	switch {
	case a.Change != nil:
		return a.Change.Number
	case a.Number != 0:
		return a.Number
	}
	return a.Key.Change
}

// account finds a reason for each listed change that no action is about.
func (b *builder) account() {
	b.plan.Idle = map[int]Rest{}
	for i := range b.s.Dropped {
		d := &b.s.Dropped[i]
		if d.Why != "" {
			b.plan.Idle[d.Change.Number] = d.Why
			continue
		}
		b.add(Action{Verb: Fail, Change: &d.Change, Reason: "Gerrit lists it and does not find it when asked for it alone",
			Hint: fmt.Sprintf("if this stays, have Gerrit index it anew: ssh HOST gerrit index changes %d", d.Change.Number)})
	}
	about := map[int]bool{}
	for _, a := range b.plan.Actions {
		about[a.About()] = true
	}
	for number, c := range b.open {
		if !about[number] {
			b.plan.Idle[number] = b.rest(c)
		}
	}
}

// rest says why there is nothing to do about an open change.
func (b *builder) rest(c *change.Change) Rest {
	if !b.p.Report.On() {
		return UpToDate // nobody looks after its runs
	}
	for _, w := range b.workflowsFor(c) {
		a := b.attempt(c.ID(), w.Name)
		if word, _ := b.ending(c, b.key(c, w, a.number), a); a.recorded && a.from == 0 && word == "" {
			return Running
		}
	}
	return UpToDate
}
