// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// flaky lists refs only after some failures, of which each shows a part.
type flaky struct {
	Refs
	failures int
	err      error
}

func (f *flaky) ListRefs(ctx context.Context, prefixes []string, visit func(string, change.Revision) error) error {
	if f.failures > 0 {
		f.failures--
		visit("refs/heads/no-more", rev(1))
		return f.err
	}
	return f.Refs.ListRefs(ctx, prefixes, visit)
}

// TestRefsAreListedAgain holds both listings to their patience, and to forget
// what a failed one had shown.
func TestRefsAreListedAgain(t *testing.T) {
	t.Parallel()
	passing := fault.New(fault.Transient, "502")
	tests := []struct {
		name     string
		failures int
		err      error
		want     []string
		waited   time.Duration
	}{
		{"twice", 2, passing, []string{"mirror master: done: new branch"}, 20 * time.Second},
		{"always", 3, passing, []string{"problem: 502", "problem: 502"}, 20 * time.Second},
		{"for good", 1, fault.New(fault.Configuration, "404"), []string{"problem: 404", "problem: 404"}, 0},
		{"too busy for this pass", 1, fault.New(fault.Transient, "429").WithRetryAfter(time.Hour), []string{"problem: 429", "problem: 429"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(0)
			slept := &sleeper{}
			pass := Pass{Project: w.project, Now: func() time.Time { return w.now }, Sleep: slept.sleep,
				Doors: Doors{Reviews: w, Groups: w, Source: &flaky{source{w}, tt.failures, tt.err}, Mirror: &flaky{mirror{w}, tt.failures, tt.err},
					Mover: w, Workflows: w, Runs: w, Starter: w}}
			r := pass.Run(t.Context())
			expect(t, "result", told(r), tt.want)
			if slept.total != tt.waited {
				t.Errorf("waited %v in all, want %v", slept.total, tt.waited)
			}
		})
	}
}

// TestStoppedPass says so once, beside what is a failure of its own.
func TestStoppedPass(t *testing.T) {
	t.Parallel()
	w := newWorld(2)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	gone := fmt.Errorf("failed to read a change: %w", context.Canceled)
	f := failing{world: w, change: map[int]error{1: gone, 2: gone}, github: fault.New(fault.Configuration, "token expired")}
	pass := Pass{Project: w.project, Now: func() time.Time { return w.now }, DryRun: true,
		Doors: Doors{Reviews: f, Groups: w, Source: source{w}, Mirror: mirror{w}, Workflows: f, Runs: w}}
	r := pass.Run(ctx)
	var problems []string
	for _, err := range r.Problems {
		problems = append(problems, err.Error())
	}
	expect(t, "problems", problems, []string{"token expired", "the pass was told to stop before it was done"})
}

// sleeper counts the time that is waited; both listings run at once.
type sleeper struct {
	mu    sync.Mutex
	total time.Duration
}

func (s *sleeper) sleep(_ context.Context, d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += d
	return nil
}
