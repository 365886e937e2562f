// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"cmp"
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

// tagsPerPush bounds what one push may lose. GitHub's server caps the commands of a
// push at a number that it keeps to itself.
const tagsPerPush = 500

// tag has tags follow Gerrit's: what goes, then what is set in pushes of its own, so
// that no patchset pays for a tag. It goes on where a part was refused.
func (a *acting) tag(ctx context.Context) {
	for i := range a.result.Lines {
		if l := &a.result.Lines[i]; l.Verb == plan.MirrorTags {
			a.tagsOf(ctx, i)
		}
	}
}

func (a *acting) tagsOf(ctx context.Context, line int) {
	l := &a.result.Lines[line]
	var set, gone []plan.Tag
	for _, t := range l.Tags {
		if t.New != "" {
			set = append(set, t)
		} else {
			gone = append(gone, t)
		}
	}
	a.progress("mirroring " + plan.Counted(l.Tags))
	m := tagging{}
	// What goes may be where others are to be: v1/x and v1 cannot both be, and nor can
	// the entries about them.
	if a.deleteTags(ctx, gone, &m); len(gone) > 0 && len(set) > 0 {
		a.forgetFirst(ctx, m.entriesOf(gone, l.Refs))
	}
	for part := range slices.Chunk(set, tagsPerPush) {
		if m.halted != nil || ctx.Err() != nil {
			m.left = append(m.left, part...)
			continue
		}
		a.setTags(ctx, part, &m)
	}
	a.tagged(line, m)
}

// tagging is what became of tags.
type tagging struct {
	// left are those that are not done, and refused is why, if the mirror or Gerrit has
	// said so of one of them; halted is an error that may pass.
	left            []plan.Tag
	refused, halted error
}

func (m *tagging) take(t plan.Tag, u relay.UpdateResult, whole error) {
	if u.State == relay.Done {
		return
	}
	m.left = append(m.left, t)
	err := cmp.Or(u.Err, whole, error(fault.New(fault.Transient, "%s was not written", u.Ref)))
	if errors.Is(err, fault.Transient) {
		m.halted = cmp.Or(m.halted, err)
	} else {
		m.refused = cmp.Or(m.refused, err)
	}
}

// entriesOf are those about tags that are done.
func (m *tagging) entriesOf(tags []plan.Tag, entries []plan.Ref) (of []plan.Ref) {
	done := map[string]bool{}
	for _, t := range tags {
		done[t.Name] = true
	}
	for _, t := range m.left {
		delete(done, t.Name)
	}
	for _, ref := range entries {
		if done[ref.Entry.Tag] {
			of = append(of, ref)
		}
	}
	return of
}

func (a *acting) setTags(ctx context.Context, part []plan.Tag, m *tagging) {
	at := a.anchor()
	items := make([]relay.Item, len(part))
	for i, t := range part {
		items[i] = relay.Item{Want: t.New, Haves: a.branchTips(), Updates: []relay.Update{{Ref: "refs/tags/" + t.Name, Old: t.Old, New: t.New}}}
		entry := a.Project.Mirror.Ledger.Ref(change.Entry{Kind: change.Placed, Tag: t.Name, Revision: t.New})
		if _, noted := a.snapshot.Mirror.PutAt(t.Name, t.New); !noted && at != "" && change.CheckRef(entry) == nil {
			items[i].Updates = append(items[i].Updates, relay.Update{Ref: entry, New: at})
		}
	}
	_, results := a.Doors.Mover.Move(ctx, nil, items)
	for i, r := range results {
		t := part[i]
		if m.take(t, r.Updates[0], r.Err); r.Updates[0].State == relay.Done {
			continue
		}
		a.notPlaced(r.Updates[1:], true)
		if entry, noted := a.snapshot.Mirror.PutAt(t.Name, t.New); noted {
			a.dropOnce(entry)
		}
	}
}

func (a *acting) deleteTags(ctx context.Context, gone []plan.Tag, m *tagging) {
	if len(gone) == 0 {
		return
	}
	updates := make([]relay.Update, len(gone))
	for i, t := range gone {
		updates[i] = relay.Update{Ref: "refs/tags/" + t.Name, Old: t.Old}
	}
	for i, r := range a.Doors.Mover.Delete(ctx, updates) {
		m.take(gone[i], r, nil)
	}
}

// tagged ends the line. That a mirror does not take some tags is no failure, and is
// remembered: the same ones are tried again ever less often.
func (a *acting) tagged(line int, m tagging) {
	l := &a.result.Lines[line]
	isLeft := map[string]bool{}
	for _, t := range m.left {
		isLeft[t.Name] = true
	}
	for _, ref := range l.Refs {
		if !isLeft[ref.Entry.Tag] {
			a.dropOnce(ref)
		}
	}
	done := slices.DeleteFunc(slices.Clone(l.Tags), func(t plan.Tag) bool { return isLeft[t.Name] })
	switch {
	case len(m.left) == 0:
		l.State = Done
		a.takenAfterAll(l)
		return
	case m.refused == nil:
		l.fail(fmt.Errorf("failed to mirror %s: %w", plan.Counted(m.left), cmp.Or(m.halted, error(fault.New(fault.Transient, "the pass was told to stop before it was done")))))
		return
	}
	before := l.Before
	if before.Revision != plan.Digest(m.left) {
		before = plan.Refusal{Kind: change.Untagged, Refs: before.Refs}
	}
	next, _ := before.Again(a.Now(), change.OtherReason)
	if len(done) == 0 {
		l.State, l.Note = Skipped, ""
	} else {
		l.State, l.Note, l.Tags = Done, plan.Counted(done)+"; ", done
	}
	l.Note += fmt.Sprintf("the mirror does not take %s: %s", plan.Counted(m.left), m.refused)
	if at := a.anchor(); at != "" {
		a.note(change.Entry{Kind: change.Untagged, Revision: plan.Digest(m.left), Word: next.Word, Count: next.Count, At: next.At}, at)
		for _, ref := range l.Before.Refs {
			a.dropOnce(ref)
		}
	}
}
