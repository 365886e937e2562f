// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// calm makes passes, a quarter of an hour apart, until one has nothing to do.
func calm(t *testing.T, w *world) {
	t.Helper()
	for range 8 {
		w.now = w.now.Add(15 * time.Minute)
		r, _ := w.run(t, 0, false)
		for _, err := range r.Errs() {
			t.Errorf("a calm pass failed: %v", err)
		}
		if len(r.Lines) == 0 {
			return
		}
	}
	t.Errorf("eight calm passes were not enough")
}

// once checks that every open patchset is on the mirror and has exactly one run.
func once(t *testing.T, w *world) {
	t.Helper()
	runs := map[change.ID]int{}
	for _, r := range w.runs {
		key, ok := r.Key()
		if !ok {
			t.Fatalf("run %q has no key", r.Name)
		}
		runs[key.ID]++
	}
	for n, c := range w.changes {
		if got := w.refs[w.project.Mirror.Namespace.Ref(c.ID())]; got != c.Current.Revision {
			t.Errorf("change %d: the mirror has %q, want %q", n, got, c.Current.Revision)
		}
		if runs[c.ID()] != 1 {
			t.Errorf("patchset %s has %d runs, want 1", c.ID(), runs[c.ID()])
		}
	}
	if w.refs["refs/heads/master"] != w.branches["master"] {
		t.Errorf("master is not where it is in Gerrit")
	}
}

// TestKilledAnywhere kills a pass at each of its effects, before and after,
// and a second one again at each of its own. Whatever was killed, later passes
// must bring every patchset to exactly one run.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	probe := newWorld(5)
	probe.run(t, 0, false)
	steps := probe.step
	if steps < 8 {
		t.Fatalf("got %d effects in a pass, want one a push and one a call", steps)
	}
	for first := 1; first <= 2*steps; first++ {
		for second := 0; second <= 2*steps; second++ {
			w := newWorld(5)
			if _, dead := w.run(t, (first+1)/2, first%2 == 0); !dead {
				t.Fatalf("the pass outlived step %d", first)
			}
			w.now = w.now.Add(11 * time.Minute)
			w.run(t, (second+1)/2, second%2 == 0)
			calm(t, w)
			once(t, w)
			if t.Failed() {
				t.Fatalf("killed at %d, then at %d", first, second)
			}
		}
	}
}

// TestLateRuns holds that a run which shows up late is waited for.
func TestLateRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	start := w.now
	w.visible = func(change.Run) bool { return w.now.Sub(start) > 8*time.Minute }
	if _, dead := w.run(t, 4, true); !dead {
		t.Fatal("the pass outlived its call")
	}
	for range 4 {
		w.now = w.now.Add(3 * time.Minute)
		w.run(t, 0, false)
	}
	once(t, w)
}

// TestTwoDispatchers lets a second dispatcher run a whole pass between any two
// effects of the first.
func TestTwoDispatchers(t *testing.T) {
	t.Parallel()
	probe := newWorld(4)
	probe.run(t, 0, false)
	for at := 1; at <= probe.step; at++ {
		w := newWorld(4)
		w.between(t, at)
		calm(t, w)
		once(t, w)
		if t.Failed() {
			t.Fatalf("with the second pass before step %d", at)
		}
	}
}

// between runs a pass that is interrupted by a whole other one before a step.
func (w *world) between(t *testing.T, at int) {
	t.Helper()
	other := false
	w.push, w.answer = nil, nil
	w.interrupt = func(step int) {
		if step != at || other {
			return
		}
		other = true
		mine := w.step
		w.run(t, 0, false)
		w.step = mine
	}
	w.run(t, 0, false)
	if !other {
		t.Fatalf("the other dispatcher never ran")
	}
}

// TestDispatchersThatAreSlow holds that a claim which was made too long ago is
// given back instead of used: another pass may have counted it as lost.
func TestDispatchersThatAreSlow(t *testing.T) {
	t.Parallel()
	w := newWorld(3)
	w.interrupt = func(step int) {
		if step == 3 { // the last half of the first push
			w.now = w.now.Add(6 * time.Minute)
		}
	}
	r, _ := w.run(t, 0, false)
	if len(w.runs) != 0 {
		t.Errorf("got %d runs from claims older than half the grace time", len(w.runs))
	}
	for ref := range w.refs {
		if strings.Contains(ref, "/claims/") {
			t.Errorf("%s was not given back", ref)
		}
	}
	for _, l := range r.Lines {
		if l.Verb == "dispatch" && (l.State != Waiting || l.Text() != "no time was left in this pass") {
			t.Errorf("got %s %q, want it to wait", l.State, l.Text())
		}
	}
	w.interrupt = nil
	calm(t, w)
	once(t, w)
	if got := fmt.Sprint(w.runs[0].Key()); !strings.Contains(got, "/1 ") {
		t.Errorf("got key %s, want the first attempt: no call was lost", got)
	}
}
