// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Annotations lists what a job remarked, at most the first 200 annotations. A
// job is a check run, too, with the same id. The error is ErrGone where there
// is no such job.
// https://docs.github.com/rest/checks/runs#list-check-run-annotations
func (c *Client) Annotations(ctx context.Context, repository string, job change.Job) ([]change.Annotation, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return nil, err
	}
	if c.gitea { // it has none
		return nil, nil
	}
	q := call{
		doing:  fmt.Sprintf("list the annotations of job %d of %s", job.ID, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/check-runs/%d/annotations?", path, job.ID),
		deadline: readDeadline, needs: "Checks: read", missing: checkRepository(repository),
	}
	entries, _, err := list(ctx, c, q, maxAnnotations, func(page []annotationEntry) []annotationEntry { return page })
	if err != nil {
		return nil, c.orGone(ctx, q, repository, err)
	}
	c.markSeen(repository)
	all := make([]change.Annotation, 0, len(entries))
	for _, entry := range entries {
		all = append(all, entry.annotation())
	}
	return all, nil
}

// annotationEntry is the part of an annotation that we read.
type annotationEntry struct {
	Level   string `json:"annotation_level"`
	Path    string `json:"path"`
	Line    int    `json:"start_line"`
	EndLine int    `json:"end_line"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

// annotation keeps lines only if they can be lines of a file.
func (e annotationEntry) annotation() change.Annotation {
	line := max(e.Line, 0)
	end := max(e.EndLine, line)
	if line == 0 {
		end = 0
	}
	return change.Annotation{Level: e.Level, Path: e.Path, Line: line, EndLine: end, Title: e.Title, Text: e.Message}
}
