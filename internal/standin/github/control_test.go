// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCancel(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, path := startRun(s)
	s.SetJobs(id, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Status: "in_progress"}, Job{Name: "report", Always: true})
	for _, step := range []struct {
		path, message string
		status        int
		want          string
	}{
		{"/cancel", "", 202, "in_progress/ success cancelled "},
		{"/force-cancel", "", 202, "completed/cancelled success cancelled cancelled"},
		{"/cancel", "Cannot cancel a workflow run that is completed.", 409, "completed/cancelled success cancelled cancelled"},
		{"/force-cancel", "Cannot cancel a workflow run that is completed.", 409, "completed/cancelled success cancelled cancelled"},
	} {
		a := ask(t, s, "POST", path+step.path, nil)
		run := s.Runs()[0]
		got := run.Status + "/" + run.Conclusion
		for _, j := range s.Jobs(id, 1) {
			got += " " + j.Conclusion
		}
		if a.status != step.status || a.message() != step.message || got != step.want {
			t.Errorf("%s: got %d %q, %q; want %d %q, %q", step.path, a.status, a.message(), got, step.status, step.message, step.want)
		}
	}
}

func TestRerunRefusals(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, path := startRun(s)
	check := func(path, want string) {
		t.Helper()
		if a := ask(t, s, "POST", path, nil); a.status != 403 || a.message() != want {
			t.Errorf("%s: got %d %q, want 403 %q", path, a.status, a.message(), want)
		}
	}
	check(path+"/rerun", "This workflow is already running")
	s.SetJobs(id, Job{Name: "test", Conclusion: "success"})
	check(path+"/rerun-failed-jobs", "This workflow run cannot be retried")
	for range 50 {
		if a := ask(t, s, "POST", path+"/rerun", nil); a.status != 201 {
			t.Fatalf("got %d %s, want 201", a.status, a.body)
		}
		s.SetJobs(id, Job{Name: "test", Conclusion: "failure"})
	}
	check(path+"/rerun", "This workflow run cannot be retried")
	s.Advance(maxRerunAge)
	check(path+"/rerun-failed-jobs", "Unable to retry this workflow run because it was created over a month ago")
	if run := s.Runs()[0]; run.Attempt != 51 || run.Conclusion != "failure" {
		t.Errorf("got attempt %d, %s; want 51, failure", run.Attempt, run.Conclusion)
	}
	for _, path := range []string{"/cancel", "/force-cancel", "/rerun", "/rerun-failed-jobs"} {
		if a := ask(t, s, "POST", "/repos/org/ci/actions/runs/1"+path, nil); a.status != 404 {
			t.Errorf("%s of no run: got %d, want 404", path, a.status)
		}
	}
}

func TestIssues(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: map[string]Access{"full": FullAccess, "reader": {User: "reader", Issues: Read}}})
	r := repository(s)
	r.SetIssue(Issue{Number: 7, Title: "flaky"})
	r.SetIssue(Issue{Number: 8, Title: "done", Closed: true, Locked: true})
	r.SetIssue(Issue{Number: 9, Title: "patch", PullRequest: true})
	for number, want := range map[string]string{
		"7": `"state":"open"`, "8": `"state":"closed"`, "9": `"pull_request":{`, "1": "Not Found", "x": "Not Found",
	} {
		if a := ask(t, s, "GET", "/repos/org/ci/issues/"+number, nil); !strings.Contains(a.body, want) {
			t.Errorf("%s: got %d %.300s, want %s in it", number, a.status, a.body, want)
		}
	}
	for _, tc := range []struct {
		number, token, body string
		status              int
	}{
		{"7", "full", "seen again", 201},
		{"7", "full", strings.Repeat("\u00e9", maxComment), 201},
		{"7", "full", strings.Repeat("x", maxComment+1), 422},
		{"7", "full", "", 422},
		{"7", "reader", "hello", 403},
		{"8", "full", "hello", 403},
		{"1", "full", "hello", 404},
	} {
		a := ask(t, s, "POST", "/repos/org/ci/issues/"+tc.number+"/comments", map[string]string{"body": tc.body}, "Authorization", "Bearer "+tc.token)
		if a.status != tc.status {
			t.Errorf("%+.60v: got %d %.200s, want %d", tc, a.status, a.body, tc.status)
		}
	}
	got := r.Comments(7)
	if len(got) != 2 {
		t.Fatalf("got %d comments, want 2", len(got))
	}
	if diff := cmp.Diff(Comment{Author: "octocat", Body: "seen again", At: got[0].At}, got[0]); diff != "" {
		t.Errorf("comment (-want +got):\n%s", diff)
	}
}
