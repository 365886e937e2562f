// SPDX-License-Identifier: BSD-3-Clause

package change

import "time"

// Run is a workflow run as GitHub describes it.
type Run struct {
	ID int64 `json:"id"`
	// Name is the run's display title: what run-name made of it.
	Name string `json:"name"`
	// Workflow is the base name of the run's workflow file.
	Workflow string `json:"workflow"`
	// Status is GitHub's word: queued, in_progress, completed, waiting, ...
	Status string `json:"status"`
	// Conclusion is set once Status is completed: success, failure, ...
	Conclusion string `json:"conclusion,omitempty"`
	URL        string `json:"url"`
	// OnePage: its attempts have no pages of their own.
	OnePage bool      `json:"one_page,omitempty"`
	Created time.Time `json:"created"`
	// Updated is when anything of the run changed last.
	Updated time.Time `json:"updated,omitzero"`
	// Attempt counts from 1; a rerun is the next one.
	Attempt int `json:"attempt,omitempty"`
	// Event is what started the run: workflow_dispatch, ...
	Event string `json:"event,omitempty"`
	// Head is the commit of the CI repository whose workflow file runs.
	Head Revision `json:"head,omitempty"`
}

// Key returns the key that begins the run's name, if there is one.
func (r Run) Key() (Key, bool) { return KeyOfRun(r.Name) }

// WorkflowFile is what a pass must know of a workflow before it starts it.
type WorkflowFile struct {
	// Found is false when the file is not on that branch.
	Found bool
	// Problem says why the file is no workflow; the rest is empty then.
	Problem string
	// Events are the triggers that the file declares, sorted.
	Events []string
	// EventTypes are the types of on.repository_dispatch; empty means any type.
	EventTypes []string
	// Inputs are the declared workflow_dispatch inputs, by name.
	Inputs map[string]WorkflowInput
	// RunName is the file's run-name expression, as written.
	RunName string
}

// WorkflowInput is one declared workflow_dispatch input.
type WorkflowInput struct {
	Required bool
	Default  string
	// Options are the allowed values of a choice input.
	Options []string
}

// Call asks GitHub for one run. Exactly one of File and Event is set.
type Call struct {
	// Repository is OWNER/NAME of the CI repository.
	Repository string
	// Ref is the branch whose workflow file runs (workflow_dispatch only).
	Ref string
	// File is the workflow's base name; Inputs go with it.
	File   string
	Inputs map[string]string
	// Event is the repository_dispatch event type; Payload goes with it, at
	// most ten top-level properties.
	Event   string
	Payload map[string]any
}

// Outcome is what became of a call. The third one is why claims exist: a lost
// answer says nothing about whether the run was started.
type Outcome int

const (
	// Unsettled: no answer, or one that does not say (a 5xx, a cut connection).
	Unsettled Outcome = iota
	// Accepted: GitHub took the call.
	Accepted
	// Refused: GitHub answered that it will not start a run.
	Refused
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	return [...]string{"unsettled", "accepted", "refused"}[o]
}
