// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// told prints a result, one line each, as the tests compare it.
func told(r Result) []string {
	var lines []string
	for _, l := range r.Lines {
		what := l.Branch
		switch {
		case l.Key.Attempt > 0:
			what = l.Key.String()
		case l.Change != nil:
			what = l.Change.ID().String()
		case l.Number != 0:
			what = fmt.Sprint(l.Number)
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s: %s", l.Verb, what, l.State, l.Text()))
	}
	for _, err := range r.Problems {
		lines = append(lines, "problem: "+err.Error())
	}
	return lines
}

// ledger lists the mirror's ledger refs, without their common prefix.
func (w *world) ledger() []string {
	var names []string
	for name := range w.refs {
		if tail, ok := strings.CutPrefix(name, string(w.project.Mirror.Ledger)); ok && !strings.HasPrefix(tail, string(change.Placed)+"/") {
			names = append(names, tail)
		}
	}
	slices.Sort(names)
	return names
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestFirstPassAndIdlePass(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	r, _ := w.run(t, 0, false)
	expect(t, "first pass", told(r), []string{
		"mirror master: done: new branch",
		"relay 1/1: done: new patchset",
		"dispatch 1/1/autorun.yml/1: done: new patchset",
	})
	expect(t, "ledger", w.ledger(), []string{"claims/1/1/autorun.yml/1", "runs/1/1/autorun.yml/1/1"})
	r, _ = w.run(t, 0, false)
	expect(t, "second pass", told(r), nil)
	if r.Idle[plan.UpToDate] != 1 {
		t.Errorf("got %v idle changes, want 1", r.Idle)
	}
}

// TestAnswersToACall holds what each kind of answer leaves behind.
func TestAnswersToACall(t *testing.T) {
	t.Parallel()
	limit := fault.New(fault.Transient, "rate limit").WithRetryAfter(time.Minute)
	gone := fault.New(fault.Configuration, "no such workflow").WithHint("create it")
	const lost = "the answer was lost, the next pass looks for the run: connection reset"
	tests := []struct {
		name    string
		outcome change.Outcome
		err     error
		first   string // what became of the first call
		second  string // and of the one after it
		calls   int
		ledger  []string
	}{
		{"a limit stops the pass", change.Refused, limit, "failed: rate limit", "waiting: not tried: rate limit", 1, nil},
		{"a bad workflow is not tried twice", change.Refused, gone, "failed: no such workflow", "waiting: not tried: no such workflow", 1, nil},
		{"one patchset's own failure", change.Refused, fault.New(fault.Permanent, "too long"), "failed: too long", "failed: too long", 2, nil},
		{"a lost answer", change.Unsettled, errors.New("connection reset"), "in doubt: " + lost, "in doubt: " + lost, 2,
			[]string{"claims/1/1/autorun.yml/1", "claims/2/1/autorun.yml/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, calls := newWorld(2), 0
			w.answer = func(change.Call) (change.Outcome, change.Run, error) {
				calls++
				return tt.outcome, change.Run{}, tt.err
			}
			r, _ := w.run(t, 0, false)
			expect(t, "result", told(r)[3:], []string{
				"dispatch 1/1/autorun.yml/1: " + tt.first, "dispatch 2/1/autorun.yml/1: " + tt.second})
			expect(t, "ledger", w.ledger(), tt.ledger)
			if calls != tt.calls {
				t.Errorf("got %d calls, want %d", calls, tt.calls)
			}
			w.answer = nil
			calm(t, w)
			once(t, w)
		})
	}
}

// TestServersThatDoNotNameTheRun covers the 204 answer of older servers: the run
// is found by its key, or at least never started twice.
func TestServersThatDoNotNameTheRun(t *testing.T) {
	t.Parallel()
	for _, listed := range []bool{true, false} {
		w := newWorld(1)
		w.visible = func(change.Run) bool { return listed }
		w.nameless = true
		r, _ := w.run(t, 0, false)
		want := "runs/1/1/autorun.yml/1/0"
		if listed {
			want = "runs/1/1/autorun.yml/1/1"
		}
		expect(t, "ledger", w.ledger(), []string{"claims/1/1/autorun.yml/1", want})
		if got := r.Lines[2].Run.ID; (got == 1) != listed {
			t.Errorf("listed %v: got run %d", listed, got)
		}
		calm(t, w)
		once(t, w)
	}
}

func TestARefusedPatchsetHoldsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(3)
	w.run(t, 0, false) // the mirror has a branch by now
	w.upload(2, 2)
	w.upload(3, 2)
	bad := fault.New(fault.Permanent, "fsck: bad tree").WithHint("amend it")
	w.push = func(item relay.Item) error {
		if !item.OnMirror && item.ID == (change.ID{Change: 2, Patchset: 2}) {
			return bad
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	expect(t, "result", told(r), []string{
		"relay 2/2: failed: fsck: bad tree",
		"relay 3/2: done: new patchset",
		"dispatch 3/2/autorun.yml/1: done: new patchset",
		"dispatch 2/2/autorun.yml/1: waiting: its patchset is not on the mirror",
	})
	r, _ = w.run(t, 0, false)
	expect(t, "next pass", told(r), []string{
		"relay 2/2: skipped: still refused; tried again in each pass: fsck: bad tree",
		"dispatch 2/2/autorun.yml/1: waiting: its patchset is not on the mirror",
	})
	w.push = nil
	w.upload(2, 3)
	calm(t, w)
	once(t, w)
}

// TestAClaimWithoutItsPatchsetIsGivenBack covers a push of which only a part
// was taken: the per-ref results decide.
func TestAClaimWithoutItsPatchsetIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.refuse = func(ref string) bool { return strings.HasPrefix(ref, "refs/changes/") }
	r, _ := w.run(t, 0, false)
	expect(t, "result", told(r)[1:], []string{
		"relay 1/1: failed: refs/changes/01/1/1 is refused",
		"dispatch 1/1/autorun.yml/1: waiting: its patchset is not on the mirror",
	})
	expect(t, "ledger", w.ledger(), nil)
	if len(w.runs) != 0 {
		t.Errorf("got %d runs of a patchset that is not there", len(w.runs))
	}
	w.refuse = nil
	calm(t, w)
	once(t, w)
}

func TestBranchesWithForeignCommitsAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.refs["refs/heads/master"] = rev(5)
	w.push = func(item relay.Item) error {
		if item.Known == rev(5) {
			return fault.New(fault.Permanent, "failed to move refs/heads/master: %w", relay.ErrForeign)
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	expect(t, "result", told(r), []string{
		"mirror master: skipped: left alone on the mirror: it holds commits that Gerrit does not have",
		"relay 1/1: done: new patchset",
		"dispatch 1/1/autorun.yml/1: done: new patchset",
	})
	if len(r.Errs()) != 0 {
		t.Errorf("got failures %v, want none", r.Errs())
	}
}

func TestPruneDeletesEverythingOfAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	w.run(t, 0, false)
	c := w.changes[1]
	c.Status, c.Updated = change.Abandoned, w.now
	w.changes[1] = c
	w.now = w.now.Add(23 * time.Hour)
	r, _ := w.run(t, 0, false)
	expect(t, "before the keep time", told(r), nil)
	w.now = w.now.Add(2 * time.Hour)
	r, _ = w.run(t, 0, false)
	expect(t, "after it", told(r), []string{"prune 1: done: abandoned 1 days ago"})
	expect(t, "ledger", w.ledger(), []string{"claims/2/1/autorun.yml/1",
		fmt.Sprintf("pruned/%d", w.now.Unix()), "runs/2/1/autorun.yml/1/2"})
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	pass := Pass{Project: w.project, DryRun: true, Now: func() time.Time { return w.now },
		Doors: Doors{Reviews: w, Groups: w, Source: source{w}, Mirror: mirror{w}, Workflows: w, Runs: w}} // no Mover, no Starter
	r := pass.Run(t.Context())
	expect(t, "plan", told(r), []string{
		"mirror master: planned: new branch",
		"relay 1/1: planned: new patchset",
		"dispatch 1/1/autorun.yml/1: planned: new patchset",
	})
	if len(w.refs)+len(w.runs) != 0 {
		t.Errorf("got %d refs and %d runs, want none", len(w.refs), len(w.runs))
	}
}

// failing wraps a world so that some reads fail.
type failing struct {
	*world
	change map[int]error
	github error
}

func (f failing) Change(ctx context.Context, a change.Address) (change.Change, bool, error) {
	if err := f.change[a.Number]; err != nil {
		return change.Change{}, false, err
	}
	return f.world.Change(ctx, a)
}

func (f failing) WorkflowFile(context.Context, string, string, string) (change.WorkflowFile, error) {
	return change.WorkflowFile{}, f.github
}

func TestWhatCannotBeReadHoldsOnlyItself(t *testing.T) {
	t.Parallel()
	w := newWorld(3)
	delete(w.changes, 3) // it was in the list and is gone when it is read again
	listed := newWorld(3)
	f := failing{world: w, change: map[int]error{2: fault.New(fault.Transient, "failed to read change 2: time-out")}, github: fault.New(fault.Configuration, "token expired")}
	pass := Pass{Project: w.project, Now: func() time.Time { return w.now },
		Doors: Doors{Reviews: listedBy{f, listed}, Groups: w, Source: source{w}, Mirror: mirror{w}, Mover: w, Workflows: f, Runs: w, Starter: w}}
	r := pass.Run(t.Context())
	expect(t, "result", told(r), []string{
		"mirror master: done: new branch",
		"relay 1/1: done: new patchset",
		"wait 1/1/autorun.yml/1: waiting: GitHub could not be asked about runs and workflows",
		"fail 3/1: failed: Gerrit lists it and does not find it when asked for it alone",
		"problem: failed to read change 2: time-out",
		"problem: token expired",
	})
	if r.Idle[plan.Unread] != 1 {
		t.Errorf("got %v, want one change that was not read", r.Idle)
	}
	if !r.Configuration() {
		t.Error("got no configuration failure, want the expired token to count")
	}
}

// listedBy lists one world's changes and reads another's.
type listedBy struct {
	failing
	list *world
}

func (l listedBy) Open(ctx context.Context, p *config.Project) ([]change.Change, error) {
	return l.list.Open(ctx, p)
}

func TestUnknownGroupStopsTheProject(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	w.project.Workflows[0].Trust.Groups = []string{"nobody"}
	r, _ := w.run(t, 0, false)
	expect(t, "result", told(r), []string{"problem: no group nobody"})
	if len(w.refs) != 0 {
		t.Errorf("got refs %v, want nothing done without the gate", w.refs)
	}
}
