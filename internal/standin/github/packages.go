// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PackageVersion is one manifest of a container package.
type PackageVersion struct {
	ID      int64
	Digest  string
	Tags    []string
	Created time.Time
	// Downloads of a public package: more than 5,000, and it cannot be deleted
	// (docs.github.com, "Deleting and restoring a package").
	Downloads int
}

// AddPackage adds versions to the container package NAME of an owner, who is a
// person or an organization.
func (s *Server) AddPackage(owner, name string, person bool, versions ...PackageVersion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.packages == nil {
		s.packages = map[string][]PackageVersion{}
	}
	key := packageKey(person, owner, name)
	s.packages[key] = append(s.packages[key], versions...)
}

// Package returns what there is of a package.
func (s *Server) Package(owner, name string, person bool) []PackageVersion {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.packages[packageKey(person, owner, name)])
}

func packageKey(person bool, owner, name string) string {
	kind := "orgs"
	if person {
		kind = "users"
	}
	return kind + "/" + owner + "/" + name
}

// packageAPI makes a handler for a package of an owner of one kind. Whose token
// may do more than read is an Access with Packages.
func (s *Server) packageAPI(person bool, least Level, serve func(w http.ResponseWriter, r *http.Request, key string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.greet(w, r) {
			return
		}
		access, anonymous, known := s.identify(r)
		key := packageKey(person, r.PathValue("owner"), r.PathValue("name"))
		switch {
		case !known || anonymous:
			fail(w, http.StatusUnauthorized, "Requires authentication")
		case s.packages[key] == nil:
			fail(w, http.StatusNotFound, "Package not found.")
		case access.Packages < least && access.App:
			fail(w, http.StatusForbidden, "Resource not accessible by integration")
		case access.Packages < least:
			fail(w, http.StatusForbidden, "You need at least read:packages scope to list a package's versions.")
		default:
			serve(w, r, key)
		}
	}
}

// listPackageVersions serves GET .../packages/container/NAME/versions.
// https://docs.github.com/rest/packages/packages
func (s *Server) listPackageVersions(w http.ResponseWriter, r *http.Request, key string) {
	list := []any{}
	versions := s.packages[key]
	if strings.HasPrefix(key, "orgs/") { // for persons no pages are described
		versions = onPage(call{r: r}, versions)
	}
	for _, v := range versions {
		tags := v.Tags
		if tags == nil {
			tags = []string{}
		}
		list = append(list, object{
			"id": v.ID, "name": v.Digest, "url": fmt.Sprintf("%s/%s/versions/%d", s.url, key, v.ID), "package_html_url": s.url,
			"created_at": v.Created.UTC().Format(time.RFC3339), "updated_at": v.Created.UTC().Format(time.RFC3339),
			"metadata": object{"package_type": "container", "container": object{"tags": tags}},
		})
	}
	reply(w, http.StatusOK, list)
}

// deletePackageVersion serves DELETE .../packages/container/NAME/versions/ID. The
// texts are those that people quote (actions/delete-package-versions).
func (s *Server) deletePackageVersion(w http.ResponseWriter, r *http.Request, key string) {
	id, _ := strconv.ParseInt(r.PathValue("version"), 10, 64)
	list := s.packages[key]
	i := slices.IndexFunc(list, func(v PackageVersion) bool { return v.ID == id })
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "Package version not found.")
	case list[i].Downloads > 5000:
		fail(w, http.StatusBadRequest, "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.")
	case len(list[i].Tags) > 0 && !slices.ContainsFunc(list, func(v PackageVersion) bool { return v.ID != id && len(v.Tags) > 0 }):
		fail(w, http.StatusBadRequest, "You cannot delete the last tagged version of a package. You must delete the package instead.")
	default:
		s.packages[key] = slices.Delete(list, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}
