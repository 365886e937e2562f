// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// logs are what steps ran and printed, alike in all jobs.
type logs struct {
	*world
	ran   string
	tail  []string
	notes []change.Annotation
	reads int
}

func (l *logs) Annotations(context.Context, string, change.Job) ([]change.Annotation, error) {
	return l.notes, nil
}

func (l *logs) LogTail(context.Context, string, change.Job, int) (string, []string, error) {
	l.reads++
	return l.ran, l.tail, nil
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
