// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
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
	lost := append(slices.Clone(none), "fail 1/1: failed: Gerrit lists it and does not find it when asked for it alone")
	tests := []struct {
		name string
		move func(*world)
		want []string
	}{
		{"another patchset", func(w *world) { w.upload(1, 2) }, append(none, "relay 1/2: done: new patchset", "dispatch 1/2/autorun.yml/1: done: new patchset")},
		{"abandoned", edit(func(c *change.Change) { c.Status = change.Abandoned }), none},
		{"merged", edit(func(c *change.Change) { c.Status = change.Merged }), none},
		{"in another project", edit(func(c *change.Change) { c.Project = "spdk/docs" }), lost},
		{"gone", func(w *world) { delete(w.changes, 1) }, lost},
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

// TestNothingIsStartedAboveWhatWasNotRead: nor does it start a change of which one
// below a gate is known from the list only.
func TestNothingIsStartedAboveWhatWasNotRead(t *testing.T) {
	t.Parallel()
	low, high := change.Change{Number: 1}, change.Change{Number: 2}
	made := plan.Plan{
		Needs: plan.Needs{Fresh: []int{1}}, Below: map[int][]int{2: {1}},
		Actions: []plan.Action{{Verb: plan.Dispatch, Change: &high}, {Verb: plan.Skip, Change: &low}, {Verb: plan.Dispatch, Change: &change.Change{Number: 3}}},
	}
	postpone(&made)
	if got := []plan.Verb{made.Actions[0].Verb, made.Actions[1].Verb, made.Actions[2].Verb}; !slices.Equal(got, []plan.Verb{plan.Wait, plan.Skip, plan.Dispatch}) {
		t.Errorf("got %q", got)
	}
}

// outdated lists changes as they were.
type outdated struct {
	*telling
	list *world
}

func (o outdated) Open(ctx context.Context, p *config.Project) ([]change.Change, error) {
	return o.list.Open(ctx, p)
}

// TestLateIndexStopsNothing: before a run is stopped, its change is read by itself.
// The list may be older than the patchset or the state that the run was started for.
func TestLateIndexStopsNothing(t *testing.T) {
	t.Parallel()
	edit := func(w *world, do func(*change.Change)) {
		c := w.changes[1]
		do(&c)
		w.changes[1] = c
	}
	for name, late := range map[string]func(*world){
		"the patchset before": func(*world) {},
		"work in progress":    func(w *world) { w.upload(1, 2); edit(w, func(c *change.Change) { c.WIP = true }) },
		"private":             func(w *world) { w.upload(1, 2); edit(w, func(c *change.Change) { c.Private = true }) },
		"another branch":      func(w *world) { w.upload(1, 2); edit(w, func(c *change.Change) { c.Branch = "side" }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTelling(t, 1)
			w.project.Skip.WIP, w.project.Skip.Private, w.project.Branches = true, true, []string{"master"}
			w.told[1] = Told{Outcome: "passed", Note: "told"}
			w.tick(t) // patchset 1 is done
			w.upload(1, 2)
			w.tick(t)
			run := &w.runs[len(w.runs)-1]
			if key, _ := run.Key(); key.Patchset != 2 {
				t.Fatalf("got the run %s, want one of patchset 2", run.Name)
			}
			run.Status = "in_progress"
			before := w.ledger()
			listed := newWorld(1)
			late(listed)
			doors := w.doors()
			doors.Reviews, doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk = outdated{w, listed}, w, w, w, w
			r, _ := w.through(t, doors, 0, false)
			if run.Status != "in_progress" {
				t.Errorf("the run was stopped: %q", told(r))
			}
			for _, ref := range before {
				if !slices.Contains(w.ledger(), ref) {
					t.Errorf("%s is gone", ref)
				}
			}
		})
	}
}

// TestLateIndexWithdrawsNothing: nor does a change leave the mirror for what the
// list alone says.
func TestLateIndexWithdrawsNothing(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 1)
	w.project.Skip.Private = true
	w.told[1] = Told{Outcome: "passed", Note: "told"}
	w.tick(t)
	before := w.ledger()
	listed := newWorld(1)
	c := listed.changes[1]
	c.Private = true
	listed.changes[1] = c
	doors := w.doors()
	doors.Reviews, doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk = outdated{w, listed}, w, w, w, w
	if r, _ := w.through(t, doors, 0, false); !slices.Equal(w.ledger(), before) {
		t.Errorf("got %q after %q, want %q", w.ledger(), told(r), before)
	}
}
