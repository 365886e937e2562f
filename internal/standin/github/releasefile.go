// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"io"
	"net/http"
	"slices"
	"strconv"
)

// uploadAsset serves POST /repos/O/R/releases/ID/assets, whose place upload_url
// tells. An upload that breaks off leaves an asset in the state starter: the
// documentation's words, seen in damianvtran/local-operator-ui#322.
// https://docs.github.com/rest/releases/assets#upload-a-release-asset
func (s *Server) uploadAsset(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body) // without the lock: it takes as long as the client likes
	s.api(need{contents: Write}, func(c call) {
		release, name := s.findRelease(c), c.r.URL.Query().Get("name")
		if release == nil {
			return
		}
		switch {
		case s.o.ImmutableReleases && !release.Draft:
			fail(c.w, http.StatusUnprocessableEntity, "Cannot upload assets to an immutable release.")
		case name == "" || len(data) == 0 && err == nil:
			fail(c.w, http.StatusBadRequest, "Bad Content-Length")
		case slices.ContainsFunc(release.Assets, func(a *Asset) bool { return a.Name == name }):
			invalid(c.w, "ReleaseAsset", "name") // ppy/osu-deploy#191
		default:
			a := &Asset{ID: s.nextReleaseID(), Name: name, Data: data, State: "uploaded"}
			if err != nil {
				a.Data, a.State = nil, "starter"
			}
			release.Assets = append(release.Assets, a)
			reply(c.w, http.StatusCreated, s.assetInfo(release, a))
		}
	})(w, r)
}

// deleteAsset serves DELETE /repos/O/R/releases/assets/ID.
func (s *Server) deleteAsset(c call) {
	id, _ := strconv.ParseInt(c.r.PathValue("asset"), 10, 64)
	for _, r := range s.releases {
		i := slices.IndexFunc(r.Assets, func(a *Asset) bool { return a.ID == id && r.repository == c.repo.name })
		switch {
		case i < 0:
		case s.o.ImmutableReleases && !r.Draft:
			fail(c.w, http.StatusUnprocessableEntity, "Cannot delete assets of an immutable release.")
			return
		default:
			r.Assets = slices.Delete(r.Assets, i, i+1)
			reply(c.w, http.StatusNoContent, nil)
			return
		}
	}
	fail(c.w, http.StatusNotFound, "Not Found")
}

// downloadAsset serves what a browser gets of a release, from another server.
func (s *Server) downloadAsset(c call) {
	for _, r := range s.releases {
		if r.repository != c.repo.name || r.Tag != c.r.PathValue("tag") || r.Draft {
			continue
		}
		for _, a := range r.Assets {
			if a.Name == c.r.PathValue("name") && a.State == "uploaded" {
				s.redirect(c, blob{name: a.Name, contentType: "application/octet-stream", size: int64(len(a.Data)), write: func(w io.Writer) error {
					_, err := w.Write(a.Data)
					return err
				}})
				return
			}
		}
	}
	http.Error(c.w, "Not Found", http.StatusNotFound)
}
