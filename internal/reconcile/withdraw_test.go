// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// newPrivate is a world whose change was made private after its run had failed.
func newPrivate(t *testing.T) *talking {
	t.Helper()
	w := newTalking(t, "Thanks.")
	w.project.Skip.Private = true
	c := w.changes[1]
	c.Private = true
	w.changes[1] = c
	return w
}

// public makes the change public again and reports the attempts of its runs.
func (w *talking) public(t *testing.T) (attempts []int) {
	t.Helper()
	c := w.changes[1]
	c.Private = false
	w.changes[1] = c
	for range 2 {
		w.now = w.now.Add(15 * time.Minute)
		w.pass(t, 0, false)
	}
	for _, r := range w.runs {
		if key, ok := r.Key(); ok {
			attempts = append(attempts, key.Attempt)
		}
	}
	return attempts
}

// content are the refs that hold something of the change.
func (w *talking) content() (names []string) {
	for name, at := range w.refs {
		if at == w.changes[1].Current.Revision {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestWithdrawalsSurviveKills: wherever the pass is killed that takes a change off
// the mirror, nothing of it stays in the end, and no key is used twice.
func TestWithdrawalsSurviveKills(t *testing.T) {
	t.Parallel()
	probe := newPrivate(t)
	probe.pass(t, 0, false)
	for kill := 1; kill <= 2*probe.step; kill++ {
		w := newPrivate(t)
		if _, dead := w.pass(t, (kill+1)/2, kill%2 == 0); !dead {
			t.Fatalf("the pass outlived effect %d", kill)
		}
		w.now = w.now.Add(15 * time.Minute)
		w.pass(t, 0, false)
		if left := w.content(); len(left) > 0 {
			t.Errorf("killed at %d: got %q still there", kill, left)
		}
		if got := w.public(t); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("killed at %d: got attempts %v, want 1 and 2", kill, got)
		}
	}
}

// TestWithdrawalThatCannotBeNoted: as long as the number of attempts cannot be
// written, the refs that tell of them stay.
func TestWithdrawalThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	w.push = func(item relay.Item) error {
		if strings.Contains(item.Updates[0].Ref, "/ended/") {
			return fault.New(fault.Transient, "the connection broke")
		}
		return nil
	}
	r, _ := w.pass(t, 0, false)
	if len(r.Errs()) != 1 {
		t.Errorf("got failures %v, want one", r.Errs())
	}
	if !slices.Contains(told(r), "prune 1: waiting: what is to be kept could not be written") {
		t.Errorf("got %q, want the change to wait", told(r))
	}
	if !slices.Contains(w.ledger(), "claims/1/1/autorun.yml/1") {
		t.Errorf("got %q, want the claim among it", w.ledger())
	}
	w.push = nil
	w.now = w.now.Add(15 * time.Minute)
	w.pass(t, 0, false)
	if left := w.content(); len(left) > 0 {
		t.Errorf("got %q still there", left)
	}
	if got := w.public(t); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got attempts %v, want 1 and 2", got)
	}
}

// TestWithdrawalNeedsABranch: entries point at the tip of a branch; until the mirror
// has one, all stays.
func TestWithdrawalNeedsABranch(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	delete(w.refs, "refs/heads/master")
	r, _ := w.pass(t, 0, false)
	if want := "prune 1: waiting: the mirror has no branch yet to note its attempts at"; !slices.Contains(told(r), want) || len(w.content()) == 0 {
		t.Errorf("got %q and %q, want %q", told(r), w.content(), want)
	}
	w.now = w.now.Add(15 * time.Minute)
	w.pass(t, 0, false)
	if got := w.public(t); len(w.content()) == 0 || !slices.Equal(got, []int{1, 2}) {
		t.Errorf("got attempts %v, want 1 and 2", got)
	}
}

// undeletable fails all deletions.
type undeletable struct{ *world }

func (u undeletable) Delete(_ context.Context, updates []relay.Update) (results []relay.UpdateResult) {
	for _, up := range updates {
		results = append(results, relay.UpdateResult{Update: up, Err: fault.New(fault.Transient, "the connection broke")})
	}
	return results
}

// TestRefsThatCannotBeDeleted: what was to go by itself fails its line, all else is
// a problem of the pass.
func TestRefsThatCannotBeDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.run(t, 0, false)
	c := w.changes[1]
	c.Status, c.Updated = change.Abandoned, w.now
	w.changes[1] = c
	w.now = w.now.Add(25 * time.Hour)
	doors := w.doors()
	doors.Mover = undeletable{w}
	r, _ := w.through(t, doors, 0, false)
	expect(t, "pruned", told(r), []string{"prune 1: failed: the connection broke"})

	w = newWorld(1)
	w.refuse = func(ref string) bool { return strings.HasPrefix(ref, "refs/changes/") }
	doors = w.doors()
	doors.Mover = undeletable{w}
	r, _ = w.through(t, doors, 0, false)
	if got := told(r); !slices.Contains(got, "problem: failed to delete refs/dispatcher/claims/1/1/autorun.yml/1: the connection broke") {
		t.Errorf("got %q, want the claim that could not be given back", got)
	}
}
