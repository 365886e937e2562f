// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Release is a release, or the draft of one.
type Release struct {
	ID        int64
	Tag, Body string
	// Draft says that only those who may push see it, and that nothing of it can
	// be downloaded.
	Draft, Latest bool
	Created       time.Time
	Published     time.Time // zero for a draft
	Assets        []*Asset

	repository string
}

// Asset is a file of a release.
type Asset struct {
	ID   int64
	Name string
	Data []byte
	// State is uploaded, or starter for what is left of an upload that broke off:
	// it has no content, and its name is taken until it is deleted.
	State string
}

// Releases returns a repository's releases and drafts, newest first.
func (s *Server) Releases(repository string) []Release {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Release
	for _, r := range slices.Backward(s.releases) {
		if r.repository == repository {
			c := *r
			c.Assets = slices.Clone(r.Assets)
			list = append(list, c)
		}
	}
	return list
}

// listReleases serves GET /repos/O/R/releases: drafts for those who may push.
// https://docs.github.com/rest/releases/releases#list-releases
func (s *Server) listReleases(c call) {
	access, _, _ := s.identify(c.r)
	pusher := access.Contents == Write && access.covers(c.repo.name)
	found := []any{}
	for _, r := range slices.Backward(s.releases) {
		if r.repository == c.repo.name && (pusher || !r.Draft) {
			found = append(found, s.releaseInfo(r))
		}
	}
	size, number := pageOf(c.r.URL.Query())
	from := min((number-1)*size, len(found))
	reply(c.w, http.StatusOK, found[from:min(from+size, len(found))])
}

// releaseRequest is what creates or edits a release.
type releaseRequest struct {
	Tag    string  `json:"tag_name"`
	Target string  `json:"target_commitish"`
	Body   *string `json:"body"`
	Draft  *bool   `json:"draft"`
	Latest string  `json:"make_latest"`
}

