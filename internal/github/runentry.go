// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
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
	forgejo     bool       // it came from a Forgejo
}

func (e runEntry) run() (change.Run, error) {
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
