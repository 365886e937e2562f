// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// refusing makes the mirror refuse a patchset for what it holds.
func (w *world) refusing(id change.ID) {
	w.push = func(item relay.Item) error {
		if item.ID == id && !item.OnMirror {
			return fault.New(fault.Permanent, "over 100 MB")
		}
		return nil
	}
}

// TestRefusalsAreBelievedSlowly: already the pass that seeds the mirror notes what
// it refuses. That is a failure once, then a quiet line, and believed only after an
// hour; then it is tried on a schedule.
func TestRefusalsAreBelievedSlowly(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.refusing(change.ID{Change: 1, Patchset: 1})
	at := w.now
	entry := func(count int, at time.Time) []string {
		return []string{fmt.Sprintf("refused/1/1/%s/large-file/%d/%d", w.changes[1].Current.Revision, count, at.Unix())}
	}
	waiting := "dispatch 1/1/autorun.yml/1: waiting: its patchset is not on the mirror"
	for i, step := range []struct {
		after time.Duration
		want  string
		count int
		at    time.Duration
	}{
		{0, "relay 1/1: failed: over 100 MB", 1, 0},
		{15 * time.Minute, "relay 1/1: skipped: still refused; tried again in each pass: over 100 MB", 1, 0},
		{59 * time.Minute, "relay 1/1: skipped: still refused; tried again in each pass: over 100 MB", 1, 0},
		{time.Hour, "relay 1/1: skipped: still refused; tried again after 2026-11-24 14:00 UTC: over 100 MB", 2, time.Hour},
		{90 * time.Minute, "skip 1/1: skipped: the mirror refuses this patchset: a file is over its size limit (2 times, the last at 2026-11-24 13:00 UTC); tried again after 2026-11-24 14:00 UTC, a new patchset at once", 2, time.Hour},
		{2 * time.Hour, "relay 1/1: skipped: still refused; tried again after 2026-11-24 20:00 UTC: over 100 MB", 3, 2 * time.Hour},
	} {
		w.now = at.Add(step.after)
		r, _ := w.run(t, 0, false)
		got := told(r)
		if i == 0 {
			expect(t, "branch", got[:1], []string{"mirror master: done: new branch"})
			got = got[1:]
		}
		want := []string{step.want, waiting}
		if strings.HasPrefix(step.want, "skip ") {
			want = want[:1]
		}
		expect(t, fmt.Sprint("pass ", i), got, want)
		expect(t, fmt.Sprint("ledger after pass ", i), w.ledger(), entry(step.count, at.Add(step.at)))
		if loud := len(r.Errs()) > 0; loud != (i == 0) {
			t.Errorf("pass %d: got the failures %v, want some in the first pass only", i, r.Errs())
		}
	}
	w.push, w.now = nil, at.Add(8*time.Hour)
	calm(t, w)
	once(t, w)
	if got := w.ledger(); slices.ContainsFunc(got, func(name string) bool { return strings.HasPrefix(name, "refused/") }) {
		t.Errorf("ledger: got %q, want what is over forgotten", got)
	}
}

// TestMirrorThatRefusesEverything proves nothing about a patchset: what would
// remember it is refused as well.
func TestMirrorThatRefusesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.run(t, 0, false)
	w.upload(1, 2)
	w.push = func(relay.Item) error { return fault.New(fault.Permanent, "over 100 MB") }
	for range 3 {
		w.now = w.now.Add(time.Hour)
		r, _ := w.run(t, 0, false)
		if !slices.Contains(told(r), "relay 1/2: failed: over 100 MB") {
			t.Errorf("got %q, want it to be tried and told each time", told(r))
		}
	}
	w.push = nil
	calm(t, w)
	once(t, w)
}