// createRelease serves POST /repos/O/R/releases. Drafts may share a tag.
// https://docs.github.com/rest/releases/releases#create-a-release
func (s *Server) createRelease(c call) {
	var q releaseRequest
	if json.NewDecoder(io.LimitReader(c.r.Body, maxRequest)).Decode(&q) != nil || q.Tag == "" {
		fail(c.w, http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	r := &Release{ID: s.nextReleaseID(), Tag: q.Tag, Draft: true, Created: s.now(), repository: c.repo.name}
	if s.editRelease(c, r, q) {
		s.releases = append(s.releases, r)
		reply(c.w, http.StatusCreated, s.releaseInfo(r))
	}
}

// updateRelease serves PATCH /repos/O/R/releases/ID.
// https://docs.github.com/rest/releases/releases#update-a-release
func (s *Server) updateRelease(c call) {
	r := s.findRelease(c)
	var q releaseRequest
	switch {
	case r == nil:
	case json.NewDecoder(io.LimitReader(c.r.Body, maxRequest)).Decode(&q) != nil:
		fail(c.w, http.StatusUnprocessableEntity, "Validation Failed")
	case s.editRelease(c, r, q):
		reply(c.w, http.StatusOK, s.releaseInfo(r))
	}
}

// editRelease applies a request to a release, or answers why not. A release that
// is published makes its tag where there is none, at the tip of the default branch
// unless the request names a commit.
func (s *Server) editRelease(c call, r *Release, q releaseRequest) bool {
	target := q.Target
	if target == "" {
		target = "refs/heads/" + c.repo.branch
	}
	tip, tagged := c.repo.resolve("refs/tags/" + r.Tag)
	if !tagged {
		tip, _ = c.repo.resolve(target)
	}
	access, _, _ := s.identify(c.r)
	publish := q.Draft != nil && !*q.Draft && r.Draft
	switch {
	// The documentation's note on both operations: a target whose workflows are not
	// those of the default branch takes the permission, and 404 is the answer.
	case !access.Workflows && c.repo.workflowsDiffer(tip, "refs/heads/"+c.repo.branch):
		fail(c.w, http.StatusNotFound, "Not Found")
		return false
	case publish && slices.ContainsFunc(s.releases, func(o *Release) bool {
		return o != r && o.repository == r.repository && o.Tag == r.Tag && !o.Draft
	}):
		invalid(c.w, "Release", "tag_name")
		return false
	}
	if q.Body != nil {
		r.Body = *q.Body
	}
	if publish {
		if !tagged {
			c.repo.git(nil, "update-ref", "refs/tags/"+r.Tag, tip)
		}
		r.Draft, r.Published = false, s.now()
		if r.Latest = q.Latest != "false"; r.Latest {
			for _, o := range s.releases {
				o.Latest = o == r || o.Latest && o.repository != r.repository
			}
		}
	}
	return true
}

func (s *Server) nextReleaseID() int64 {
	s.releaseCount++
	return 50_000 + s.releaseCount
}

func (s *Server) findRelease(c call) *Release {
	id, _ := strconv.ParseInt(c.r.PathValue("release"), 10, 64)
	for _, r := range s.releases {
		if r.ID == id && r.repository == c.repo.name {
			return r
		}
	}
	fail(c.w, http.StatusNotFound, "Not Found")
	return nil
}

func (s *Server) releaseInfo(r *Release) object {
	api := fmt.Sprintf("%s/repos/%s/releases/%d", s.url, r.repository, r.ID)
	assets := []any{}
	for _, a := range r.Assets {
		assets = append(assets, s.assetInfo(r, a))
	}
	page, published := r.Tag, any(nil)
	if r.Draft {
		page = fmt.Sprintf("untagged-%d", r.ID)
	} else {
		published = r.Published.Format(time.RFC3339)
	}
	return object{
		"url": api, "html_url": fmt.Sprintf("%s/%s/releases/tag/%s", s.url, r.repository, page), "assets_url": api + "/assets",
		"upload_url": api + "/assets{?name,label}", "tarball_url": nil, "zipball_url": nil, "id": r.ID, "node_id": "RE_" + strconv.FormatInt(r.ID, 10),
		"tag_name": r.Tag, "target_commitish": "main", "name": r.Tag, "body": r.Body, "draft": r.Draft, "prerelease": false,
		"immutable": s.o.ImmutableReleases && !r.Draft, "created_at": r.Created.Format(time.RFC3339), "published_at": published,
		"author": s.userInfo("octocat"), "assets": assets,
	}
}

func (s *Server) assetInfo(r *Release, a *Asset) object {
	digest := any(nil)
	if a.State == "uploaded" {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256(a.Data))
	}
	return object{
		"url": fmt.Sprintf("%s/repos/%s/releases/assets/%d", s.url, r.repository, a.ID), "id": a.ID, "node_id": "RA_" + strconv.FormatInt(a.ID, 10),
		"browser_download_url": fmt.Sprintf("%s/%s/releases/download/%s/%s", s.url, r.repository, r.Tag, url.PathEscape(a.Name)),
		"name":                 a.Name, "label": "", "state": a.State, "content_type": "application/octet-stream", "size": len(a.Data), "digest": digest,
		"download_count": 0, "created_at": r.Created.Format(time.RFC3339), "updated_at": r.Created.Format(time.RFC3339), "uploader": s.userInfo("octocat"),
	}
}

// invalid answers that a name is taken.
func invalid(w http.ResponseWriter, resource, field string) {
	reply(w, http.StatusUnprocessableEntity, object{
		"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest",
		"errors": []any{object{"resource": resource, "code": "already_exists", "field": field}},
	})
}

// workflowsDiffer reports whether two commits have other workflow files; one that
// is not there has none.
func (r *Repository) workflowsDiffer(a, b string) bool {
	tree := func(commit string) string {
		out, err := r.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+":.github/workflows")
		if err != nil {
			return ""
		}
		return strings.TrimSpace(out)
	}
	return tree(a) != tree(b)
}
