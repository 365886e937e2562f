// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxReleases is how many releases of a repository are looked through.
const maxReleases = 1000

// Release is a release of a repository, or the draft of one.
type Release struct {
	ID    int64
	Tag   string
	Draft bool
	// URL is its page.
	URL    string
	Assets []Asset

	upload string // where its files are sent
}

// Asset is a file of a release.
type Asset struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// State is uploaded once the file is there as a whole.
	State string `json:"state"`
	Size  int64  `json:"size"`
	// Digest is sha256:..., or empty where the server tells none.
	Digest string `json:"digest"`
}

type releaseEntry struct {
	ID        int64   `json:"id"`
	Tag       string  `json:"tag_name"`
	Draft     bool    `json:"draft"`
	URL       string  `json:"html_url"`
	UploadURL string  `json:"upload_url"`
	Assets    []Asset `json:"assets"`
}

func (e releaseEntry) release() Release {
	upload, _, _ := strings.Cut(e.UploadURL, "{") // the rest is the template of its query
	return Release{ID: e.ID, Tag: e.Tag, Draft: e.Draft, URL: pageURL(e.URL), Assets: e.Assets, upload: upload}
}

// Releases lists a repository's releases of a tag; drafts, of which there may be
// several, are among them where the token may write.
// https://docs.github.com/rest/releases/releases#list-releases
func (c *Client) Releases(ctx context.Context, repository, tag string) ([]Release, error) {
	q, err := releaseCall("list", repository, tag)
	if err != nil {
		return nil, err
	}
	q.path, q.deadline, q.needs = q.path+"?", listDeadline, "Contents: read"
	entries, whole, err := list(ctx, c, q, maxReleases, func(page []releaseEntry) []releaseEntry { return page })
	if err != nil {
		return nil, err
	}
	if !whole {
		return nil, fault.New(fault.Permanent, "failed to %s: there are more than %d releases", q.doing, maxReleases)
	}
	var found []Release
	for _, e := range entries {
		if e.Tag == tag {
			found = append(found, e.release())
		}
	}
	return found, nil
}

// DraftRelease makes the draft of a release with a text in Markdown. The tag need
// not be there: it is looked for when the draft is published. It is sent once:
// after a failure Releases shows whether it was made.
// https://docs.github.com/rest/releases/releases#create-a-release
func (c *Client) DraftRelease(ctx context.Context, repository, tag, text string) (Release, error) {
	q, err := releaseCall("draft", repository, tag)
	if err != nil {
		return Release{}, err
	}
	q.method = http.MethodPost
	// Without target_commitish, which takes the permission Workflows for a commit
	// that no branch has: GitHub's changelog of 2023-11-02, cli/cli#9514.
	q.body = map[string]any{"tag_name": tag, "name": tag, "body": text, "draft": true}
	var answer releaseEntry
	if _, err := c.once(ctx, q, &answer); err != nil {
		return Release{}, err
	}
	if answer.ID <= 0 || answer.Tag != tag || !answer.Draft {
		return Release{}, unexpected(q, http.StatusCreated)
	}
	return answer.release(), nil
}

// PublishRelease publishes a draft with a text; its tag must be there, or GitHub
// makes one at the tip of the default branch. Doing it twice does no harm.
// https://docs.github.com/rest/releases/releases#update-a-release
func (c *Client) PublishRelease(ctx context.Context, repository string, r Release, text string, latest bool) (Release, error) {
	q, err := releaseCall("publish", repository, r.Tag)
	if err != nil {
		return Release{}, err
	}
	q.method, q.path = http.MethodPatch, fmt.Sprintf("%s/%d", q.path, r.ID)
	q.body = map[string]any{"draft": false, "body": text, "make_latest": fmt.Sprint(latest)}
	var answer releaseEntry
	if _, err := c.read(ctx, q, &answer); err != nil {
		return Release{}, err
	}
	if answer.ID != r.ID || answer.Tag != r.Tag || answer.Draft {
		return Release{}, unexpected(q, http.StatusOK)
	}
	return answer.release(), nil
}

// UploadAsset adds a file to a release. It is sent once; after a failure there may
// be an asset of that name whose State is not uploaded.
// https://docs.github.com/rest/releases/assets#upload-a-release-asset
func (c *Client) UploadAsset(ctx context.Context, repository string, r Release, name string, data []byte) error {
	q, err := releaseCall("upload "+name+" to", repository, r.Tag)
	if err != nil {
		return err
	}
	at, err := url.Parse(r.upload)
	if err != nil || !mayDownload(c.api.BaseURL, at) { // the token goes there
		return fault.New(fault.Configuration, "failed to %s: GitHub gave no address for it that begins with https", q.doing)
	}
	q.method, q.path, q.file, q.deadline = http.MethodPost, r.upload+"?name="+url.QueryEscape(name), data, uploadDeadline
	var answer Asset
	if _, err := c.once(ctx, q, &answer); err != nil {
		return err
	}
	if answer.Name != name || answer.State != "uploaded" || answer.Size != int64(len(data)) {
		return unexpected(q, http.StatusCreated)
	}
	return nil
}

// DeleteAsset deletes a file of a release; one that is not there is a success.
// https://docs.github.com/rest/releases/assets#delete-a-release-asset
func (c *Client) DeleteAsset(ctx context.Context, repository string, r Release, a Asset) error {
	q, err := releaseCall("delete "+change.OneLine(a.Name)+" of", repository, r.Tag)
	if err != nil {
		return err
	}
	q.method, q.path = http.MethodDelete, fmt.Sprintf("%s/assets/%d", q.path, a.ID)
	q.done = func(e *apiError) bool { return e.status == http.StatusNotFound }
	_, err = c.once(ctx, q, nil)
	return err
}

// releaseCall makes the call that lists releases.
func releaseCall(verb, repository, tag string) (call, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return call{}, err
	}
	return call{
		doing:  fmt.Sprintf("%s release %s of %s", verb, change.OneLine(tag), repository),
		method: http.MethodGet, path: path + "/releases", deadline: actDeadline, needs: "Contents: write and Workflows: write",
		missing: checkRepository(repository) + ", and that the token has Workflows: write",
	}, nil
}

// RunsOf lists the runs for a commit, whatever started them, newest first.
func (c *Client) RunsOf(ctx context.Context, repository string, commit change.Revision) ([]change.Run, error) {
	l, err := c.newListing(repository)
	if err != nil {
		return nil, err
	}
	if err := l.search(ctx, window{filter: url.Values{"head_sha": {string(commit)}}}); err != nil {
		return nil, err
	}
	return l.runs, nil
}
