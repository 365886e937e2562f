// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// newGitea is a world whose server is a Gitea.
func newGitea(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, standin.Options{GiteaAPI: true, Wrap: func(next http.Handler) http.Handler { return next }})
	w.client = newClient(t, w.clock, w.server.URL()+"/api/v1")
	return w
}

func TestGiteaIsKnownByItsAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://gitea.example.org/api/v1": true, "https://example.org/git/api/v1/": true,
		"https://ghe.example.org/api/v3": false, "": false, "https://api.github.com": false, "no address": false,
	} {
		if Gitea(address) != want {
			t.Errorf("%q: got %v", address, !want)
		}
	}
}

func TestGiteaWorkflowFile(t *testing.T) {
	t.Parallel()
	w := newGitea(t)
	file, err := w.client.WorkflowFile(t.Context(), "org/ci", "", "autorun.yml")
	if err != nil || !file.Found || file.RunName != "${{ inputs.key }}" || len(file.Inputs) != 2 {
		t.Errorf("got %+v, %v", file, err)
	}
	if file, err = w.client.WorkflowFile(t.Context(), "org/ci", "", "none.yml"); err != nil || file.Found {
		t.Errorf("no such file: got %+v, %v", file, err)
	}
}

func TestContentOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("YWFh", maxWorkflowFile/3+1)
	for _, tt := range []struct{ kind, body, want, problem string }{
		{"application/vnd.github.raw+json; charset=utf-8", `{"content":"b24="}`, `{"content":"b24="}`, ""},
		{"text/plain", "on: push", "on: push", ""},
		{"application/json;charset=utf-8", `{"encoding":"base64","content":"b246\nIHB1\nc2g="}`, "on: push", ""},
		{"application/json", `{"encoding":"base64","content":"?"}`, "", "no file"},
		{"application/json", `{"encoding":"none","content":""}`, "", "no file"},
		{"application/json", `[{"type":"dir"}]`, "", "no file"},
		{"application/json", `{"encoding":"base64","content":"` + long + `"}`, "", "larger"},
	} {
		resp := &http.Response{Header: http.Header{"Content-Type": {tt.kind}}}
		got, err := contentOf(resp, []byte(tt.body))
		if string(got) != tt.want || (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s %.60s: got %q, %v", tt.kind, tt.body, got, err)
		}
	}
}

// TestGiteaRuns reads lists whose pages are shorter than asked for, and ends with
// the first page on which all is too old.
func TestGiteaRuns(t *testing.T) {
	t.Parallel()
	w := newGitea(t)
	add := func(n int, status string) {
		for i := range n {
			w.server.AddRun(standin.Run{Repository: "org/ci", Workflow: "autorun.yml", Title: fmt.Sprint(i), Event: "workflow_dispatch", Branch: "main", Status: status, Conclusion: "success"})
		}
	}
	add(120, "completed") // long ago
	w.server.Advance(time.Hour)
	w.advance(time.Hour)
	since := w.now().Add(-time.Minute)
	add(70, "completed")
	add(1, "queued") // has no time
	before := len(w.server.Requests())
	runs, err := w.client.Runs(t.Context(), "org/ci", since)
	if err != nil || len(runs) != 71 {
		t.Fatalf("got %d runs, %v; want 71", len(runs), err)
	}
	if run := runs[5]; run.Workflow != "autorun.yml" || run.Attempt != 1 || run.Created.Before(since) {
		t.Errorf("got %+v", run)
	}
	if asked := len(w.server.Requests()) - before; asked != 4 {
		t.Errorf("%d requests, want 4: three pages, and one of the other event", asked)
	}
	if runs, err = w.client.Busy(t.Context(), "org/ci"); err != nil || len(runs) != 1 {
		t.Errorf("busy: got %d runs, %v; want 1", len(runs), err)
	}
}

