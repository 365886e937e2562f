// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jobList is the answer of a listing of jobs, as far as tests look at it.
type jobList struct {
	Total int `json:"total_count"`
	Jobs  []struct {
		ID         int64  `json:"id"`
		Name       string `json:"name"`
		Attempt    int    `json:"run_attempt"`
		Status     string `json:"status"`
		Conclusion string `json:"conclusion"`
	} `json:"jobs"`
}

func (l jobList) String() string {
	var all []string
	for _, j := range l.Jobs {
		all = append(all, fmt.Sprintf("%s/%d/%s/%s", j.Name, j.Attempt, j.Status, j.Conclusion))
	}
	return strings.Join(all, " ")
}

// startRun makes org/ci with one run, and returns the run's id and API path.
func startRun(s *Server) (int64, string) {
	repository(s)
	add(s, "a")
	id := s.Runs()[0].ID
	return id, fmt.Sprintf("/repos/org/ci/actions/runs/%d", id)
}

// TestSettle holds what the jobs of a run make of it.
func TestSettle(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, _ := startRun(s)
	for jobs, want := range map[string]string{
		"":                       "completed/skipped",
		"success skipped":        "completed/success",
		"success cancelled":      "completed/cancelled",
		"cancelled failure":      "completed/failure",
		"timed_out success":      "completed/failure",
		"success queued":         "in_progress/",
		"in_progress queued":     "in_progress/",
		"queued queued":          "queued/",
		"skipped neutral":        "completed/neutral",
		"action_required queued": "in_progress/",
	} {
		var list []Job
		for i, word := range strings.Fields(jobs) {
			j := Job{Name: fmt.Sprint(i), Conclusion: word}
			if word == "queued" || word == "in_progress" {
				j.Status, j.Conclusion = word, ""
			}
			list = append(list, j)
		}
		s.SetJobs(id, list...)
		run := s.Runs()[0]
		if got := run.Status + "/" + run.Conclusion; got != want {
			t.Errorf("%q: got %s, want %s", jobs, got, want)
		}
	}
}

// TestAttempts follows a run through a failure, a rerun of the failed jobs and
// one of all of them.
func TestAttempts(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, path := startRun(s)
	var told []int
	s.OnRun(func(r Run) { told = append(told, r.Attempt) })
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Conclusion: "failure"}, Job{Name: "report", Conclusion: "success", Always: true})
	ask(t, s, "POST", path+"/rerun-failed-jobs", nil)
	first := decode[jobList](t, ask(t, s, "GET", path+"/attempts/1/jobs", nil))
	second := decode[jobList](t, ask(t, s, "GET", path+"/jobs", nil))
	if second.Jobs[0].ID == first.Jobs[0].ID {
		t.Error("a job of a new attempt has the id of the old one")
	}
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Conclusion: "success"}, Job{Name: "report", Conclusion: "success"})
	if again := decode[jobList](t, ask(t, s, "GET", path+"/attempts/2/jobs", nil)); again.Jobs[1].ID != second.Jobs[1].ID {
		t.Errorf("job %d became %d when its state changed", second.Jobs[1].ID, again.Jobs[1].ID)
	}
	ask(t, s, "POST", path+"/rerun", nil)
	for query, want := range map[string]string{
		"/attempts/1/jobs":            "build/1/completed/success test/1/completed/failure report/1/completed/success",
		"/attempts/2/jobs":            "build/2/completed/success test/2/completed/success report/2/completed/success",
		"/jobs":                       "build/3/queued/ test/3/queued/ report/3/queued/",
		"/jobs?filter=all&per_page=4": "build/1/completed/success test/1/completed/failure report/1/completed/success build/2/completed/success",
		"/jobs?per_page=2&page=2":     "report/3/queued/",
	} {
		if got := decode[jobList](t, ask(t, s, "GET", path+query, nil)).String(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if got, want := second.String(), "build/2/completed/success test/2/queued/ report/2/queued/"; got != want {
		t.Errorf("the second attempt began as %q, want %q", got, want)
	}
	if diff := cmp.Diff([]int{2, 3}, told); diff != "" {
		t.Errorf("attempts told to OnRun (-want +got):\n%s", diff)
	}
	for _, number := range []string{"0", "4", "x"} {
		if a := ask(t, s, "GET", path+"/attempts/"+number+"/jobs", nil); a.status != 404 {
			t.Errorf("attempt %s: got %d, want 404", number, a.status)
		}
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, _ := startRun(s)
	s.SetJobs(id, Job{Name: "test", Conclusion: "failure", Annotations: []Annotation{
		{Level: "failure", Path: "lib/a.c", Line: 7, Title: "E", Text: "no"}, {Level: "notice", Path: ".github", Line: 1, EndLine: 2, Text: "x"},
	}})
	job := s.Jobs(id, 1)[0].ID
	a := ask(t, s, "GET", fmt.Sprintf("/repos/org/ci/check-runs/%d/annotations?per_page=1&page=2", job), nil)
	if !strings.Contains(a.body, `"end_line":2`) || strings.Contains(a.body, "lib/a.c") {
		t.Errorf("page 2: got %d %s", a.status, a.body)
	}
	if a := ask(t, s, "GET", "/repos/org/ci/check-runs/1/annotations", nil); a.status != 404 {
		t.Errorf("no such job: got %d, want 404", a.status)
	}
}

// TestPartialReruns lists only what was run again, and keeps the rest for the run's
// own conclusion.
func TestPartialReruns(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{PartialReruns: true})
	id, path := startRun(s)
	names := func(path string) (all []string) {
		for _, j := range decode[jobList](t, ask(t, s, "GET", path, nil)).Jobs {
			all = append(all, j.Name)
		}
		return all
	}
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Conclusion: "failure"})
	ask(t, s, "POST", path+"/rerun-failed-jobs", nil)
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Conclusion: "success"})
	if got := fmt.Sprint(names(path+"/attempts/1/jobs"), names(path+"/attempts/2/jobs"), names(path+"/jobs")); got != "[build test] [test] [test]" {
		t.Errorf("got %s", got)
	}
	if run := s.Runs()[0]; run.Conclusion != "success" {
		t.Errorf("got the run %s", run.Conclusion)
	}
}

// TestContinueOnError ends a run well although a job did not.
func TestContinueOnError(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, path := startRun(s)
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "nightly", Conclusion: "failure", ContinueOnError: true})
	if got := decode[jobList](t, ask(t, s, "GET", path+"/jobs", nil)).Jobs[1].Conclusion; s.Runs()[0].Conclusion != "success" || got != "failure" {
		t.Errorf("got the run %s and the job %s", s.Runs()[0].Conclusion, got)
	}
}
