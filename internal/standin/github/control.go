// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"slices"
	"time"
)

// Limits of GitHub's "Re-running workflows and jobs".
const (
	maxRerunAge = 30 * 24 * time.Hour
	maxAttempts = 51 // the first one, and 50 reruns
)

// cancelRun serves POST .../actions/runs/ID/cancel. Jobs with if: always() are
// left to end by themselves, and the run goes on until they did.
func (s *Server) cancelRun(c call) { s.endRun(c, false) }

// forceCancelRun serves POST .../actions/runs/ID/force-cancel.
func (s *Server) forceCancelRun(c call) { s.endRun(c, true) }

func (s *Server) endRun(c call, force bool) {
	run := s.findRun(c)
	switch {
	case run == nil:
	case s.o.ForgejoAPI:
		if run.Status != "completed" {
			s.end(run, true)
		}
		reply(c.w, http.StatusNoContent, nil)
	case run.Status == "completed":
		// "Cannot cancel a workflow run that is completed." with 409: Homebrew/actions#70,
		// technote-space/auto-cancel-redundant-workflow#68.
		fail(c.w, http.StatusConflict, "Cannot cancel a workflow run that is completed.")
	case s.o.Wedged:
		fail(c.w, http.StatusInternalServerError, "Failed to cancel workflow run")
	default:
		s.end(run, force)
		reply(c.w, http.StatusAccepted, struct{}{})
	}
}

// end ends the jobs of a run that goes on.
func (s *Server) end(run *Run, force bool) {
	s.remember(run)
	jobs := s.jobs[attempt{run.ID, run.Attempt}]
	for _, j := range jobs {
		if j.Status != "completed" && (force || !j.Always && !(s.o.DeafQueue && j.Status == "queued")) {
			j.Status, j.Conclusion, j.Completed = "completed", "cancelled", s.now()
		}
	}
	alive := slices.ContainsFunc(jobs, func(j *Job) bool { return j.Status != "completed" })
	run.Updated = s.now()
	if !alive {
		run.Status, run.Conclusion = "completed", "cancelled"
		s.stop(run)
	}
}

// rerunAll serves POST .../actions/runs/ID/rerun.
func (s *Server) rerunAll(c call) { s.rerun(c, false) }

// rerunFailed serves POST .../actions/runs/ID/rerun-failed-jobs. Jobs that went
// well are in the new attempt as they were, under new ids; the others run again,
// and so do those that always run.
func (s *Server) rerunFailed(c call) { s.rerun(c, true) }

func (s *Server) rerun(c call, failedOnly bool) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	if refusal := s.again(run, failedOnly); refusal != "" {
		fail(c.w, http.StatusForbidden, refusal)
		return
	}
	reply(c.w, http.StatusCreated, struct{}{})
}

// again begins another attempt of a run, or says why not. The refusals were seen in
// cli/cli#9221 (it goes on), cli/cli#9989 (too old) and
// microsoft/vscode-azurestaticwebapps#279 (with "rerun" for "retried").
func (s *Server) again(run *Run, failedOnly bool) (refusal string) {
	jobs := s.jobs[attempt{run.ID, run.Attempt}]
	switch {
	case run.Status != "completed":
		return "This workflow is already running"
	case s.now().After(run.Created.Add(maxRerunAge)):
		return "Unable to retry this workflow run because it was created over a month ago"
	case run.Attempt >= maxAttempts || failedOnly && len(jobs) > 0 && !slices.ContainsFunc(jobs, failed):
		return "This workflow run cannot be retried"
	}
	s.remember(run)
	s.ended[attempt{run.ID, run.Attempt}] = *run
	run.Attempt++
	run.Status, run.Conclusion, run.Started, run.Updated = "queued", "", s.now(), s.now()
	if s.o.Retitle != nil {
		run.Title = s.o.Retitle(*run)
	}
	for _, j := range jobs {
		again := Job{Name: j.Name, Always: j.Always, ContinueOnError: j.ContinueOnError}
		if failedOnly && j.Conclusion == "success" && !j.Always {
			again = *j
			again.ID, again.kept = 0, true
		}
		s.addJob(run, again)
	}
	s.fresh = append(s.fresh, run)
	return ""
}

// failed tells which jobs "failed jobs" means: cancelled ones too
// (DataDog/dd-trace-js#8673).
func failed(j *Job) bool {
	return slices.Contains([]string{"failure", "timed_out", "cancelled"}, j.Conclusion)
}
