// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"path"
	"strconv"
	"time"
)

// Run is a workflow run.
type Run struct {
	ID         int64
	Number     int // counts the runs of a repository
	Repository string
	// Workflow is the file's base name.
	Workflow string
	// Name is the workflow's own name; Title is what its run-name became.
	Name, Title string
	// Event is workflow_dispatch or repository_dispatch, EventType the latter's type.
	Event, EventType string
	// Branch and Head are what the workflow file was read from.
	Branch, Head string
	// Status and Conclusion are GitHub's words; a new run is queued.
	Status, Conclusion string
	Actor              string
	Inputs             map[string]string
	Payload            map[string]any
	Created, Updated   time.Time
	// Attempt counts from 1; Started is when the present one began.
	Attempt int
	Started time.Time
}

// firstRun is larger than 32 bits, as GitHub's ids are.
const firstRun = 9_000_000_001

// newRun makes a run that is not on the list yet.
func (s *Server) newRun(c call, w *workflow, event, commit string) *Run {
	number := 1
	for _, run := range s.runs {
		if run.Repository == c.repo.name {
			number++
		}
	}
	access, _, _ := s.identify(c.r)
	return &Run{
		Number: number, Repository: c.repo.name, Workflow: path.Base(w.path), Name: w.name, Event: event,
		Head: commit, Status: "queued", Actor: access.User, Created: s.now(), Updated: s.now(),
		Attempt: 1, Started: s.now(),
	}
}

// start puts a run on the list and lets it be told to the listener.
func (s *Server) start(run *Run) {
	s.list(run)
	s.fresh = append(s.fresh, run)
}

// list gives a run its id and puts it on the list.
func (s *Server) list(run *Run) {
	run.ID = firstRun + s.runCount
	s.runCount++
	s.rememberNone(run)
	s.runs = append(s.runs, run)
}

// AddRun puts a run on the list that nobody dispatched, and returns its id.
// Repository must exist; what else is empty is filled in.
func (s *Server) AddRun(run Run) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &run
	if r.Event == "" {
		r.Event = "workflow_dispatch"
	}
	if r.Status == "" {
		r.Status = "queued"
	}
	if r.Created.IsZero() {
		r.Created = s.now()
	}
	if r.Updated.IsZero() {
		r.Updated = r.Created
	}
	if r.Started.IsZero() {
		r.Started = r.Created
	}
	r.Attempt = max(r.Attempt, 1)
	s.list(r)
	return r.ID
}

// Runs returns all runs of all repositories, oldest first, those included that
// lists do not show yet.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyRuns(s.runs)
}

func copyRuns(runs []*Run) []Run {
	var list []Run
	for _, run := range runs {
		c := *run
		c.Inputs, c.Payload = maps.Clone(run.Inputs), maps.Clone(run.Payload)
		list = append(list, c)
	}
	return list
}

// OnRun sets a function that is told about each run after it was started, by a
// dispatch or by a rerun, and before the call that started it is answered. It
// may use the server.
func (s *Server) OnRun(hook func(Run)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRun = hook
}

// SetRunState moves a run on: to in_progress, say, or to completed with a
// conclusion.
func (s *Server) SetRunState(id int64, status, conclusion string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if run := s.runByID(id); run != nil {
		s.remember(run)
		run.Status, run.Conclusion, run.Updated = status, conclusion, s.now()
	}
}

// runByID returns a run that must exist.
func (s *Server) runByID(id int64) *Run {
	for _, run := range s.runs {
		if run.ID == id {
			return run
		}
	}
	s.o.Fail(fmt.Errorf("there is no run %d", id))
	return nil
}

// findRun returns the run of a request's path, or answers 404.
func (s *Server) findRun(c call) *Run {
	id, _ := strconv.ParseInt(c.r.PathValue("run"), 10, 64)
	for _, run := range s.runs {
		if run.ID == id && run.Repository == c.repo.name {
			return run
		}
	}
	fail(c.w, http.StatusNotFound, "Not Found")
	return nil
}

func (s *Server) getRun(c call) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	v := s.seen(run, s.lag.Run)
	if v.run == nil {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	reply(c.w, http.StatusOK, s.runInfo(c.repo, v.run))
}

// getAttempt serves GET .../actions/runs/ID/attempts/N: the run as it ended then
// (REST reference, "Get a workflow run attempt").
func (s *Server) getAttempt(c call) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	number, _ := strconv.Atoi(c.r.PathValue("attempt"))
	shown, there := s.ended[attempt{run.ID, number}]
	if number == run.Attempt {
		shown, there = *run, true
	}
	if !there {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	reply(c.w, http.StatusOK, s.runInfo(c.repo, &shown))
}

// workflowID makes a stable number of a workflow's name.
func workflowID(file string) int64 {
	h := fnv.New32a()
	h.Write([]byte(file))
	return int64(h.Sum32())
}
