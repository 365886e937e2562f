// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxRequest bounds a request's body.
const maxRequest = 1 << 20

// readRequest decodes a request's JSON and answers the request itself if it
// has none.
func readRequest(c call, v any) bool {
	if err := json.NewDecoder(io.LimitReader(c.r.Body, maxRequest)).Decode(v); err != nil {
		fail(c.w, http.StatusBadRequest, "Problems parsing JSON")
		return false
	}
	return true
}

// dispatchWorkflow serves POST .../actions/workflows/FILE/dispatches. Where the words of
// its refusals were seen is told at the head of the package.
// https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
func (s *Server) dispatchWorkflow(c call) {
	var body struct {
		Ref     string         `json:"ref"`
		Inputs  map[string]any `json:"inputs"`
		Details *bool          `json:"return_run_details"`
		Info    bool           `json:"return_run_info"`
	}
	if !readRequest(c, &body) {
		return
	}
	if body.Details != nil && s.o.Details == RefuseDetails {
		fail(c.w, http.StatusUnprocessableEntity, "Invalid request.\n\n\"return_run_details\" is not a permitted key.")
		return
	}
	run, status, refusal := s.prepare(c, body.Ref, body.Inputs)
	if refusal != "" {
		fail(c.w, status, refusal)
		return
	}
	if s.o.GiteaAPI && !s.o.ForgejoAPI {
		s.makeWay(run)
	}
	s.start(run)
	if s.o.ForgejoAPI && body.Info {
		reply(c.w, http.StatusCreated, object{"id": run.ID, "run_number": run.Number, "jobs": []string{}})
		return
	}
	if body.Details == nil || !*body.Details || s.o.Details != ReturnDetails {
		reply(c.w, http.StatusNoContent, nil)
		return
	}
	reply(c.w, http.StatusOK, map[string]any{
		"workflow_run_id": run.ID, "run_url": s.apiURL(run.Repository, "actions/runs/%d", run.ID), "html_url": s.pageURL(run),
	})
}

// prepare makes the run that a workflow_dispatch asks for, or says why not.
func (s *Server) prepare(c call, ref string, inputs map[string]any) (run *Run, status int, refusal string) {
	file := c.r.PathValue("file")
	// The workflow is known to GitHub once it is on the default branch.
	main, _ := c.repo.branchOrTag(c.repo.branch)
	if c.repo.workflowAt(main, file) == nil {
		return nil, http.StatusNotFound, "Not Found"
	}
	commit, ok := c.repo.branchOrTag(ref)
	if !ok {
		return nil, http.StatusUnprocessableEntity, "No ref found for: " + ref
	}
	w := c.repo.workflowAt(commit, file)
	if w == nil {
		return nil, http.StatusUnprocessableEntity, "Workflow does not exist on the ref " + ref
	}
	trigger, ok := w.on["workflow_dispatch"]
	if !ok {
		return nil, http.StatusUnprocessableEntity, "Workflow does not have 'workflow_dispatch' trigger"
	}
	if len(inputs) > 25 {
		return nil, http.StatusUnprocessableEntity, "you may only define up to 25 `inputs` for a `workflow_dispatch` event"
	}
	values, refusal := trigger.checkInputs(inputs)
	if refusal != "" {
		return nil, http.StatusUnprocessableEntity, refusal
	}
	run = s.newRun(c, w, "workflow_dispatch", commit)
	run.Branch, run.Inputs = strings.TrimPrefix(ref, "refs/heads/"), values
	if run.Title = w.title(run); s.o.PlainTitles {
		run.Title = w.name
	}
	return run, 0, ""
}

// dispatchEvent serves POST /repos/O/R/dispatches. All workflows of the default
// branch that listen to the event start; that there are none is no error.
// https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event
func (s *Server) dispatchEvent(c call) {
	var body struct {
		Event   string         `json:"event_type"`
		Payload map[string]any `json:"client_payload"`
	}
	if !readRequest(c, &body) {
		return
	}
	switch n := len(body.Payload); {
	case body.Event == "" || len([]rune(body.Event)) > 100:
		fail(c.w, http.StatusUnprocessableEntity, "Invalid request.\n\nevent_type must have 1 to 100 characters.")
		return
	case n > 10:
		fail(c.w, http.StatusUnprocessableEntity, fmt.Sprintf("Invalid request.\n\nNo more than 10 properties are allowed; %d were supplied.", n))
		return
	}
	commit, ok := c.repo.branchOrTag(c.repo.branch)
	if ok {
		for _, w := range c.repo.workflowsOn(commit, "repository_dispatch", body.Event) {
			run := s.newRun(c, w, "repository_dispatch", commit)
			run.Branch, run.EventType, run.Payload = c.repo.branch, body.Event, body.Payload
			run.Title = w.title(run)
			s.start(run)
		}
	}
	reply(c.w, http.StatusNoContent, nil)
}
