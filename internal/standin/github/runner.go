// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"sync"
)

// RunWith has execute carry out every run that is started from now on, reruns
// included: those of one workflow one after another in the order of their start,
// those of different ones at once. It tells of its work through Progress; its
// context ends when the run is cancelled or ctx ends. What RunWith returns waits
// until all that were started have ended. It takes the place of OnRun.
func (s *Server) RunWith(ctx context.Context, execute func(context.Context, Run)) (idle func()) {
	var all sync.WaitGroup
	last := map[string]chan struct{}{} // closed when a workflow's latest run has ended
	s.OnRun(func(run Run) {
		ctx, cancel := context.WithCancel(ctx)
		ended, of := make(chan struct{}), run.Repository+" "+run.Workflow
		s.mu.Lock()
		before := last[of]
		last[of], s.stops[attempt{run.ID, run.Attempt}] = ended, cancel
		s.mu.Unlock()
		all.Go(func() {
			defer close(ended)
			defer cancel()
			if before != nil {
				<-before
			}
			if ctx.Err() == nil {
				execute(ctx, run)
			}
		})
	})
	return all.Wait
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
	s.remember(r)
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
