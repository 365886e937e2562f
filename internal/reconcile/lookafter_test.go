// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// telling is a world of several changes whose runs have ended; what is told of them
// is set by change.
type telling struct {
	*talking
	told   map[int]Told
	errs   map[int]error
	calls  []string
	hidden map[int]bool
	hide   error
	self   error
	selves int
}

func newTelling(t *testing.T, n int) *telling {
	t.Helper()
	w := &telling{talking: &talking{world: newWorld(n)}, told: map[int]Told{}, errs: map[int]error{}}
	w.project.Gerrit.Username = "ci"
	w.project.Report = config.Report{Label: "Verified", After: time.Minute, Commands: config.Commands{Off: true}}
	w.project.Prune.Keep = 0
	w.tick(t)
	for i := range w.runs {
		w.runs[i].Status, w.runs[i].Conclusion, w.runs[i].Updated = "completed", "success", w.now
	}
	w.now = w.now.Add(time.Hour)
	return w
}

// tick makes a pass with all doors.
func (w *telling) tick(t *testing.T) Result {
	t.Helper()
	doors := w.doors()
	doors.Reviews = w
	doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk, doors.Issues, doors.Rerunner = w, w, w, w, w, w
	r, _ := w.through(t, doors, 0, false)
	return r
}

func (w *telling) tell(verb string, n int) (Told, error) {
	w.calls = append(w.calls, verb)
	return w.told[n], w.errs[n]
}

func (w *telling) Report(_ context.Context, _ *config.Project, a plan.Action) (Told, error) {
	return w.tell("report", a.Key.Change)
}

func (w *telling) Judge(_ context.Context, _ *config.Project, a plan.Action) (verdict.Outcome, error) {
	told, err := w.tell("judge", a.Key.Change)
	return told.Outcome, err
}

func (w *telling) Vote(_ context.Context, _ *config.Project, a plan.Action) (Told, error) {
	return w.tell("vote", a.Key.Change)
}

func (w *telling) Hidden(context.Context, *config.Project, []int) (map[int]bool, error) {
	return w.hidden, w.hide
}

func (w *telling) Self(ctx context.Context) (change.Account, error) {
	w.selves++
	if w.self != nil {
		return change.Account{}, w.self
	}
	return w.talking.Self(ctx)
}

// noted are the ends in the ledger, without their times.
func (w *telling) noted() (ends []string) {
	for _, name := range w.ledger() {
		if tail, ok := strings.CutPrefix(name, "ended/"); ok {
			ends = append(ends, tail[:strings.LastIndexByte(tail, '/')])
		}
	}
	return ends
}

var refusedVote = fault.New(fault.Configuration, "the label Verified: restricted").WithHint("give the right")

// TestReports holds what becomes of a report: its end is noted, unless the run has
// none, and a refused vote is a problem of the pass, once.
func TestReports(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 4)
	w.told[1] = Told{Outcome: verdict.Passed, Note: "passed: voted Verified+1"}
	w.told[2] = Told{Outcome: verdict.Failed, Note: "failed: posted, but Gerrit did not take the vote", Refused: refusedVote}
	w.told[3] = Told{Outcome: verdict.Running, Note: "running: nothing was posted: jobs go on"}
	w.errs[4] = fault.New(fault.Transient, "502")
	r := w.tick(t)
	expect(t, "result", told(r), []string{
		"report 1/1/autorun.yml/1: done: passed: voted Verified+1",
		"report 2/1/autorun.yml/1: done: failed: posted, but Gerrit did not take the vote",
		"report 3/1/autorun.yml/1: done: running: nothing was posted: jobs go on",
		"report 4/1/autorun.yml/1: failed: 502",
		"problem: Gerrit did not take a vote, which is set once it does: the label Verified: restricted",
	})
	expect(t, "ends", w.noted(), []string{"1/1/autorun.yml/1/passed", "2/1/autorun.yml/1/failed"})
	if !r.Configuration() {
		t.Error("got no configuration failure, want the missing right to count")
	}
	for _, l := range r.Lines {
		if key, _ := l.Run.Key(); key != l.Key {
			t.Errorf("got run %+v on the line of %s", l.Run, l.Key)
		}
	}
}