func TestGiteaJobs(t *testing.T) {
	t.Parallel()
	w := newGitea(t)
	if started, err := w.client.Dispatch(t.Context(), autorunCall()); err != nil || started != (Started{Outcome: change.Accepted}) {
		t.Fatalf("got %+v, %v", started, err)
	}
	id := w.server.Runs()[0].ID
	begin := w.now()
	step := func(name, conclusion string) standin.Step {
		return standin.Step{Name: name, Status: "completed", Conclusion: conclusion, Started: begin, Completed: begin, Log: "line of " + name}
	}
	w.server.SetJobs(id, standin.Job{Name: "unit", Status: "completed", Conclusion: "failure", Runner: "r", Started: begin, Completed: begin,
		Steps: []standin.Step{step("checkout", "success"), step("make test", "failure"), step("upload", "skipped")}})
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("got %+v, %v", jobs, err)
	}
	var ended []string
	for _, s := range jobs[0].Steps {
		ended = append(ended, s.Name+" "+s.Conclusion)
	}
	if diff := cmp.Diff([]string{"checkout success", "make test failure", "upload skipped"}, ended); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if run, err := w.client.RunAttempt(t.Context(), "org/ci", id, 1); err != nil || run.ID != id {
		t.Errorf("attempt: got %+v, %v", run, err)
	}
	if remarks, err := w.client.Annotations(t.Context(), "org/ci", jobs[0]); err != nil || remarks != nil {
		t.Errorf("annotations: got %v, %v; want none", remarks, err)
	}
	log, err := w.client.OpenLog(t.Context(), "org/ci", jobs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if text, err := io.ReadAll(log); err != nil || !bytes.Contains(text, []byte("line of make test")) {
		t.Errorf("log: got %q, %v", text, err)
	}
	if _, err := w.client.OpenLog(t.Context(), "org/ci", 5); !errors.Is(err, ErrGone) {
		t.Errorf("no such job: got %v, want ErrGone", err)
	}
}

// TestGiteaSendsElsewhere: a log may be kept by another server, beside Gitea on
// the same host or below its name, which gets no token.
func TestGiteaSendsElsewhere(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"https://git.example.org/here", "https://git.example.org:9000/log", "https://s3.git.example.org/log", "https://s3.example.org/log"} {
		got := map[string]bool{}
		c, err := New(Options{APIURL: "https://git.example.org/api/v1", Token: Static(secret), Now: newClock().now, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			got[r.URL.String()] = r.Header.Get("Authorization") != ""
			if r.URL.String() != to {
				return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {to}}, Body: http.NoBody, Request: r}, nil
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("a line\n")), Request: r}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		if log, err := c.JobLog(t.Context(), "org/ci", change.Job{ID: 1}, 5); err != nil || len(log.Tail) != 1 {
			t.Errorf("%s: got %q, %v", to, log.Tail, err)
		}
		want := map[string]bool{"https://git.example.org/api/v1/repos/org/ci/actions/jobs/1/logs": true, to: strings.HasSuffix(to, "/here")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests with a token (-want +got):\n%s", diff)
		}
	}
}

// TestGiteaLacks: a call that Gitea does not have is told from a run that is gone.
func TestGiteaLacks(t *testing.T) {
	t.Parallel()
	w := newGitea(t)
	w.client.Dispatch(t.Context(), autorunCall())
	id := w.server.Runs()[0].ID
	for name, do := range map[string]func(int64) error{
		"cancel": func(id int64) error { return w.client.Cancel(t.Context(), "org/ci", id, false) },
		"rerun":  func(id int64) error { return w.client.Rerun(t.Context(), "org/ci", id, true) },
	} {
		err := do(id)
		checkFailure(t, err, fault.Permanent, "this server's API has no such call")
		if errors.Is(err, ErrGone) || !strings.Contains(fault.HintOf(err), fmt.Sprint(id)) {
			t.Errorf("%s: got %v, %q; want the run's page", name, err, fault.HintOf(err))
		}
		if err := do(5); !errors.Is(err, ErrGone) {
			t.Errorf("%s of no run: got %v, want ErrGone", name, err)
		}
	}
}
