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
	at, haves := a.anchor(), a.branchTips()
	items := make([]relay.Item, len(part))
	for i, t := range part {
		items[i] = relay.Item{Want: t.New, Haves: haves, Updates: []relay.Update{{Ref: "refs/tags/" + t.Name, Old: t.Old, New: t.New}}}
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