// TestVotes sets what is owed. What Gerrit refuses once in a pass is not tried for
// the others, and each waits without a failure of its own.
func TestVotes(t *testing.T) {
	t.Parallel()
	owing := func(t *testing.T) *telling {
		w := newTelling(t, 3)
		for n := 1; n <= 3; n++ {
			w.told[n] = Told{Outcome: verdict.Passed, Note: "passed: voted Verified+1"}
		}
		w.tick(t)
		w.calls = nil
		for n := 1; n <= 3; n++ { // nobody has told the results
			c := w.changes[n]
			c.Messages = []change.Message{{ID: "u", Patchset: 1, Text: "Uploaded patch set 1."}}
			w.changes[n] = c
		}
		return w
	}
	const untold = "its result was not told yet"
	tests := []struct {
		name  string
		edit  func(*telling)
		want  []string
		calls int
	}{
		{"taken", func(*telling) {}, []string{
			"vote 1/1/autorun.yml/1: done: passed: voted Verified+1", "vote 2/1/autorun.yml/1: done: passed: voted Verified+1", "vote 3/1/autorun.yml/1: done: passed: voted Verified+1"}, 3},
		{"refused", func(w *telling) { w.told[2] = Told{Refused: refusedVote} }, []string{
			"vote 1/1/autorun.yml/1: done: passed: voted Verified+1", "vote 2/1/autorun.yml/1: waiting: " + untold,
			"vote 3/1/autorun.yml/1: waiting: " + untold + ": not tried, another one was refused just now",
			"problem: Gerrit did not take a vote, which is set once it does: the label Verified: restricted"}, 2},
		{"one fails", func(w *telling) { w.errs[2] = fault.New(fault.Transient, "502") }, []string{
			"vote 1/1/autorun.yml/1: done: passed: voted Verified+1", "vote 2/1/autorun.yml/1: failed: 502", "vote 3/1/autorun.yml/1: done: passed: voted Verified+1"}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := owing(t)
			tt.edit(w)
			expect(t, "result", told(w.tick(t)), tt.want)
			if len(w.calls) != tt.calls {
				t.Errorf("got calls %q, want %d", w.calls, tt.calls)
			}
			if got := len(w.noted()); got != 3 {
				t.Errorf("got %d ends, want the three that there were", got)
			}
		})
	}
}

// TestJudged: a run that nobody waits for is read, and its end noted without a word.
func TestJudged(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 2)
	for n := range w.changes {
		c := w.changes[n]
		c.WIP = true
		w.changes[n] = c
	}
	w.project.Skip.WIP = true
	w.told[1], w.errs[2] = Told{Outcome: verdict.Passed}, fault.New(fault.Transient, "502")
	r := w.tick(t)
	expect(t, "result", told(r)[:2], []string{
		"judge 1/1/autorun.yml/1: done: passed: the change is work in progress now",
		"judge 2/1/autorun.yml/1: failed: 502",
	})
	expect(t, "ends", w.noted(), []string{"1/1/autorun.yml/1/passed"})
	expect(t, "calls", w.calls, []string{"judge", "judge"})
}

// TestStoppedBeforeItTells: a pass that was told to stop begins no report.
func TestStoppedBeforeItTells(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 2)
	ctx, stop := context.WithCancel(t.Context())
	w.told[1] = Told{Outcome: verdict.Passed, Note: "passed"}
	stopping := &stopper{w, stop}
	doors := w.doors()
	doors.Reviews, doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk = w, w, w, stopping, w
	pass := Pass{Project: w.project, Doors: doors, Now: func() time.Time { return w.now }}
	expect(t, "result", told(pass.Run(ctx)), []string{
		"report 1/1/autorun.yml/1: done: passed", "report 2/1/autorun.yml/1: waiting: the pass was told to stop"})
	expect(t, "ends", w.noted(), []string{"1/1/autorun.yml/1/passed"})
}

// stopper stops the pass with its first report.
type stopper struct {
	*telling
	stop func()
}

func (s *stopper) Report(ctx context.Context, p *config.Project, a plan.Action) (Told, error) {
	s.stop()
	return s.telling.Report(ctx, p, a)
}

