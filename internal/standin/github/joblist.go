// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// listJobs serves GET .../actions/runs/ID/jobs: the jobs of the latest attempt,
// or those of all of them.
// https://docs.github.com/rest/actions/workflow-jobs
func (s *Server) listJobs(c call) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	var jobs []*Job
	if v := s.seen(run, s.lag.Jobs); v.run != nil {
		for number := 1; number <= v.run.Attempt; number++ {
			if number == v.run.Attempt || c.r.URL.Query().Get("filter") == "all" {
				jobs = append(jobs, v.jobs[number]...)
			}
		}
	}
	s.replyJobs(c, jobs)
}

// listAttemptJobs serves GET .../actions/runs/ID/attempts/N/jobs.
func (s *Server) listAttemptJobs(c call) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	number, _ := strconv.Atoi(c.r.PathValue("attempt"))
	if number < 1 || number > run.Attempt {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	s.replyJobs(c, s.seen(run, s.lag.Jobs).jobs[number])
}

func (s *Server) replyJobs(c call, jobs []*Job) {
	if s.o.NoJobs {
		jobs = nil
	}
	if s.o.PartialReruns {
		jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *Job) bool { return j.kept })
	}
	list := []any{}
	if s.o.ForgejoAPI { // without pages
		for _, j := range jobs {
			list = append(list, forgejoJob(j))
		}
		reply(c.w, http.StatusOK, list)
		return
	}
	for _, j := range onPage(c, jobs) {
		list = append(list, s.jobInfo(j))
	}
	reply(c.w, http.StatusOK, object{"total_count": len(jobs), "jobs": list})
}

// onPage returns the part of a list that a request asks for.
func onPage[T any](c call, list []T) []T {
	size, number := pageOf(c.r.URL.Query())
	from := min((number-1)*size, len(list))
	return list[from:min(from+size, len(list))]
}

// findJob returns the job of a request's path, or answers 404. A job and its
// check run have the same id.
func (s *Server) findJob(c call) *Job {
	id, _ := strconv.ParseInt(c.r.PathValue("job"), 10, 64)
	for _, jobs := range s.jobs {
		for _, j := range jobs {
			if j.ID == id && j.run.Repository == c.repo.name {
				return j
			}
		}
	}
	fail(c.w, http.StatusNotFound, "Not Found")
	return nil
}

// getJob serves GET .../actions/jobs/ID.
func (s *Server) getJob(c call) {
	if j := s.findJob(c); j != nil {
		reply(c.w, http.StatusOK, s.jobInfo(j))
	}
}

// listAnnotations serves GET .../check-runs/ID/annotations.
// https://docs.github.com/rest/checks/runs#list-check-run-annotations
func (s *Server) listAnnotations(c call) {
	j := s.findJob(c)
	if j == nil {
		return
	}
	list := []any{}
	for _, a := range onPage(c, j.Annotations) {
		list = append(list, object{
			"path": a.Path, "blob_href": s.url + "/" + c.repo.name + "/blob/" + j.run.Head + "/" + a.Path,
			"start_line": a.Line, "end_line": max(a.Line, a.EndLine), "start_column": nil, "end_column": nil,
			"annotation_level": orNull(a.Level), "title": orNull(a.Title), "message": a.Text, "raw_details": nil,
		})
	}
	reply(c.w, http.StatusOK, list)
}

// jobInfo is a job.
func (s *Server) jobInfo(j *Job) object {
	steps := []any{}
	for i, step := range j.Steps {
		steps = append(steps, object{
			"number": i + 1, "name": step.Name, "status": step.Status, "conclusion": orNull(step.Conclusion),
			"started_at": timeOrNull(step.Started), "completed_at": timeOrNull(step.Completed),
		})
	}
	if s.o.GiteaAPI {
		steps = giteaSteps(j)
	}
	o := object{
		"id": j.ID, "node_id": "CR_" + strconv.FormatInt(j.ID, 10), "name": j.Name, "workflow_name": j.run.Name,
		"run_id": j.run.ID, "run_attempt": j.Attempt, "run_url": s.apiURL(j.run.Repository, "actions/runs/%d", j.run.ID),
		"head_sha": j.run.Head, "head_branch": orNull(j.run.Branch), "status": j.Status, "conclusion": orNull(j.Conclusion),
		"created_at": j.run.Started.Format(time.RFC3339), "started_at": j.Started.Format(time.RFC3339), "completed_at": timeOrNull(j.Completed),
		"url": s.apiURL(j.run.Repository, "actions/jobs/%d", j.ID), "html_url": s.pageURL(j.run) + "/job/" + strconv.FormatInt(j.ID, 10),
		"check_run_url": s.apiURL(j.run.Repository, "check-runs/%d", j.ID), "labels": []string{"ubuntu-24.04"}, "steps": steps,
		"runner_id": nil, "runner_name": orNull(j.Runner), "runner_group_id": nil, "runner_group_name": nil,
	}
	if j.Runner != "" {
		o["runner_id"], o["runner_group_id"], o["runner_group_name"] = 7, 0, "GitHub Actions"
	}
	return o
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
