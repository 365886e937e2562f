// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// fileKey names a workflow file of a branch.
type fileKey struct{ repository, ref, file string }

// cachedFile is a workflow file as it was read last.
type cachedFile struct {
	etag   string
	parsed change.WorkflowFile
}

// errTooLarge says that a workflow file is larger than is read.
var errTooLarge = errors.New("the file is larger than 1 MiB")

// capped collects at most maxWorkflowFile bytes. It embeds no buffer: that
// would have a ReadFrom, which io.Copy prefers to Write.
type capped struct{ data []byte }

func (b *capped) Write(p []byte) (int, error) {
	if len(b.data)+len(p) > 2*maxWorkflowFile { // in base64 it is longer by a third
		return 0, errTooLarge
	}
	b.data = append(b.data, p...)
	return len(p), nil
}

// WorkflowFile reads .github/workflows/FILE at ref (a branch; empty is the
// default branch) and says what it declares. Found is false if that branch has
// no such file; Problem is set if it is not a workflow. A file that was read
// before is asked for with its ETag, which costs nothing of the hourly limit
// while it did not change.
func (c *Client) WorkflowFile(ctx context.Context, repository, ref, file string) (change.WorkflowFile, error) {
	q, err := fileCall(repository, ref, file)
	if err != nil {
		return change.WorkflowFile{}, err
	}
	key := fileKey{repository, ref, file}
	cached, known := c.cached(key)
	if known {
		q.etag = cached.etag
	}
	var body capped
	resp, err := c.read(ctx, q, &body)
	switch {
	case err == nil:
		data, err := contentOf(resp.Response, body.data)
		if err != nil && !errors.Is(err, errTooLarge) {
			return change.WorkflowFile{}, fault.New(fault.Transient, "failed to %s: %w", q.doing, err)
		}
		if err == nil {
			return c.keep(key, resp.Header.Get("Etag"), data), nil
		}
		fallthrough
	case errors.Is(err, errTooLarge):
		return change.WorkflowFile{Found: true, Problem: errTooLarge.Error()}, nil
	case known && Status(err) == http.StatusNotModified:
		return cached.parsed, nil
	case Status(err) == http.StatusNotFound:
		return change.WorkflowFile{}, c.explainMissing(ctx, repository, err)
	}
	return change.WorkflowFile{}, err
}

// fileCall makes the call that reads a file's bytes.
// https://docs.github.com/rest/repos/contents#get-repository-content
func fileCall(repository, ref, file string) (call, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return call{}, err
	}
	if err := change.CheckWorkflow(file); err != nil {
		return call{}, fault.New(fault.Configuration, "failed to read a workflow file of %s: %w", repository, err)
	}
	path += "/contents/.github/workflows/" + file
	doing := "read .github/workflows/" + file + " of " + repository
	if ref != "" {
		if err := change.CheckBranch(ref); err != nil {
			return call{}, fault.New(fault.Configuration, "failed to %s: %w", doing, err)
		}
		path += "?ref=" + url.QueryEscape(ref)
		doing += " at " + ref
	}
	return call{
		doing: doing, method: http.MethodGet, path: path, accept: "application/vnd.github.raw+json",
		deadline: readDeadline, needs: "Contents: read", missing: checkRepository(repository),
	}, nil
}

func (c *Client) cached(key fileKey) (cachedFile, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[key]
	return f, ok
}

// keep parses a file and remembers it if the answer can be asked for again.
func (c *Client) keep(key fileKey, etag string, data []byte) change.WorkflowFile {
	c.markSeen(key.repository)
	parsed, err := ParseWorkflow(data)
	if err != nil {
		return change.WorkflowFile{Found: true, Problem: err.Error()}
	}
	if etag != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.files[key] = cachedFile{etag: etag, parsed: parsed}
	}
	return parsed
}

// explainMissing tells a missing file (nil) from a missing branch and from a
// repository that is not there or may not be seen: GitHub answers 404 to all.
func (c *Client) explainMissing(ctx context.Context, repository string, err error) error {
	if e, ok := errors.AsType[*apiError](err); ok && strings.Contains(e.message, "No commit found") {
		return fault.Wrap(fault.Configuration, err)
	}
	return c.checkSeen(ctx, repository)
}
