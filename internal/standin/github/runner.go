// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"sync"
)

// RunWith has execute carry out every run that is started from now on, reruns
// included, one after another in the order of their start. It tells of its work
// through Progress; its context ends when the run is cancelled or ctx ends. What
// RunWith returns waits until all that were started have ended. It takes the
// place of OnRun.
func (s *Server) RunWith(ctx context.Context, execute func(context.Context, Run)) (idle func()) {
	var mu sync.Mutex
	last := make(chan struct{}) // closed when the run that was started last has ended
	close(last)
	s.OnRun(func(run Run) {
		mu.Lock()
		before, ended := last, make(chan struct{})
		last = ended
		mu.Unlock()
		ctx, cancel := context.WithCancel(ctx)
		s.mu.Lock()
		s.stops[attempt{run.ID, run.Attempt}] = cancel
		s.mu.Unlock()
		go func() {
			defer close(ended)
			defer cancel()
			<-before
			if ctx.Err() == nil {
				execute(ctx, run)
			}
		}()
	})
	return func() {
		mu.Lock()
		end := last
		mu.Unlock()
		<-end
	}
}

// Progress replaces the jobs of a run's attempt as SetJobs does. The run stays in
// progress until it is said to have ended, although all jobs that are known have.
// It does nothing once the attempt is over, by a cancel for instance.
func (s *Server) Progress(run Run, ended bool, jobs ...Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runByID(run.ID)
	if r == nil || r.Attempt != run.Attempt || r.Status == "completed" {
		return
	}
	s.replaceJobs(r, jobs)
	s.settle(r)
	if !ended {
		r.Status, r.Conclusion = "in_progress", ""
	}
}

// stop ends the work of whoever executes a run's present attempt.
func (s *Server) stop(run *Run) {
	if stop := s.stops[attempt{run.ID, run.Attempt}]; stop != nil {
		stop()
	}
}
