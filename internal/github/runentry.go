// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// runEntry is the part of a workflow run that we read.
// https://docs.github.com/rest/actions/workflow-runs
type runEntry struct {
	ID           int64     `json:"id"`
	DisplayTitle string    `json:"display_title"`
	Path         string    `json:"path"`
	Status       string    `json:"status"`
	Conclusion   string    `json:"conclusion"`
	HTMLURL      string    `json:"html_url"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	// StartedAt and CompletedAt are all that Gitea 1.25 tells (go-gitea/gitea#35382).
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt time.Time  `json:"completed_at"`
	Attempt     int        `json:"run_attempt"`
	Event       string     `json:"event"`
	HeadSHA     string     `json:"head_sha"`
	// TriggerEvent stands in Forgejo's runs alone (its services/convert/action.go).
	TriggerEvent string `json:"trigger_event"`
}

// errForgejo says that runs cannot be read: Forgejo's have their title, times and
// outcome under other names, and jobs without steps.
var errForgejo = fault.New(fault.Configuration, "this is a Forgejo, whose API of Actions is another one than GitHub's and Gitea's").
	WithHint("use GitHub or Gitea 1.25 as CI host; a Forgejo can be the mirror")

func (e runEntry) run() (change.Run, error) {
	if e.TriggerEvent != "" {
		return change.Run{}, errForgejo
	}
	if e.CreatedAt.IsZero() && e.StartedAt != nil {
		e.CreatedAt = *e.StartedAt
	}
	if e.UpdatedAt.IsZero() {
		e.UpdatedAt = e.CompletedAt
	}
	if e.ID <= 0 || e.CreatedAt.IsZero() && e.StartedAt == nil {
		return change.Run{}, fmt.Errorf("a run without an id or a time of creation (id %d)", e.ID)
	}
	head, err := change.ParseRevision(e.HeadSHA)
	if err != nil {
		head = "" // what runs is known without it
	}
	return change.Run{
		ID: e.ID, Name: e.DisplayTitle, Workflow: baseName(e.Path), Status: e.Status, Conclusion: e.Conclusion,
		URL: pageURL(e.HTMLURL), OnePage: e.Attempt < 1, // Gitea 1.25, routers/web/web.go
		Created: e.CreatedAt.UTC(), Updated: e.UpdatedAt.UTC(),
		Attempt: max(e.Attempt, 1), Event: e.Event, Head: head,
	}, nil
}

// baseName returns autorun.yml for .github/workflows/autorun.yml and for
// OWNER/NAME/.github/workflows/autorun.yml@refs/heads/main.
func baseName(file string) string {
	for _, end := range [...]string{".yml@", ".yaml@"} {
		if i := strings.Index(file, end); i >= 0 {
			file = file[:i+len(end)-1]
		}
	}
	if file == "" {
		return ""
	}
	return path.Base(file)
}
