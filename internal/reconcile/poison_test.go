// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// TestPoisonIsRemembered holds already the pass that seeds the mirror to note
// what it refuses: the branch that it has just brought is there to point at.
func TestPoisonIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.push = func(item relay.Item) error {
		if item.ID == (change.ID{Change: 1, Patchset: 1}) && !item.OnMirror {
			return fault.New(fault.Permanent, "over 100 MB")
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	expect(t, "first pass", told(r), []string{
		"mirror master: done: new branch",
		"relay 1/1: failed: over 100 MB",
		"dispatch 1/1/autorun.yml/1: waiting: its patchset is not on the mirror",
	})
	expect(t, "ledger", w.ledger(), []string{"poisoned/1/1/" + string(w.changes[1].Current.Revision)})
	r, _ = w.run(t, 0, false)
	expect(t, "second pass", told(r), []string{"skip 1/1: skipped: the mirror refuses this patchset for good: upload another one, or delete the mirror's " +
		"refs/dispatcher/poisoned/1/1/00000000000000000000000000000000000003e9 to have it tried again"})
	w.upload(1, 2)
	calm(t, w)
	once(t, w)
}

// TestNotesThatFailAreToldOnce names the first of the refs that one failure
// kept from being written.
func TestNotesThatFailAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	w.push = func(item relay.Item) error {
		if len(item.Updates) == 1 && strings.Contains(item.Updates[0].Ref, "/runs/") {
			return fault.New(fault.Transient, "the connection broke")
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	var problems []string
	for _, err := range r.Problems {
		problems = append(problems, err.Error())
	}
	expect(t, "problems", problems, []string{"failed to write refs/dispatcher/runs/1/1/autorun.yml/1/1: the connection broke"})
	w.push = nil
	calm(t, w)
	once(t, w)
}

// TestNotesOfAnotherPass are as good as one's own.
func TestNotesOfAnotherPass(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	note := w.project.Mirror.Ledger.Ref(change.Entry{Kind: change.RunOf, RunID: 1,
		Key: change.Key{ID: change.ID{Change: 1, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}})
	w.answer = func(change.Call) (change.Outcome, change.Run, error) {
		w.refs[note] = rev(1001)
		return change.Accepted, change.Run{}, nil
	}
	r, _ := w.run(t, 0, false)
	if len(r.Errs()) > 0 {
		t.Errorf("got %v, want no failure", r.Errs())
	}
	once(t, w)
}