// TestForgedRefusals neither silence a patchset for long nor hold others.
func TestForgedRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	w.run(t, 0, false)
	w.upload(1, 2)
	w.upload(2, 2)
	forge := func(e change.Entry) { w.refs[w.project.Mirror.Ledger.Ref(e)] = rev(900) }
	forge(change.Entry{Kind: change.Unrelayed, ID: change.ID{Change: 1, Patchset: 2}, Revision: w.changes[1].Current.Revision, Word: "x", Count: 9, At: w.now})
	forge(change.Entry{Kind: change.Poisoned, ID: change.ID{Change: 2, Patchset: 2}, Revision: w.changes[2].Current.Revision})
	r, _ := w.run(t, 0, false)
	expect(t, "first pass", told(r), []string{
		"relay 2/2: done: new patchset",
		"dispatch 2/2/autorun.yml/1: done: new patchset",
		"skip 1/2: skipped: the mirror refuses this patchset: in words that are not known (9 times, the last at 2026-11-24 12:00 UTC); tried again after 2026-12-01 12:00 UTC, a new patchset at once",
	})
	w.now = w.now.Add(7 * 24 * time.Hour)
	calm(t, w)
	once(t, w)
}

// TestRefusedBranch is told once with exit status 2, then quietly, and stops nobody.
func TestRefusedBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.run(t, 0, false)
	w.branches["master"] = rev(901)
	w.upload(1, 2)
	w.push = func(item relay.Item) error {
		if item.Updates[0].Ref == "refs/heads/master" {
			return fault.New(fault.Configuration, "protected")
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	expect(t, "first pass", told(r), []string{
		"mirror master: failed: protected",
		"relay 1/2: done: new patchset",
		"dispatch 1/2/autorun.yml/1: done: new patchset",
	})
	if !r.Configuration() {
		t.Error("got no matter of configuration")
	}
	r, _ = w.run(t, 0, false)
	expect(t, "second pass", told(r), []string{
		"skip master: skipped: the mirror refuses to move it: the branch is protected (once, at 2026-11-24 12:00 UTC); tried again after 2026-11-24 13:00 UTC, a new tip after an hour; patchsets bring what they stand on"})
	w.now = w.now.Add(time.Hour)
	r, _ = w.run(t, 0, false)
	expect(t, "an hour later", told(r), []string{"mirror master: skipped: still refused; tried again after 2026-11-24 19:00 UTC: protected"})
	w.push, w.now = nil, w.now.Add(6*time.Hour)
	r, _ = w.run(t, 0, false)
	expect(t, "the protection is gone", told(r), []string{"mirror master: done: moved in Gerrit"})
	calm(t, w)
	once(t, w)
}

// TestRefusalsOfAMirrorWithoutBranches are noted at what patchsets brought along, or
// else at a commit that comes with the branch's note.
func TestRefusalsOfAMirrorWithoutBranches(t *testing.T) {
	t.Parallel()
	protected := "mirror master: failed: protected"
	quiet := "skip master: skipped: the mirror refuses to move it: the branch is protected (once, at 2026-11-24 12:00 UTC); tried again after 2026-11-24 13:00 UTC, a new tip after an hour; patchsets bring what they stand on"
	again := "relay 2/1: skipped: still refused; tried again in each pass: over 100 MB"
	held := "dispatch 2/1/autorun.yml/1: waiting: its patchset is not on the mirror"
	for _, tt := range []struct {
		name    string
		changes []int
		want    []string // of the second pass
	}{
		{"a patchset came, and another did not", []int{1, 2}, []string{again, held, quiet}},
		{"none came", []int{2}, []string{"relay 2/1: failed: over 100 MB", held, quiet}},
		{"there is none", nil, []string{quiet}},
	} {
		w := newWorld(0)
		for _, n := range tt.changes {
			w.upload(n, 1)
			c := w.changes[n]
			c.Current.Parents = []change.Revision{w.branches["master"]}
			w.changes[n] = c
		}
		w.push = func(item relay.Item) error {
			switch {
			case item.Updates[0].Ref == "refs/heads/master":
				return fault.New(fault.Configuration, "protected")
			case item.ID.Change == 2 && !item.OnMirror:
				return fault.New(fault.Permanent, "over 100 MB")
			}
			return nil
		}
		r, _ := w.run(t, 0, false)
		if first := told(r)[0]; first != protected || len(r.Problems) > 0 {
			t.Errorf("%s: got %q and the problems %v", tt.name, first, r.Problems)
		}
		r, _ = w.run(t, 0, false)
		expect(t, tt.name, told(r), tt.want)
	}
}

// TestRefusedBranchOfALongName is told in each pass: no ref can remember it.
func TestRefusedBranchOfALongName(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.run(t, 0, false)
	long := strings.Repeat("x", change.MaxBranch)
	w.branches[long] = rev(901)
	w.push = func(item relay.Item) error {
		if item.Updates[0].Ref == "refs/heads/"+long {
			return fault.New(fault.Configuration, "protected")
		}
		return nil
	}
	for range 2 {
		r, _ := w.run(t, 0, false)
		expect(t, "lines", told(r), []string{"mirror " + long + ": failed: protected"})
		if len(r.Problems) > 0 {
			t.Errorf("got the problems %v, want the line alone", r.Problems)
		}
	}
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

// TestFullChange: that a change takes no more messages is told once with exit
// status 2, then quietly, and holds nothing that is said on others.
func TestFullChange(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 2)
	w.told[2] = Told{Outcome: verdict.Passed, Note: "success: +1"}
	w.errs[1] = fault.New(fault.Configuration, "failed to post: %w", change.ErrFull)
	r := w.tick(t)
	expect(t, "first pass", told(r), []string{
		"report 1/1/autorun.yml/1: failed: failed to post: the change is full",
		"report 2/1/autorun.yml/1: done: success: +1",
	})
	if !r.Configuration() {
		t.Error("got no matter of configuration")
	}
	w.now = w.now.Add(59 * time.Minute)
	r = w.tick(t)
	expect(t, "second pass", told(r), []string{
		"skip 1/1/autorun.yml/1: skipped: Gerrit takes no more messages on this change (once, at 2026-11-24 13:00 UTC); tried again after 2026-11-24 14:00 UTC: it ended without a report"})
	w.now = w.now.Add(time.Minute)
	r = w.tick(t)
	expect(t, "an hour later", told(r), []string{
		"report 1/1/autorun.yml/1: skipped: still refused; tried again after 2026-11-24 20:00 UTC: failed to post: the change is full"})
	w.told[1], w.errs[1] = Told{Outcome: verdict.Passed, Note: "success: +1"}, nil
	w.now = w.now.Add(6 * time.Hour)
	r = w.tick(t)
	expect(t, "the limit was raised", told(r), []string{"report 1/1/autorun.yml/1: done: success: +1"})
	if slices.ContainsFunc(w.ledger(), func(name string) bool { return strings.HasPrefix(name, "full/") }) {
		t.Errorf("ledger: got %q, want what is over forgotten", w.ledger())
	}
}

// TestUnbased: the mover is told which patchsets build on what may not be there.
func TestUnbased(t *testing.T) {
	t.Parallel()
	w := newWorld(4)
	w.run(t, 0, false)
	on := func(number int, parent change.Revision) {
		w.upload(number, 2)
		c := w.changes[number]
		c.Current.Parents = []change.Revision{parent}
		w.changes[number] = c
	}
	on(1, w.branches["master"])
	on(2, rev(1001+1000)) // patchset 2 of change 1, in the same pass
	on(3, rev(1004))      // patchset 1 of change 4, which the mirror has
	w.upload(4, 1)
	w.upload(5, 1)
	on(5, rev(777))
	unbased := map[int]bool{}
	w.push = func(item relay.Item) error {
		if !item.OnMirror {
			unbased[item.ID.Change] = item.Unbased
		}
		return nil
	}
	w.run(t, 0, false)
	if diff := cmp.Diff(map[int]bool{1: false, 2: false, 3: false, 5: true}, unbased); diff != "" {
		t.Errorf("unbased (-want +got):\n%s", diff)
	}
}
