// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Gitea has GitHub's API of Actions in part, at /api/v1. What follows is where
// its release 1.25 differs; files are those of go-gitea/gitea.
//
//   - contents answers JSON whatever is accepted (routers/api/v1/repo/file.go).
//   - Lists take limit in the place of per_page, 50 at most and less where it is
//     set so, and know no created (routers/api/v1/shared/action.go).
//   - A job's log comes at once, without a redirect (routers/common/actions.go).
//   - There are no calls to cancel, to rerun and to read one attempt, and no
//     repository_dispatch and annotations (routers/api/v1/api.go). Jobs are those
//     of the last attempt.
//   - Each step of a job has the job's conclusion, and one that never ran began in
//     1970 (services/convert/convert.go).
//   - runs have started_at, 1970 while they wait, and no created_at; run_attempt
//     is 0 (services/convert/convert.go).

// giteaPage is the largest page that Gitea gives by default.
const giteaPage = 50

// isGitea tells Gitea's API, and Forgejo's, by its path: GitHub's is /, or /api/v3.
func isGitea(base *url.URL) bool { return strings.HasSuffix(base.Path, "/api/v1/") }

// Gitea reports whether an API's address is that of a Gitea, or of a server that
// is made of one.
func Gitea(apiURL string) bool {
	u, err := parseAPIURL(apiURL)
	return err == nil && isGitea(u)
}

// page adds what asks for a page of a list.
func (c *Client) page(v url.Values, number string) {
	v.Set("per_page", "100")
	if c.gitea {
		v.Set("limit", strconv.Itoa(giteaPage))
	}
	v.Set("page", number)
}

// lastPage reports whether there is no page after one with so many entries. How
// many Gitea gives at most is a setting of the server's.
func (c *Client) lastPage(entries int) bool {
	if c.gitea {
		return entries == 0
	}
	return entries < pageSize
}

// contentOf returns the bytes of a file that came raw, or as a content-file.
func contentOf(resp *http.Response, data []byte) ([]byte, error) {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) != "application/json" {
		return data, nil
	}
	var file struct {
		Encoding string `json:"encoding"`
		Content  []byte `json:"content"`
	}
	if err := json.Unmarshal(data, &file); err != nil || file.Encoding != "base64" {
		return nil, errors.New("the answer holds no file in base64")
	}
	if len(file.Content) > maxWorkflowFile {
		return nil, errTooLarge
	}
	return file.Content, nil
}

// addSince adds the runs of a page that are not too old, and reports whether all
// of them were: the rest is older still. One that waits has no time yet.
func (l *listing) addSince(runs []change.Run, from time.Time) (passed bool) {
	passed = true
	for _, run := range runs {
		if started := run.Created.Unix() > 0; !started || !run.Created.Before(from) {
			l.add([]change.Run{run})
			passed = false
		}
	}
	return passed
}

// fromGitea puts right what Gitea says of a job: that it belongs to the attempt
// that was asked for, and how its steps ended. A job stops at the step that
// failed, so the last one that ran is taken for it.
func (e *jobEntry) fromGitea(attempt int) {
	e.Attempt = attempt
	last := -1
	for i := range e.Steps {
		if e.Steps[i].StartedAt.Unix() > 0 {
			last = i
		}
	}
	for i := range e.Steps {
		switch s := &e.Steps[i]; {
		case s.Status != "completed", i == last:
		case i < last:
			s.Conclusion = "success"
		default:
			s.Conclusion, s.StartedAt, s.CompletedAt = "skipped", time.Time{}, time.Time{}
		}
	}
}

// unoffered explains a 404 to a call that this server may not have: what it is
// about is there.
func (c *Client) unoffered(ctx context.Context, q call, repository string, runID int64, err error) error {
	if !c.gitea || Status(err) != http.StatusNotFound {
		return err
	}
	run, failed := c.Run(ctx, repository, runID)
	if failed != nil {
		return err
	}
	if q.method == http.MethodGet {
		return fault.New(fault.Configuration, "failed to %s: this server's API has no such call", q.doing).
			WithHint("no verdict comes of it: use Forgejo 16 or Gitea 1.25, or newer; see %s", run.URL)
	}
	return lacking(q, run)
}

// lacking says that a server cannot do something to a run.
func lacking(q call, run change.Run) error {
	return fault.New(fault.Permanent, "failed to %s: this server's API has no such call", q.doing).
		WithHint("use the run's page: %s", run.URL)
}
