// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// forgejoStates are Forgejo's words for states, in GitHub's (models/actions/status.go).
var forgejoStates = map[string]string{
	"unknown": "requested", "waiting": "queued", "running": "in_progress", "blocked": "waiting",
	"success": "success", "failure": "failure", "cancelled": "cancelled", "skipped": "skipped",
}

// forgejoState is Forgejo's word for a state: how a thing ended is one.
func forgejoState(status, conclusion string) string {
	for word, is := range forgejoStates {
		if status == "completed" && is == conclusion || status != "completed" && is == status {
			return word
		}
	}
	return "failure"
}

// forgejoQuery puts the query of a list of runs in GitHub's words, or answers 400
// (routers/api/v1/repo/action.go, ListActionRuns).
func forgejoQuery(w http.ResponseWriter, q url.Values) bool {
	word := q.Get("status")
	if word == "" {
		return true
	}
	status, known := forgejoStates[word]
	if !known {
		fail(w, http.StatusBadRequest, "unknown status: "+word)
		return false
	}
	q.Set("status", status)
	return true
}

// forgejoRun is a run (modules/structs/action.go).
func (s *Server) forgejoRun(repo *Repository, run *Run) object {
	started, stopped := time.Unix(0, 0), time.Unix(0, 0)
	if run.Status != "queued" {
		started = run.Started
	}
	if run.Status == "completed" {
		stopped = run.Updated
	}
	payload, _ := json.Marshal(object{"inputs": run.Inputs, "ref": "refs/heads/" + run.Branch, "workflow": workflowDir + run.Workflow}) // of strings
	return object{
		"id": run.ID, "title": run.Title, "repository": s.repositoryInfo(repo), "workflow_id": run.Workflow, "index_in_repo": run.Number,
		"trigger_user": s.userInfo(run.Actor), "ScheduleID": 0, "prettyref": run.Branch, "is_ref_deleted": false, "commit_sha": run.Head,
		"is_fork_pull_request": false, "need_approval": false, "approved_by": 0, "event": run.Event, "event_payload": string(payload),
		"trigger_event": run.Event, "status": forgejoState(run.Status, run.Conclusion),
		"started": started.UTC().Format(time.RFC3339), "stopped": stopped.UTC().Format(time.RFC3339),
		"created": run.Created.Format(time.RFC3339), "updated": run.Updated.Format(time.RFC3339),
		"html_url": fmt.Sprintf("%s/%s/actions/runs/%d", s.url, run.Repository, run.Number),
	}
}

// forgejoJob is a job (services/convert/action.go): no steps, times and runner.
func forgejoJob(j *Job) object {
	task := int64(0)
	if j.Runner != "" {
		task = j.ID + 1
	}
	return object{
		"id": j.ID, "attempt": j.Attempt, "handle": fmt.Sprintf("handle-%d", j.ID), "repo_id": 1, "owner_id": 1, "name": j.Name,
		"needs": nil, "runs_on": []string{"docker"}, "task_id": task, "status": forgejoState(j.Status, j.Conclusion),
	}
}
