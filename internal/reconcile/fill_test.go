// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"fmt"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// lateIndex makes a pass of which the list of changes comes from an older world: Gerrit's
// index is late.
func (w *world) lateIndex(t *testing.T, listed *world) Result {
	t.Helper()
	doors := w.doors()
	doors.Reviews = listedBy{failing{world: w}, listed}
	r, _ := w.through(t, doors, 0, false)
	return r
}

// TestChangesThatMovedWhileRead: what is done to a change is what it wants when it
// was read by itself, whatever the list has said.
func TestChangesThatMovedWhileRead(t *testing.T) {
	t.Parallel()
	edit := func(do func(*change.Change)) func(*world) {
		return func(w *world) {
			c := w.changes[1]
			do(&c)
			w.changes[1] = c
		}
	}
	none := []string{"mirror master: done: new branch"}
	tests := []struct {
		name string
		move func(*world)
		want []string
	}{
		{"another patchset", func(w *world) { w.upload(1, 2) }, append(none, "relay 1/2: done: new patchset", "dispatch 1/2/autorun.yml/1: done: new patchset")},
		{"abandoned", edit(func(c *change.Change) { c.Status = change.Abandoned }), none},
		{"merged", edit(func(c *change.Change) { c.Status = change.Merged }), none},
		{"in another project", edit(func(c *change.Change) { c.Project = "spdk/docs" }), none},
		{"gone", func(w *world) { delete(w.changes, 1) }, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(1)
			tt.move(w)
			expect(t, "result", told(w.lateIndex(t, newWorld(1))), tt.want)
		})
	}
}

// TestNothingIsDoneToChangesThatKeepMoving: each change that is read makes way for
// the next one, which was not read yet. A pass comes to an end all the same, and
// does nothing to a change that it knows from the list only.
func TestNothingIsDoneToChangesThatKeepMoving(t *testing.T) {
	t.Parallel()
	const changes = maxRounds + 4
	w, listed := newWorld(0), newWorld(0)
	for n := 1; n <= changes; n++ {
		listed.upload(n, 1)
		w.upload(n, 2)
		c := w.changes[n]
		c.Owner.ID, c.Current.Created = 1, w.now.Add(1)
		w.changes[n] = c
		c = listed.changes[n]
		c.Owner.ID = 1
		listed.changes[n] = c
	}
	w.project.Limits.PerPass = 1
	// All patchsets are there already, so nothing but a start asks for a change.
	for n := 1; n <= changes; n++ {
		for _, c := range []change.Change{listed.changes[n], w.changes[n]} {
			w.refs[w.project.Mirror.Namespace.Ref(c.ID())] = c.Current.Revision
		}
	}
	r := w.lateIndex(t, listed)
	if len(w.runs) != 0 {
		t.Errorf("got the run %s of a patchset that was replaced", w.runs[0].Name)
	}
	waits := fmt.Sprintf("wait %d/1/autorun.yml/1: waiting: it changed while it was read", maxRounds+1)
	found := false
	for i, line := range told(r) {
		found = found || line == waits
		if r.Lines[i].Verb == plan.Dispatch {
			t.Errorf("got %q, want no start", line)
		}
	}
	if !found {
		t.Errorf("got %q, want %q among it", told(r), waits)
	}
}
