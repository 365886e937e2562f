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
	mux.HandleFunc("GET /orgs/{owner}/repos", s.listRepositories)
	mux.HandleFunc("GET /users/{owner}/repos", s.listRepositories)
	mux.HandleFunc("GET /repos/{owner}/{repo}", s.api(need{}, s.getRepository))
	mux.HandleFunc("GET /repos/{owner}/{repo}/contents/{path...}", s.api(need{contents: Read}, s.getContents))
	mux.HandleFunc("POST /repos/{owner}/{repo}/dispatches", s.api(need{contents: Write}, s.dispatchEvent))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/workflows/{file}/dispatches", s.api(need{actions: Write}, s.dispatchWorkflow))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs", s.api(need{actions: Read}, s.listRuns))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}", s.api(need{actions: Read}, s.getRun))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}/jobs", s.api(need{actions: Read}, s.listJobs))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}", s.api(need{actions: Read}, s.getAttempt))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}/jobs", s.api(need{actions: Read}, s.listAttemptJobs))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/runs/{run}/artifacts", s.api(need{actions: Read}, s.listArtifacts))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/runs/{run}/cancel", s.api(need{actions: Write}, s.cancelRun))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/runs/{run}/force-cancel", s.api(need{actions: Write}, s.forceCancelRun))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/runs/{run}/rerun", s.api(need{actions: Write}, s.rerunAll))
	mux.HandleFunc("POST /repos/{owner}/{repo}/actions/runs/{run}/rerun-failed-jobs", s.api(need{actions: Write}, s.rerunFailed))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/jobs/{job}", s.api(need{actions: Read}, s.getJob))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/jobs/{job}/logs", s.api(need{actions: Read}, s.getLog))
	mux.HandleFunc("GET /repos/{owner}/{repo}/actions/artifacts/{artifact}/{format}", s.api(need{actions: Read}, s.getArtifact))
	mux.HandleFunc("GET /repos/{owner}/{repo}/check-runs/{job}/annotations", s.api(need{checks: Read}, s.listAnnotations))
	mux.HandleFunc("GET /repos/{owner}/{repo}/issues/{issue}", s.api(need{issues: Read}, s.getIssue))
	mux.HandleFunc("GET /repos/{owner}/{repo}/issues/{issue}/comments", s.api(need{issues: Read}, s.listComments))
	mux.HandleFunc("POST /repos/{owner}/{repo}/issues/{issue}/comments", s.api(need{issues: Write}, s.addComment))
	mux.HandleFunc("GET /repos/{owner}/{repo}/releases", s.api(need{contents: Read}, s.listReleases))
	mux.HandleFunc("POST /repos/{owner}/{repo}/releases", s.api(need{contents: Write}, s.createRelease))
	mux.HandleFunc("PATCH /repos/{owner}/{repo}/releases/{release}", s.api(need{contents: Write}, s.updateRelease))
	mux.HandleFunc("POST /repos/{owner}/{repo}/releases/{release}/assets", s.uploadAsset)
	mux.HandleFunc("DELETE /repos/{owner}/{repo}/releases/assets/{asset}", s.api(need{contents: Write}, s.deleteAsset))
	mux.HandleFunc("GET /{owner}/{repo}/releases/download/{tag}/{name}", s.api(need{}, s.downloadAsset))
	mux.HandleFunc("GET /repos/{owner}/{repo}/installation", s.asApp(s.getInstallation))
	mux.HandleFunc("POST /app/installations/{installation}/access_tokens", s.asApp(s.mintToken))
	for kind, person := range map[string]bool{"orgs": false, "users": true} {
		path := "/" + kind + "/{owner}/packages/container/{name}/versions"
		mux.HandleFunc("GET "+path, s.packageAPI(person, Read, s.listPackageVersions))
		mux.HandleFunc("DELETE "+path+"/{version}", s.packageAPI(person, Write, s.deletePackageVersion))
	}
	mux.HandleFunc("GET /{owner}/{repo}/info/refs", s.serveGit)
	mux.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.serveGit)
	mux.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.serveGit)
	return mux
}

// api makes a handler of a function that wants a repository and a lock. Runs
// that it started, once more or for the first time, are told to the listener
// after that.
func (s *Server) api(n need, serve func(call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.greet(w, r) {
			if repo := s.reach(w, r, n); repo != nil {
				serve(call{w, r, repo})
			}
		}
		s.unlockAndTell()
	}
}

// unlockAndTell unlocks the server and tells the listener about runs that were started.
func (s *Server) unlockAndTell() {
	started, hook := copyRuns(s.fresh), s.onRun
	s.fresh = nil
	s.mu.Unlock()
	if hook == nil {
		return
	}
	for _, run := range started {
		hook(run)
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
