// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// logs are what steps ran and printed, alike in all jobs.
type logs struct {
	*world
	ran   string
	tail  []string
	told  change.LogReport
	notes []change.Annotation
	reads int
	// noNotes and noLog are why neither can be read.
	noNotes, noLog error
}

func (l *logs) Annotations(context.Context, string, change.Job) ([]change.Annotation, error) {
	return l.notes, l.noNotes
}

func (l *logs) JobLog(context.Context, string, change.Job, int) (change.JobLog, error) {
	l.reads++
	return change.JobLog{Run: l.ran, Tail: l.tail, Told: l.told}, l.noLog
}

// TestManyJobsFailAlike: a mirror of packages is down, or a codecov server, and all
// jobs of a matrix fail at it. None of them failed a test.
func TestManyJobsFailAlike(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		step, ran, exit string
		want            int
	}{
		{"Install dependencies", "Run sudo apt-get update && sudo apt-get install -y gcc", "Process completed with exit code 100.", 0},
		{"Upload coverage", "Run codecov/codecov-action@v5", "Codecov: Failed to properly upload report", 0},
		{"Run make test", "Run make test", "Process completed with exit code 2.", -1},
	} {
		for _, n := range []int{1, 8, 9, 60, 256} {
			var jobs []change.Job
			for i := range n {
				j := job(fmt.Sprintf("unit (%d)", i), "failure")
				j.ID, j.Steps[1].Name = int64(i+1), tt.step
				jobs = append(jobs, j)
			}
			w := newWorld(jobs...).end("failure", 1)
			l := &logs{world: w, ran: tt.ran, tail: []string{"##[error]" + tt.exit}, notes: []change.Annotation{{Level: "failure", Path: ".github", Text: tt.exit}}}
			with := w.with
			w.with = func(r *Reporter, q *Request) { with(r, q); r.Details = l }
			done, err := w.ask(t)
			if err != nil || done.Vote != tt.want {
				t.Errorf("%d jobs fail in %q: got the vote %d (%s), %v, want %d; %d logs read", n, tt.step, done.Vote, done.Outcome, err, tt.want, l.reads)
			}
		}
	}
}

// TestDetailsAreAway: where GitHub answers for jobs and not for what they say, the
// test of a runner that went away looks like one that failed.
func TestDetailsAreAway(t *testing.T) {
	t.Parallel()
	away, denied := fault.New(fault.Transient, "502"), fault.New(fault.Configuration, "403")
	for _, tt := range []struct {
		name           string
		notes, log     error
		inside, silent bool
		want           int
	}{
		{"neither is read, in the last job", away, away, true, true, 0},
		{"neither is read, in a pass", away, away, false, false, 0},
		{"we may not see either", denied, denied, false, false, -1},
		{"we may not see the one, the other is away", denied, away, false, false, -1},
		{"no log for now", nil, away, false, false, -1},
	} {
		w := newWorld(job("unit", "failure"), change.Job{ID: 9, Name: "report", Status: "in_progress"})
		if !tt.inside {
			w = newWorld(job("unit", "failure")).end("failure", 1)
		}
		l, with := &logs{world: w, noNotes: tt.notes, noLog: tt.log}, w.with
		w.with = func(r *Reporter, q *Request) {
			if with != nil {
				with(r, q)
			}
			r.Details = l
		}
		done, err := w.ask(t)
		if err != nil || done.Vote != tt.want || (done.Silent != "") != tt.silent {
			t.Errorf("%s: got %+v, %v, want the vote %d", tt.name, done, err, tt.want)
		}
	}
}
