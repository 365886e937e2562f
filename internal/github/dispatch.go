// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Started is what became of a Dispatch.
type Started struct {
	Outcome change.Outcome
	// RunID is the new run's id, or 0 where GitHub did not tell: after a
	// repository_dispatch and on servers without return_run_details.
	RunID int64
	// URL is the run's page, or empty.
	URL string
}

// Dispatch asks GitHub once to start a run. The outcome is
//
//   - Accepted, without an error;
//   - Refused, with the reason: GitHub said no, or certainly never saw the
//     call. A Transient reason (no connection, a rate limit) may be gone later;
//   - Unsettled, with the reason: a 5xx, a cut connection, a late or
//     unreadable answer. The run may have been started.
func (c *Client) Dispatch(ctx context.Context, q change.Call) (Started, error) {
	path, err := checkCall(q)
	if err != nil {
		return Started{Outcome: change.Refused}, err
	}
	if q.Event != "" {
		return c.dispatchEvent(ctx, q, path)
	}
	details := c.wantsDetails()
	started, err := c.dispatchWorkflow(ctx, q, path, details)
	if details && started.Outcome == change.Refused && refusesDetails(err) {
		c.mu.Lock()
		c.noDetails = true
		c.mu.Unlock()
		return c.dispatchWorkflow(ctx, q, path, false)
	}
	return started, err
}

func (c *Client) wantsDetails() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.noDetails
}

// refusesDetails recognizes the answer of servers that do not know the field
// (GitHub Enterprise Server 3.20 and older): 400 or 422, naming it.
func refusesDetails(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && (e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity) &&
		strings.Contains(e.message, "return_run_details")
}

// dispatchWorkflow sends a workflow_dispatch.
// https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
func (c *Client) dispatchWorkflow(ctx context.Context, q change.Call, path string, details bool) (Started, error) {
	body := struct {
		Ref     string            `json:"ref"`
		Inputs  map[string]string `json:"inputs,omitempty"`
		Details bool              `json:"return_run_details,omitempty"`
		Info    bool              `json:"return_run_info,omitempty"` // Forgejo's word
	}{q.Ref, q.Inputs, details, details && c.gitea}
	var answer struct {
		ID   int64  `json:"workflow_run_id"`
		URL  string `json:"html_url"`
		Info int64  `json:"id"` // Forgejo's
	}
	rq := call{
		doing: "start " + q.File + " in " + q.Repository, method: http.MethodPost,
		path: path + "/actions/workflows/" + url.PathEscape(q.File) + "/dispatches",
		body: body, deadline: dispatchDeadline, needs: "Actions: write",
		missing: "check that " + q.Repository + " is right and has .github/workflows/" + q.File + " on its default branch",
	}
	resp, err := c.once(ctx, rq, &answer)
	switch {
	case err != nil:
		return Started{Outcome: outcomeOf(err)}, err
	case resp.StatusCode == http.StatusNoContent:
		return Started{Outcome: change.Accepted}, nil
	case resp.StatusCode == http.StatusOK && answer.ID > 0:
		return Started{Outcome: change.Accepted, RunID: answer.ID, URL: pageURL(answer.URL)}, nil
	case resp.StatusCode == http.StatusCreated && c.gitea && answer.Info > 0:
		return Started{Outcome: change.Accepted, RunID: answer.Info}, nil
	}
	return Started{}, unexpected(rq, resp.StatusCode)
}

// dispatchEvent sends a repository_dispatch.
// https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event
func (c *Client) dispatchEvent(ctx context.Context, q change.Call, path string) (Started, error) {
	body := struct {
		Event   string         `json:"event_type"`
		Payload map[string]any `json:"client_payload,omitempty"`
	}{q.Event, q.Payload}
	rq := call{
		doing: "send the event " + q.Event + " to " + q.Repository, method: http.MethodPost,
		path: path + "/dispatches", body: body, deadline: dispatchDeadline,
		needs: "Contents: write", missing: checkRepository(q.Repository),
	}
	resp, err := c.once(ctx, rq, nil)
	switch {
	case err != nil:
		return Started{Outcome: outcomeOf(err)}, err
	case resp.StatusCode == http.StatusNoContent:
		return Started{Outcome: change.Accepted}, nil
	}
	return Started{}, unexpected(rq, resp.StatusCode)
}

// unexpected is a success that GitHub does not document: something in between
// may have answered, so nobody knows.
func unexpected(q call, status int) error {
	return fault.New(fault.Transient, "failed to %s: the answer (%d) is not what GitHub's REST API describes", q.doing, status).
		WithHint("check that the GitHub API URL is right")
}

// outcomeOf tells a call that was certainly not executed from one that may
// have been.
func outcomeOf(err error) change.Outcome {
	e, ok := errors.AsType[*apiError](err)
	switch {
	case !ok, e.unsent, e.limit != nil:
		return change.Refused
	case e.status >= 300 && e.status < 500 && e.status != http.StatusRequestTimeout:
		return change.Refused
	}
	return change.Unsettled
}

// pageURL keeps a run's page only if it can be shown as a link.
func pageURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(raw) > 500 {
		return ""
	}
	return u.String()
}

// checkCall refuses what GitHub would refuse or misread, before it is sent, and
// returns the repository's path in the API.
func checkCall(q change.Call) (string, error) {
	path, err := repositoryPath(q.Repository)
	if err != nil {
		return "", err
	}
	if (q.File == "") == (q.Event == "") {
		return "", fault.New(fault.Ours, "a call needs a workflow file or an event type, and not both")
	}
	if q.Event != "" {
		return path, checkEvent(q)
	}
	return path, checkInputs(q)
}

// Limits of GitHub's OpenAPI description and of "Events that trigger workflows".
const (
	maxInputs       = 25
	maxPayloadChars = 65_535
	maxPayload      = 10
	maxEventType    = 100
)

func checkInputs(q change.Call) error {
	if err := change.CheckWorkflow(q.File); err != nil {
		return fault.New(fault.Configuration, "failed to start a workflow in %s: %w", q.Repository, err)
	}
	if err := change.CheckBranch(q.Ref); err != nil {
		return fault.New(fault.Configuration, "failed to start %s in %s: %w", q.File, q.Repository, err)
	}
	if n := len(q.Inputs); n > maxInputs {
		return fault.New(fault.Configuration, "%s in %s would get %d inputs; GitHub takes at most %d", q.File, q.Repository, n, maxInputs).
			WithHint("declare fewer inputs in the workflow, or send fewer groups of inputs")
	}
	return checkSize(fmt.Sprintf("the inputs of %s in %s", q.File, q.Repository), q.Inputs)
}

func checkEvent(q change.Call) error {
	if n := len([]rune(q.Event)); n > maxEventType {
		return fault.New(fault.Configuration, "the event type %s has %d characters; GitHub takes at most %d", change.OneLine(change.Clip(q.Event, 40)), n, maxEventType)
	}
	if n := len(q.Payload); n > maxPayload {
		return fault.New(fault.Configuration, "the event %s would carry %d properties; GitHub takes at most %d at the top level", q.Event, n, maxPayload)
	}
	return checkSize("the payload of event "+q.Event, q.Payload)
}

// checkSize counts the characters of a value's compact JSON.
func checkSize(what string, v any) error {
	n, err := jsonChars(v)
	if err != nil {
		return fault.New(fault.Ours, "%s cannot be written as JSON: %w", what, err)
	}
	if n > maxPayloadChars {
		return fault.New(fault.Permanent, "%s: %d characters as JSON; GitHub takes at most %d", what, n, maxPayloadChars)
	}
	return nil
}
