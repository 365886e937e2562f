// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Artifacts lists the artifacts of a run, newest first, at most 1000 of them. A name
// that several attempts have used stands for the newest, as in download-artifact
// (actions/toolkit, list-artifacts.ts, filterLatest). The error is ErrGone where there
// is no such run.
// https://docs.github.com/rest/actions/artifacts#list-workflow-run-artifacts
func (c *Client) Artifacts(ctx context.Context, repository string, runID int64) ([]change.Artifact, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return nil, err
	}
	q := call{
		doing:  fmt.Sprintf("list the artifacts of run %d of %s", runID, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/runs/%d/artifacts?", path, runID),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}
	entries, _, err := list(ctx, c, q, maxArtifacts, func(p artifactPage) []artifactEntry { return p.Artifacts })
	if err != nil {
		return nil, c.orGone(ctx, q, repository, err)
	}
	c.markSeen(repository)
	pages := fmt.Sprintf("%s/%s/actions/runs/%d/artifacts/", webURL(c.api.BaseURL), repository, runID)
	newest := map[string]int64{}
	for _, entry := range entries {
		newest[entry.Name] = max(newest[entry.Name], entry.ID)
	}
	all := make([]change.Artifact, 0, len(entries))
	for _, entry := range entries {
		if entry.ID < newest[entry.Name] {
			continue
		}
		a, err := entry.artifact(pages)
		if err != nil {
			return nil, fault.New(fault.Transient, "failed to %s: %w", q.doing, err)
		}
		if c.gitea { // its pages go by the run's number and the artifact's name
			a.URL = ""
		}
		all = append(all, a)
	}
	return all, nil
}

// artifactPage is a page of a list of artifacts.
type artifactPage struct {
	Artifacts []artifactEntry `json:"artifacts"`
}

// artifactEntry is the part of an artifact that we read.
type artifactEntry struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Size    int64  `json:"size_in_bytes"`
	Expired bool   `json:"expired"`
}

// artifact makes an artifact of what GitHub sent. GitHub tells only the API's
// address of it, which is no use to people.
func (e artifactEntry) artifact(pages string) (change.Artifact, error) {
	if e.ID <= 0 || e.Size < 0 {
		return change.Artifact{}, fmt.Errorf("an artifact without an id or with a negative size (id %d)", e.ID)
	}
	return change.Artifact{ID: e.ID, Name: e.Name, Size: e.Size, Expired: e.Expired, URL: fmt.Sprint(pages, e.ID)}, nil
}

// webURL returns where the pages of an API's server are: api.HOST is HOST's
// API, and so is HOST/api/v3.
func webURL(api *url.URL) string {
	path := strings.TrimSuffix(api.Path, "/")
	if host, ok := strings.CutPrefix(api.Host, "api."); ok && path == "" {
		return api.Scheme + "://" + host
	}
	return api.Scheme + "://" + api.Host + strings.TrimSuffix(path, "/api/v3")
}

// OpenArtifact begins the download of an artifact, a zip file, and returns it
// with its size, -1 if that is not told. Reading it fails rather than ends if it
// is cut short. The error is ErrGone where there is no such artifact, or where
// it expired.
// https://docs.github.com/rest/actions/artifacts#download-an-artifact
func (c *Client) OpenArtifact(ctx context.Context, repository string, id int64) (io.ReadCloser, int64, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return nil, 0, err
	}
	d, err := c.openFile(ctx, repository, call{
		doing:  fmt.Sprintf("download artifact %d of %s", id, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/actions/artifacts/%d/zip", path, id),
		deadline: readDeadline, needs: "Actions: read", missing: checkRepository(repository),
	}, artifactDeadline)
	if err != nil {
		return nil, 0, err
	}
	return d, d.size, nil
}

// openFile begins a download, tried again like a read until it has begun.
func (c *Client) openFile(ctx context.Context, repository string, q call, limit time.Duration) (d *download, err error) {
	err = c.again(ctx, func() error {
		d, err = c.open(ctx, q, limit)
		return err
	})
	if err != nil {
		return nil, c.orGone(ctx, q, repository, err)
	}
	return d, nil
}
