// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// finish writes what the next pass must know and deletes what nobody needs. It
// is done in a short time of its own when the pass was told to stop: an
// unrecorded run costs the next pass a search, a claim that is not given back
// costs it the grace time.
func (a *acting) finish(ctx context.Context) {
	a.mark()
	a.forgetStale()
	if len(a.notes)+len(a.drops) == 0 {
		return
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), finishTime)
		defer cancel()
	}
	a.progress("writing down what was done")
	a.keepFirst(a.write(ctx, a.notes))
	if len(a.drops) > 0 {
		for _, r := range a.Doors.Mover.Delete(ctx, a.drops) {
			a.dropped(r)
		}
	}
}

// foretell notes what nobody would see later if we were killed in between: that a
// branch moves, so merged changes are to be looked for, and that it is us who
// cancel a run, because the change was left alone.
func (a *acting) foretell(ctx context.Context) {
	var left []relay.Item
	for i := range a.result.Lines {
		if l := &a.result.Lines[i]; l.Verb == plan.Cancel && l.Entry.Kind != "" {
			left = append(left, a.entry(l.Entry, l.Revision))
		}
	}
	a.write(ctx, left)
	at := a.anchor()
	if at == "" {
		return
	}
	var notes []relay.Item
	for _, m := range a.plan.Marks {
		if m.Entry.Kind == change.Merges {
			notes = append(notes, a.entry(m.Entry, at))
		}
	}
	a.foretold = len(a.write(ctx, notes)) == 0
}

// write writes ledger entries and returns the refs that are not there. What another
// pass has noted meanwhile needs no second note.
func (a *acting) write(ctx context.Context, notes []relay.Item) (failed []string) {
	if len(notes) == 0 {
		return nil
	}
	_, results := a.Doors.Mover.Move(ctx, nil, notes)
	for _, r := range results {
		if u := r.Updates[0]; u.State != relay.Existed && r.Err != nil {
			a.problem("failed to write "+u.Ref, r.Err)
			failed = append(failed, u.Ref)
		}
	}
	return failed
}

// keepFirst leaves refs where they are in place of which something was to be kept
// that could not be written.
func (a *acting) keepFirst(failed []string) {
	held := func(line int) bool {
		return slices.ContainsFunc(a.result.Lines[line].Keep, func(e change.Entry) bool {
			return slices.Contains(failed, a.Project.Mirror.Ledger.Ref(e))
		})
	}
	a.drops = slices.DeleteFunc(a.drops, func(u relay.Update) bool {
		line, ok := a.dropLines[u.Ref]
		if ok = ok && held(line); ok {
			a.result.Lines[line].wait("what is to be kept could not be written")
		}
		return ok
	})
}

// dropped reads the result of one deletion.
func (a *acting) dropped(r relay.UpdateResult) {
	if r.Err == nil {
		return
	}
	if line, ok := a.dropLines[r.Ref]; ok {
		a.result.Lines[line].fail(r.Err)
		return
	}
	a.problem("failed to delete "+r.Ref, r.Err)
}

// mark notes when things were done, in place of older notes.
func (a *acting) mark() {
	at := a.anchor()
	if at == "" {
		return
	}
	for _, m := range a.plan.Marks {
		if m.Entry.Kind != change.Merges || !a.foretold {
			a.note(m.Entry, at)
		}
		for _, old := range m.Old {
			a.drops = append(a.drops, relay.Update{Ref: old.Name, Old: old.Revision})
		}
	}
}

// problem adds a failure to the result, unless the same one is there.
func (a *acting) problem(what string, err error) {
	if err == nil {
		return
	}
	for _, old := range a.result.Problems {
		if strings.HasSuffix(old.Error(), err.Error()) {
			return
		}
	}
	a.result.Problems = append(a.result.Problems, fmt.Errorf("%s: %w", what, err))
}

// note has a ledger entry written when the pass ends; nobody waits for it.
func (a *acting) note(e change.Entry, at change.Revision) {
	a.notes = append(a.notes, a.entry(e, at))
}

// entry is what is to be moved for a ledger entry.
func (a *acting) entry(e change.Entry, at change.Revision) relay.Item {
	return relay.Item{
		ID: e.ID, Want: at, OnMirror: true,
		Updates: []relay.Update{{Ref: a.Project.Mirror.Ledger.Ref(e), New: at}},
	}
}
