// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"slices"
	"time"
)

// Lag is how late parts of the API know what has happened. They were seen to
// contradict each other for seconds to minutes: a run queued whose jobs had ended, no
// jobs of an attempt that had (Team-Commonly/commonly#1281), a job queued that was
// running (qoomon/actions--context#188, #189), searches without runs that were there
// (actions/actions-runner-controller#362). Which is late, and how late, nobody
// promises.
type Lag struct {
	// List is for the list of runs and its filters, Run for a run by its number, Jobs
	// for the lists of jobs.
	List, Run, Jobs time.Duration
}

func (l Lag) most() time.Duration { return max(l.List, l.Run, l.Jobs) }

// SetLag makes the API late from now on. Before the first call nothing is remembered;
// a zero Lag ends it.
func (s *Server) SetLag(l Lag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = l
}

// Rerun is what a person does on the run's page: all jobs run again, or the failed
// ones with those that depend on them.
func (s *Server) Rerun(id int64, failedOnly bool) {
	s.mu.Lock()
	if run := s.runByID(id); run != nil {
		if refusal := s.again(run, failedOnly); refusal != "" {
			s.o.Fail(errorText(refusal))
		}
	}
	s.unlockAndTell()
}

// Cancel is what a person does on the run's page.
func (s *Server) Cancel(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if run := s.runByID(id); run != nil {
		s.end(run, false)
	}
}

// DeleteRun is what a person does on the run's page: nothing is left of it.
// https://docs.github.com/rest/actions/workflow-runs#delete-a-workflow-run
func (s *Server) DeleteRun(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = slices.DeleteFunc(s.runs, func(run *Run) bool { return run.ID == id })
}

type errorText string

func (e errorText) Error() string { return string(e) }

// past is what a run was until some time, with the jobs of its attempts; no run is
// that it was not there.
type past struct {
	until time.Time
	run   *Run
	jobs  map[int][]*Job
}

// remember keeps a run as it is before it changes.
func (s *Server) remember(run *Run) {
	if s.lag.most() <= 0 {
		delete(s.past, run.ID)
		return
	}
	p := s.present(run)
	p.until = s.now()
	state := *run
	p.run = &state
	for number, jobs := range p.jobs {
		p.jobs[number] = make([]*Job, len(jobs))
		for i, j := range jobs {
			job := *j
			p.jobs[number][i] = &job
		}
	}
	s.keep(run, p)
}

// rememberNone keeps that a run is not there before it is.
func (s *Server) rememberNone(run *Run) {
	if s.lag.most() > 0 {
		s.keep(run, past{until: s.now()})
	}
}

func (s *Server) keep(run *Run, p past) {
	old := s.now().Add(-s.lag.most())
	s.past[run.ID] = append(slices.DeleteFunc(s.past[run.ID], func(p past) bool { return !p.until.After(old) }), p)
}

// present is a run as it is.
func (s *Server) present(run *Run) past {
	p := past{run: run, jobs: map[int][]*Job{}}
	for number := 1; number <= run.Attempt; number++ {
		p.jobs[number] = s.jobs[attempt{run.ID, number}]
	}
	return p
}

// seen is a run as a part of the API knows it that is late by some time.
func (s *Server) seen(run *Run, late time.Duration) past {
	at := s.now().Add(-late)
	for _, p := range s.past[run.ID] {
		if late > 0 && p.until.After(at) {
			return p
		}
	}
	return s.present(run)
}
