// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Forgejo has its API where Gitea has it, with fields and words of its own for
// Actions, by which it is known. What follows is release 16, the first that tells
// the jobs of a run (pull 11915), their logs (12666), artifacts (12140)
// and that ends runs (12957); files are those of codeberg.org/forgejo/forgejo.
//
//   - A run has title, workflow_id (the file), commit_sha, created and updated; how
//     it ended is its status, and its attempts are not told
//     (modules/structs/action.go, services/convert/action.go). Releases that do not
//     know run-name give it its workflow's name; event_payload has the inputs in any
//     case (services/actions/workflows.go).
//   - A status to list by is one of Forgejo's words, or the answer is 400
//     (routers/api/v1/repo/action.go).
//   - Jobs are a bare array without pages, times, steps and runners; task_id is 0
//     while no runner took the job. Artifacts are a bare array of one page.
//   - A dispatch answers 201 with the run's id where return_run_info asks for it.
//   - Cancelling answers 204, for runs that have ended as well.

// forgejoBusy are the states of unfinished runs, in the order of busyStatuses.
var forgejoBusy = [...]string{"unknown", "blocked", "waiting", "running"}

// forgejoState says a state of a run or a job in GitHub's words. One that is not
// known is left as it is, which is unfinished.
func forgejoState(word string) (status, conclusion string) {
	switch word {
	case "success", "failure", "cancelled", "skipped":
		return "completed", word
	case "running":
		return "in_progress", ""
	case "waiting":
		return "queued", ""
	case "blocked":
		return "waiting", ""
	}
	return word, ""
}

// isForgejoRefusal knows the answer to a status that is none of Forgejo's words.
func isForgejoRefusal(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.status == http.StatusBadRequest && strings.Contains(e.message, "unknown status")
}

// UnmarshalJSON reads a run, and one of a Forgejo by its own fields.
func (e *runEntry) UnmarshalJSON(data []byte) error {
	type plain runEntry
	var kind struct {
		TriggerEvent string `json:"trigger_event"` // in Forgejo's runs alone
	}
	if err := json.Unmarshal(data, &kind); err != nil || kind.TriggerEvent == "" {
		return json.Unmarshal(data, (*plain)(e))
	}
	var run struct {
		ID      int64     `json:"id"`
		Title   string    `json:"title"`
		File    string    `json:"workflow_id"`
		Status  string    `json:"status"`
		Event   string    `json:"event"`
		Commit  string    `json:"commit_sha"`
		URL     string    `json:"html_url"`
		Payload string    `json:"event_payload"`
		Created time.Time `json:"created"`
		Updated time.Time `json:"updated"`
	}
	if err := json.Unmarshal(data, &run); err != nil {
		return err
	}
	*e = runEntry{
		ID: run.ID, DisplayTitle: keyed(run.Title, run.Payload), Path: run.File, HTMLURL: run.URL, Event: run.Event, HeadSHA: run.Commit,
		CreatedAt: run.Created, UpdatedAt: run.Updated, forgejo: true,
	}
	e.Status, e.Conclusion = forgejoState(run.Status)
	return nil
}

// keyed puts the key that a run was started with in front of a title that shows none.
func keyed(title, payload string) string {
	if _, shown := change.KeyOfRun(title); shown {
		return title
	}
	var event struct {
		Inputs struct {
			Key string `json:"key"`
		} `json:"inputs"`
	}
	if json.Unmarshal([]byte(payload), &event) != nil {
		return title // another event's
	}
	if _, err := change.ParseKey(event.Inputs.Key); err != nil {
		return title
	}
	return event.Inputs.Key + " " + title
}

// isArray reports whether a list came without an object around it.
func isArray(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) }

// UnmarshalJSON reads a page of jobs, or all of a Forgejo's.
func (p *jobPage) UnmarshalJSON(data []byte) error {
	if !isArray(data) {
		type plain jobPage
		return json.Unmarshal(data, (*plain)(p))
	}
	var jobs []struct {
		ID     int64  `json:"id"`
		Name   string `json:"name"`
		Status string `json:"status"`
		Task   int64  `json:"task_id"`
		URL    string `json:"html_url"`
	}
	if err := json.Unmarshal(data, &jobs); err != nil {
		return err
	}
	*p = jobPage{Jobs: []jobEntry{}, last: true}
	for _, j := range jobs {
		entry := jobEntry{ID: j.ID, Name: j.Name, HTMLURL: j.URL}
		entry.Status, entry.Conclusion = forgejoState(j.Status)
		if j.Task > 0 { // a runner took it, whose name is not told
			entry.Runner = fmt.Sprintf("task %d", j.Task)
		}
		p.Jobs = append(p.Jobs, entry)
	}
	return nil
}

func (p jobPage) isLast() bool { return p.last }

// UnmarshalJSON reads a page of artifacts, Forgejo's without an object around it.
func (p *artifactPage) UnmarshalJSON(data []byte) error {
	if isArray(data) {
		return json.Unmarshal(data, &p.Artifacts)
	}
	type plain artifactPage
	return json.Unmarshal(data, (*plain)(p))
}

// checkRepeatable refuses a rerun that nobody could follow: on a Forgejo a run does
// not tell which attempt it shows.
func (c *Client) checkRepeatable(ctx context.Context, q call, repository string, runID int64) error {
	if !c.gitea {
		return nil
	}
	run, err := c.Run(ctx, repository, runID)
	if err != nil || !c.isForgejo() {
		return err
	}
	return lacking(q, run)
}

// note remembers that a server is a Forgejo once a run shows it.
func (c *Client) note(e runEntry) {
	if e.forgejo && c.gitea {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.forgejo = true
	}
}

func (c *Client) isForgejo() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgejo
}
