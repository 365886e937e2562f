// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/base64"
	"net/http"
	"path"
	"strings"
)

// getContents serves a file of a commit, raw or as a JSON object. Folders,
// links and submodules are not served.
// https://docs.github.com/rest/repos/contents#get-repository-content
func (s *Server) getContents(c call) {
	ref := c.r.URL.Query().Get("ref")
	if ref == "" {
		ref = c.repo.branch
	}
	commit, ok := c.repo.branchOrTag(ref)
	if !ok {
		commit, ok = c.repo.resolve(ref)
	}
	if !ok {
		fail(c.w, http.StatusNotFound, "No commit found for the ref "+ref)
		return
	}
	file := c.r.PathValue("path")
	id, data, ok := c.repo.file(commit, file)
	if !ok {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	raw := strings.Contains(c.r.Header.Get("Accept"), "raw")
	etag := `"` + id + `"`
	if !raw {
		etag = `W/` + etag
	}
	c.w.Header().Set("ETag", etag)
	c.w.Header().Set("Vary", "Accept, Authorization")
	if c.r.Header.Get("If-None-Match") == etag {
		c.w.WriteHeader(http.StatusNotModified)
		return
	}
	if raw {
		c.w.Header().Set("Content-Type", "application/vnd.github.raw+json; charset=utf-8")
		c.w.Write(data)
		return
	}
	reply(c.w, http.StatusOK, s.fileInfo(c.repo, file, ref, id, data))
}

// fileInfo is a content-file.
func (s *Server) fileInfo(repo *Repository, file, ref, id string, data []byte) object {
	self := s.apiURL(repo.name, "contents/%s?ref=%s", file, ref)
	blob := s.apiURL(repo.name, "git/blobs/%s", id)
	page := s.url + "/" + repo.name + "/blob/" + ref + "/" + file
	return object{
		"type": "file", "encoding": "base64", "size": len(data), "name": path.Base(file), "path": file, "sha": id,
		"content": base64.StdEncoding.EncodeToString(data), "url": self, "git_url": blob, "html_url": page,
		"download_url": s.url + "/raw/" + repo.name + "/" + ref + "/" + file,
		"_links":       object{"self": self, "git": blob, "html": page},
	}
}
