// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestPace keeps the time between calls that is asked for, however long a call
// takes by itself, and waits neither before the first nor after the last.
func TestPace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		pace, call time.Duration
		want       []time.Duration // of each call, since the pass began
		ends       time.Duration
	}{
		{"no pace", 0, 0, []time.Duration{0, 0, 0}, 0},
		{"calls take no time", 20 * time.Second, 0, []time.Duration{0, 20 * time.Second, 40 * time.Second}, 40 * time.Second},
		{"a call takes a part of it", 20 * time.Second, 5 * time.Second, []time.Duration{0, 20 * time.Second, 40 * time.Second}, 45 * time.Second},
		{"a call takes longer", 20 * time.Second, 30 * time.Second, []time.Duration{0, 30 * time.Second, time.Minute}, 90 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			w.project.Limits.Pace = tt.pace
			start := w.now
			var calls []time.Duration
			w.answer = func(change.Call) (change.Outcome, change.Run, error) {
				calls = append(calls, w.now.Sub(start))
				w.now = w.now.Add(tt.call)
				return change.Accepted, change.Run{}, nil
			}
			w.run(t, 0, false)
			if diff := cmp.Diff(tt.want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got := w.now.Sub(start); got != tt.ends {
				t.Errorf("the pass took %s, want %s", got, tt.ends)
			}
		})
	}
}

// TestStoppedWhileItWaits: a pass that is told to stop between two calls gives the
// claim back that it has not used.
func TestStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	w.project.Limits.Pace = 20 * time.Second
	ctx, stop := context.WithCancel(t.Context())
	pass := Pass{Project: w.project, Doors: w.doors(), Now: func() time.Time { return w.now },
		Sleep: func(ctx context.Context, _ time.Duration) error { stop(); return ctx.Err() }}
	r := pass.Run(ctx)
	expect(t, "result", told(r)[3:], []string{
		"dispatch 1/1/autorun.yml/1: done: new patchset",
		"dispatch 2/1/autorun.yml/1: waiting: the pass was told to stop",
	})
	expect(t, "ledger", w.ledger(), []string{"claims/1/1/autorun.yml/1", "runs/1/1/autorun.yml/1/1"})
	calm(t, w)
	once(t, w)
}

// TestDoubledRuns: of two runs with one key the older one is the run, in whatever
// order GitHub lists them. The workflow's own guard has ended the other at once
// (docs/workflows.md), so it would tell nothing.
func TestDoubledRuns(t *testing.T) {
	t.Parallel()
	for _, newestFirst := range []bool{true, false} {
		w := newWorld(1)
		if _, dead := w.run(t, 4, true); !dead || len(w.runs) != 1 {
			t.Fatalf("got %d runs of a pass that was to be killed by its call", len(w.runs))
		}
		twin := w.runs[0]
		twin.ID = 2
		if w.runs = append(w.runs, twin); newestFirst {
			slices.Reverse(w.runs)
		}
		w.now = w.now.Add(time.Minute)
		r, _ := w.run(t, 0, false)
		expect(t, "result", told(r), []string{"record 1/1/autorun.yml/1: done: its run was found by its key"})
		expect(t, "ledger", w.ledger(), []string{"claims/1/1/autorun.yml/1", "runs/1/1/autorun.yml/1/1"})
	}
}

// refusing answers each call for failed jobs to run again in the same way.
type refusing struct {
	*talking
	outcome change.Outcome
	err     error
	calls   int
}

func (r *refusing) Rerun(context.Context, string, int64) (change.Outcome, error) {
	r.calls++
	return r.outcome, r.err
}

// TestRefusedRerun: only where GitHub will never repeat a run, a new one is started
// in its place. A limit, a missing right and a lost answer start none: they would
// hit the new run as well, or the failed jobs run already.
func TestRefusedRerun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		outcome change.Outcome
		err     error
		runs    int // in all; one was there
		state   State
		claimed bool
	}{
		{"for good", change.Refused, fault.New(fault.Permanent, "this run is too old"), 2, Done, true},
		{"a limit", change.Refused, fault.New(fault.Transient, "rate limit"), 1, Failed, false},
		{"no right", change.Refused, fault.New(fault.Configuration, "the token lacks Actions: write"), 1, Failed, false},
		{"no reason", change.Refused, errors.New("422"), 1, Failed, false},
		{"a lost answer", change.Unsettled, fault.New(fault.Permanent, "connection reset"), 1, InDoubt, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &refusing{talking: newTalking(t, "recheck failed"), outcome: tt.outcome, err: tt.err}
			doors := w.doors()
			doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk, doors.Issues, doors.Rerunner = w, w, w, w, w, w
			r, _ := w.through(t, doors, 0, false)
			if w.calls != 1 || len(w.runs) != tt.runs {
				t.Errorf("got %d calls and %d runs, want 1 and %d", w.calls, len(w.runs), tt.runs)
			}
			if l := r.Lines[len(r.Lines)-1]; l.Verb != "dispatch" || l.State != tt.state {
				t.Errorf("got %s: %s, want dispatch: %s", l.Verb, l.State, tt.state)
			}
			if got := slices.Contains(w.ledger(), "claims/1/1/autorun.yml/2"); got != tt.claimed {
				t.Errorf("claimed: got %v, want %v", got, tt.claimed)
			}
		})
	}
}
