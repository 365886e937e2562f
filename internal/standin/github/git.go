// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// serveGit answers a git request with C git, if its token allows that. Tokens
// are passwords of basic authentication; the user name does not matter.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("owner") + "/" + strings.TrimSuffix(r.PathValue("repo"), ".git")
	push := strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
	s.mu.Lock()
	access, anonymous, known := s.identify(r)
	repo := s.repositories[strings.ToLower(name)]
	private := repo != nil && repo.private
	s.mu.Unlock()
	switch {
	case !known:
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Invalid username or token. Password authentication is not supported for Git operations.", http.StatusUnauthorized)
	case anonymous && (repo == nil || private || push):
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "No anonymous write access.", http.StatusUnauthorized)
	case repo == nil || private && (!access.covers(repo.name) || access.Contents < Read):
		http.Error(w, "Repository not found.", http.StatusNotFound)
	case push && (!access.covers(repo.name) || access.Contents < Write):
		http.Error(w, fmt.Sprintf("Permission to %s.git denied to %s.", repo.name, access.User), http.StatusForbidden)
	default:
		s.runGit(w, r, repo, access)
	}
}

// runGit hands a request to git. The answer to a push is rewritten where a hook
// refused refs, because git would give no reason but "hook declined".
func (s *Server) runGit(w http.ResponseWriter, r *http.Request, repo *Repository, access Access) {
	rest := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)[2]
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = "/"+repo.name+".git/"+rest, ""
	h := &githttp.Handler{Root: s.dir, User: access.User, Env: []string{"GIT_CONFIG_GLOBAL=/dev/null"}}
	if rest != "git-receive-pack" || access.Workflows && len(s.o.RefuseRefs) == 0 {
		h.ServeHTTP(w, r)
		return
	}
	refused, err := s.newRefusals(access)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer os.RemoveAll(refused.dir)
	h.Env = append(h.Env, refused.env()...)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	if reasons := refused.reasons(); len(reasons) > 0 {
		body = rewriteReport(body, reasons)
	}
	for field, values := range rec.Header() {
		w.Header()[field] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	w.Write(body)
}
