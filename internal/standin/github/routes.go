// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// apiVersion is the one version of the REST API that is spoken.
const apiVersion = "2022-11-28"

// call is one API request for a repository that its token may use.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	repo *Repository
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.serveUnplanned)
	mux.HandleFunc("GET /repos/{owner}/{repo}", s.api(need{}, s.getRepository))
	mux.HandleFunc("GET /repos/{owner}/{repo}/contents/{path...}", s.api(need{contents: Read}, s.getContents))
	mux.HandleFunc("POST /repos/{owner}/{repo}/dispatches", s.api(need{contents: Write}, s.dispatchEvent))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/workflows/{file}/dispatches", s.api(need{actions: Write}, s.dispatchWorkflow))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs", s.api(need{actions: Read}, s.listRuns))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}", s.api(need{actions: Read}, s.getRun))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/runs/{run}/cancel", s.api(need{actions: Write}, s.cancelRun))
	mux.HandleFunc("GET /repos/{owner}/{repo}/installation", s.asApp(s.getInstallation))
	mux.HandleFunc("POST /app/installations/{installation}/access_tokens", s.asApp(s.mintToken))
	mux.HandleFunc("GET /{owner}/{repo}/info/refs", s.serveGit)
	mux.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.serveGit)
	mux.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.serveGit)
	return mux
}

// api makes a handler of a function that wants a repository and a lock. Runs
// that it started are told to the listener after that.
func (s *Server) api(n need, serve func(call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		before := len(s.runs)
		if s.greet(w, r) {
			if repo := s.reach(w, r, n); repo != nil {
				serve(call{w, r, repo})
			}
		}
		started, hook := copyRuns(s.runs[before:]), s.onRun
		s.mu.Unlock()
		if hook == nil {
			return
		}
		for _, run := range started {
			hook(run)
		}
	}
}

// greet sets the headers that every API answer has, and refuses unknown
// versions of the API.
func (s *Server) greet(w http.ResponseWriter, r *http.Request) bool {
	const limit = 5000
	used := len(s.requests) % limit
	h := w.Header()
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Used", strconv.Itoa(used))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(limit-used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.now().Add(time.Hour).Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	version := r.Header.Get("X-GitHub-Api-Version")
	if version != "" && version != apiVersion {
		fail(w, http.StatusBadRequest, fmt.Sprintf("The version %q is not supported here.", version))
		return false
	}
	return true
}
