// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// placing are the updates for a branch: its own, and that of the entry which says
// that it is ours. An entry that says what is not so is no harm: what is not where
// it says counts as somebody else's.
func (a *acting) placing(l *Line) []relay.Update {
	own := relay.Update{Ref: "refs/heads/" + l.Branch, Old: l.Old, New: l.Revision}
	entry := relay.Update{Ref: a.Project.Mirror.Ledger.Ref(change.Entry{Kind: change.Placed, Branch: l.Branch}), New: l.Revision}
	if r, ok := a.snapshot.Mirror.Placed(l.Branch); ok {
		entry.Old = r.Revision
	}
	if change.CheckRef(entry.Ref) != nil || entry.Old == entry.New { // its name is too long for that, or it is there
		return []relay.Update{own}
	}
	return []relay.Update{own, entry}
}

// placeLater has the entry of a branch written at the end where it did not come
// along: a branch that was too large goes in slices, by itself.
func (a *acting) placeLater(l *Line, entries []relay.UpdateResult) {
	for _, u := range entries {
		if u.State == relay.NotTried {
			a.notes = append(a.notes, relay.Item{Want: l.Revision, OnMirror: true, Updates: []relay.Update{u.Update}})
		}
	}
}

// notPlaced takes entries back that came to the mirror without what they are about:
// each ref of a push is taken or refused by itself. absent says that nothing is there.
func (a *acting) notPlaced(entries []relay.UpdateResult, absent bool) {
	for _, u := range entries {
		switch {
		case u.State != relay.Done:
		case u.Old == "" || absent:
			a.drops = append(a.drops, relay.Update{Ref: u.Ref, Old: u.New})
		default:
			a.notes = append(a.notes, relay.Item{Want: u.Old, OnMirror: true, Updates: []relay.Update{{Ref: u.Ref, Old: u.New, New: u.Old}}})
		}
	}
}

// dropBranches deletes what Gerrit has no more, before others may need its name; then
// the entries about it: without them nobody would know later that it was ours.
func (a *acting) dropBranches(ctx context.Context) {
	var updates, entries []relay.Update
	var lines []int
	for i := range a.result.Lines {
		if l := &a.result.Lines[i]; l.Verb == plan.DropBranch {
			lines = append(lines, i)
			updates = append(updates, relay.Update{Ref: l.Refs[0].Name, Old: l.Refs[0].Revision})
		}
	}
	if len(updates) == 0 {
		a.forgetPlaces(ctx)
		return
	}
	a.progress("deleting branches that are gone from Gerrit")
	for n, r := range a.Doors.Mover.Delete(ctx, updates) {
		l := &a.result.Lines[lines[n]]
		switch {
		case r.Err == nil:
			l.State = Done
			delete(a.snapshot.Mirror.Branches, l.Branch)
			a.takenAfterAll(l)
			for _, entry := range l.Refs[1:] {
				entries = append(entries, relay.Update{Ref: entry.Name, Old: entry.Revision})
			}
		case r.State == relay.Refused && !errors.Is(r.Err, fault.Transient):
			a.keptBranch(lines[n], r.Err)
		default:
			l.fail(r.Err)
		}
	}
	if len(entries) > 0 { // what fails here is seen by the next pass
		a.Doors.Mover.Delete(ctx, entries)
	}
	a.forgetPlaces(ctx)
}

// forgetPlaces deletes entries about what is not there any more before others are
// written: git has no entry about v1 beside one about v1/x, and what comes without
// one would be taken for somebody else's.
func (a *acting) forgetPlaces(ctx context.Context) {
	if !slices.ContainsFunc(a.result.Lines, func(l Line) bool { return l.Verb == plan.MirrorBranch || l.Verb == plan.MirrorTags }) {
		return
	}
	var stale []plan.Ref
	for _, ref := range a.plan.Stale {
		if ref.Entry.Kind == change.Placed {
			stale = append(stale, ref)
		}
	}
	a.forgetFirst(ctx, stale)
}

// forgetFirst deletes entries now which would be deleted at the end. What fails is
// tried again there.
func (a *acting) forgetFirst(ctx context.Context, entries []plan.Ref) {
	if len(entries) == 0 {
		return
	}
	updates := make([]relay.Update, len(entries))
	for i, ref := range entries {
		updates[i] = relay.Update{Ref: ref.Name, Old: ref.Revision}
	}
	a.progress("forgetting what is not on the mirror any more")
	for _, r := range a.Doors.Mover.Delete(ctx, updates) {
		if r.Err == nil {
			a.forgotten[r.Ref] = true
		}
	}
}

// keptBranch ends the line of a branch that the mirror does not delete, such as its
// default branch: nothing is broken, and it is tried again ever less often.
func (a *acting) keptBranch(line int, err error) {
	l := &a.result.Lines[line]
	a.refusedAgain(line, change.Entry{Kind: change.Unmoved, Revision: l.Old, Branch: l.Branch}, change.OtherReason, err)
	l.State, l.Err, l.Note = Skipped, nil, fmt.Sprintf("it is gone from Gerrit, but the mirror does not delete it: %s", err)
}