// TestHiddenChanges: only of changes that Gerrit says are hidden the runs are
// cancelled; what it could not say is a problem, and nothing is done.
func TestHiddenChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		hidden map[int]bool
		err    error
		want   []string
	}{
		{"both", map[int]bool{1: true, 2: true}, nil, []string{"cancel 1/1/autorun.yml/1: done: the change is hidden from our account, or deleted", "cancel 2/1/autorun.yml/1: done: the change is hidden from our account, or deleted"}},
		{"one", map[int]bool{2: true}, nil, []string{"cancel 2/1/autorun.yml/1: done: the change is hidden from our account, or deleted"}},
		{"none", map[int]bool{}, nil, nil},
		{"not known", nil, errors.New("502"), []string{"problem: failed to look for hidden changes; their runs go on: 502"}},
		{"one is known", map[int]bool{1: true}, errors.New("502"), []string{"cancel 1/1/autorun.yml/1: done: the change is hidden from our account, or deleted",
			"problem: failed to look for hidden changes; their runs go on: 502"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTelling(t, 2)
			for i := range w.runs {
				w.runs[i].Status, w.runs[i].Conclusion = "in_progress", ""
			}
			w.changes = map[int]change.Change{} // neither open nor closed
			w.hidden, w.hide = tt.hidden, tt.err
			expect(t, "result", told(w.tick(t)), tt.want)
		})
	}
}

// TestOurOwnAccount: where a message looks like ours and its author is spelled in
// another way, Gerrit says who we are, once; if it cannot, nothing is ours.
func TestOurOwnAccount(t *testing.T) {
	t.Parallel()
	r := verdict.Residue{Voted: true, Vote: 1, Runs: []verdict.RunResidue{{Key: change.Key{ID: change.ID{Change: 1, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}, RunID: 1, Attempt: 1, Outcome: verdict.Passed}}}
	for _, tt := range []struct {
		name   string
		author change.Account
		err    error
		want   string
	}{
		{"spelled in another way", change.Account{ID: 9, Username: "CI"}, nil, "end 1/1/autorun.yml/1: done: it was reported"},
		{"somebody else", change.Account{ID: 8, Username: "CI"}, nil, "report 1/1/autorun.yml/1: done: posted"},
		{"not known", change.Account{ID: 9, Username: "CI"}, errors.New("failed to read our account"), "report 1/1/autorun.yml/1: done: posted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newTelling(t, 1)
			c := w.changes[1]
			c.Messages = []change.Message{{ID: "m", Author: tt.author, Patchset: 1, Tag: "autogenerated:dispatcher~report", Text: "Passed.\n\n" + r.String()}}
			w.changes[1] = c
			w.self, w.told[1] = tt.err, Told{Outcome: verdict.Passed, Note: "posted"}
			got := told(w.tick(t))
			if len(got) == 0 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if failed := slices.ContainsFunc(got, func(line string) bool { return line == "problem: failed to read our account" }); failed != (tt.err != nil) {
				t.Errorf("got %q", got)
			}
			if w.selves != 1 {
				t.Errorf("got %d reads of our account, want 1", w.selves)
			}
		})
	}
}

// uncancellable fails all cancels.
type uncancellable struct{ *telling }

func (u uncancellable) Cancel(context.Context, string, int64) error {
	return fault.New(fault.Configuration, "the token lacks Actions: write")
}

// TestCancelThatFails is a failure of its line; the next pass tries again.
func TestCancelThatFails(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 1)
	w.runs[0].Status, w.runs[0].Conclusion = "in_progress", ""
	w.changes, w.hidden = map[int]change.Change{}, map[int]bool{1: true}
	doors := w.doors()
	doors.Reviews, doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk = w, w, uncancellable{w}, w, w
	r, _ := w.through(t, doors, 0, false)
	expect(t, "result", told(r), []string{"cancel 1/1/autorun.yml/1: failed: the token lacks Actions: write"})
	if !r.Configuration() || r.Lines[0].Run.ID != 1 {
		t.Errorf("got %+v, want the run and what to mend", r.Lines[0])
	}
	w.now = w.now.Add(15 * time.Minute)
	if w.tick(t); w.runs[0].Conclusion != "cancelled" {
		t.Errorf("got the run %+v, want it cancelled by the next pass", w.runs[0])
	}
}
