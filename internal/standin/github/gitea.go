// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// giteaPath is where Gitea has its API.
const giteaPath = "/api/v1"

// giteaLacks are the calls that Gitea 1.25 does not have (routers/api/v1/api.go).
var giteaLacks = []string{
	"POST /repos/{owner}/{repo}/dispatches",
	cancelCall,
	"POST /repos/{owner}/{repo}/actions/runs/{run}/force-cancel",
	"POST /repos/{owner}/{repo}/actions/runs/{run}/rerun",
	"POST /repos/{owner}/{repo}/actions/runs/{run}/rerun-failed-jobs",
	"GET /repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}",
	"GET /repos/{owner}/{repo}/actions/runs/{run}/attempts/{attempt}/jobs",
	"GET /repos/{owner}/{repo}/check-runs/{job}/annotations",
}

// cancelCall is one of them that Forgejo has.
const cancelCall = "POST /repos/{owner}/{repo}/actions/runs/{run}/cancel"

// giteaLacks are the calls that the Gitea or Forgejo does not have.
func (o Options) giteaLacks() []string {
	lacks := giteaLacks
	if o.ForgejoAPI {
		lacks = slices.DeleteFunc(slices.Clone(lacks), func(pattern string) bool { return pattern == cancelCall })
	}
	if o.NoJobCalls {
		lacks = append(slices.Clip(lacks), "GET /repos/{owner}/{repo}/actions/runs/{run}/jobs")
	}
	return lacks
}

// gitea puts Gitea's API in front of GitHub's, without some calls. Repositories stay
// where they are.
func gitea(next http.Handler, without []string) http.Handler {
	lacks := http.NewServeMux()
	for _, pattern := range without {
		lacks.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			fail(w, http.StatusNotFound, "The target couldn't be found.")
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, isAPI := strings.CutPrefix(r.URL.Path, giteaPath)
		if !isAPI {
			if strings.HasPrefix(r.URL.Path, "/repos/") {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, ""
		if h, pattern := lacks.Handler(r); pattern != "" {
			h.ServeHTTP(w, r)
			return
		}
		q := r.URL.Query()
		size, err := strconv.Atoi(q.Get("limit"))
		if err != nil || size <= 0 {
			size = 30
		}
		q.Set("per_page", strconv.Itoa(min(size, 50)))
		q.Del("created")
		r.URL.RawQuery = q.Encode()
		r.Header.Del("Accept")
		r.Header.Del("If-None-Match")
		next.ServeHTTP(w, r)
	})
}

// giteaSteps gives each step the job's state, and the year 1970 to those that never
// ran (services/convert/convert.go).
func giteaSteps(j *Job) []any {
	steps := []any{}
	for i, step := range j.Steps {
		if step.Conclusion == "skipped" {
			step.Started, step.Completed = time.Unix(0, 0), time.Unix(0, 0)
		}
		steps = append(steps, object{
			"number": i, "name": step.Name, "status": j.Status, "conclusion": orNull(j.Conclusion),
			"started_at": timeOrNull(step.Started), "completed_at": timeOrNull(step.Completed),
		})
	}
	return steps
}

// makeWay ends the unfinished runs of a run's workflow and branch, as Gitea does
// before it starts another one (services/actions/workflow.go, CancelPreviousJobs).
func (s *Server) makeWay(next *Run) {
	for _, run := range s.runs {
		if run.Repository == next.Repository && run.Workflow == next.Workflow && run.Branch == next.Branch && run.Event == next.Event && run.Status != "completed" {
			s.end(run, true)
		}
	}
}
