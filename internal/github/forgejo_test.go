// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// newForgejo is a world whose server is a Forgejo.
func newForgejo(t *testing.T, o standin.Options) *world {
	t.Helper()
	o.ForgejoAPI, o.Wrap = true, func(next http.Handler) http.Handler { return next }
	w := newWorld(t, o)
	w.client = newClient(t, w.clock, w.server.URL()+"/api/v1")
	return w
}

// TestForgejoStates reads each of Forgejo's words (models/actions/status.go), of a run
// and of a job. What is not known has not ended.
func TestForgejoStates(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"unknown": "unknown ", "waiting": "queued ", "running": "in_progress ", "blocked": "waiting ", "new one": "new one ",
		"success": "completed success", "failure": "completed failure", "cancelled": "completed cancelled", "skipped": "completed skipped",
	} {
		run := `{"id":1,"title":"k","workflow_id":"a.yml","commit_sha":"","event":"push","trigger_event":"push","status":"` + word + `","created":"2026-11-01T00:00:00Z","updated":"2026-11-02T00:00:00Z"}`
		runs, err := answering(t, http.StatusOK, []byte(`{"total_count":1,"workflow_runs":[`+run+`]}`)).Runs(t.Context(), "org/ci", time.Time{})
		if err != nil || len(runs) != 1 {
			t.Errorf("%s: got %+v, %v", word, runs, err)
			continue
		}
		if got := runs[0].Status + " " + runs[0].Conclusion; got != want || runs[0].Updated.Day() != 2 {
			t.Errorf("%s: got the run %+v, want %q", word, runs[0], want)
		}
		jobs, err := answering(t, http.StatusOK, []byte(`[{"id":1,"name":"a","status":"`+word+`","task_id":0}]`)).Jobs(t.Context(), "org/ci", 1, 1)
		if err != nil || len(jobs) != 1 || jobs[0].Status+" "+jobs[0].Conclusion != want || jobs[0].Runner != "" {
			t.Errorf("%s: got the jobs %+v, %v; want %q", word, jobs, err, want)
		}
	}
}

// TestKeyed: the key of a run is its input's where its title shows none. Other inputs
// hold what anybody wrote.
func TestKeyed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ title, payload, want string }{
		{"Autorun", `{"inputs":{"key":"101/1/autorun.yml/1","subject":"7/7/a.yml/1"}}`, "101/1/autorun.yml/1 Autorun"},
		{"7/1/autorun.yml/1 nvme: fix", `{"inputs":{"key":"101/1/autorun.yml/1"}}`, "7/1/autorun.yml/1 nvme: fix"},
		{"Autorun", `{"inputs":{"key":"101/1/autorun.yml/1 x"}}`, "Autorun"},
		{"Autorun", `{"inputs":{"subject":"7/7/a.yml/1"}}`, "Autorun"},
		{"Autorun", `{"inputs":{"key":7}}`, "Autorun"},
		{"Autorun", `{"inputs":null}`, "Autorun"},
		{"Autorun", `[]`, "Autorun"},
		{"Autorun", "", "Autorun"},
	} {
		if got := keyed(tt.title, tt.payload); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.title, tt.payload, got, tt.want)
		}
	}
}

func TestForgejoRun(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		w := newForgejo(t, standin.Options{PlainTitles: plain})
		started, err := w.client.Dispatch(t.Context(), autorunCall())
		made := w.server.Runs()[0]
		if err != nil || started != (Started{Outcome: change.Accepted, RunID: made.ID}) {
			t.Fatalf("got %+v, %v; want run %d", started, err, made.ID)
		}
		runs, err := w.client.Runs(t.Context(), "org/ci", w.now().Add(-time.Minute))
		if err != nil || len(runs) != 1 {
			t.Fatalf("got %+v, %v", runs, err)
		}
		want := change.Run{
			ID: made.ID, Name: made.Title, Workflow: "autorun.yml", Status: "queued", URL: w.server.URL() + "/org/ci/actions/runs/1",
			OnePage: true, Created: made.Created, Updated: made.Updated, Attempt: 1, Event: "workflow_dispatch", Head: change.Revision(made.Head),
		}
		if plain {
			want.Name = made.Inputs["key"] + " Autorun"
		}
		if diff := cmp.Diff(want, runs[0]); diff != "" || plain != (made.Title == "Autorun") {
			t.Errorf("title %q (-want +got):\n%s", made.Title, diff)
		}
		if run, err := w.client.RunAttempt(t.Context(), "org/ci", made.ID, 1); err != nil || run != runs[0] {
			t.Errorf("got %+v, %v", run, err)
		}
	}
}

// TestForgejoBusy: a client that has seen no run asks in GitHub's words first.
func TestForgejoBusy(t *testing.T) {
	t.Parallel()
	w := newForgejo(t, standin.Options{})
	for _, status := range []string{"queued", "in_progress", "waiting", "completed"} {
		w.server.AddRun(standin.Run{Repository: "org/ci", Workflow: "autorun.yml", Title: "t", Status: status, Conclusion: map[bool]string{true: "success"}[status == "completed"]})
	}
	for range 2 {
		runs, err := w.client.Busy(t.Context(), "org/ci")
		if err != nil || len(runs) != 3 {
			t.Errorf("got %+v, %v; want three", runs, err)
		}
	}
	refused := 0
	for _, r := range w.server.Requests() {
		if strings.Contains(r.Path, "status=requested") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("asked %d times in words that are not Forgejo's, want once", refused)
	}
	w = newGitea(t)
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("status=requested"), Do: faults.Answer(400, `{"message":"limit is wrong"}`, "Content-Type", "application/json")})
	if _, err := w.client.Busy(t.Context(), "org/ci"); err == nil || !strings.Contains(err.Error(), "limit is wrong") {
		t.Errorf("another refusal: got %v", err)
	}
}

func TestForgejoJobs(t *testing.T) {
	t.Parallel()
	w := newForgejo(t, standin.Options{})
	w.client.Dispatch(t.Context(), autorunCall())
	id := w.server.Runs()[0].ID
	if jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1); err != nil || len(jobs) != 0 {
		t.Errorf("no jobs: got %+v, %v", jobs, err)
	}
	all := []standin.Job{{Name: "unit", Status: "completed", Conclusion: "failure", Runner: "r", Steps: []standin.Step{
		{Name: "make test", Status: "completed", Conclusion: "failure", Started: w.now(), Completed: w.now(), Log: "not ok 1"}}}}
	for n := range 60 { // more than a page
		all = append(all, standin.Job{Name: fmt.Sprint("later ", n), Status: "queued"})
	}
	w.server.SetJobs(id, all...)
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1)
	if err != nil || len(jobs) != 61 {
		t.Fatalf("got %d jobs, %v; want 61", len(jobs), err)
	}
	if j := jobs[0]; j.Conclusion != "failure" || j.Runner == "" || j.Attempt != 1 || len(j.Steps) != 0 || jobs[1].Runner != "" || jobs[1].Status != "queued" {
		t.Errorf("got %+v and %+v", j, jobs[1])
	}
	log, err := w.client.OpenLog(t.Context(), "org/ci", jobs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if text, err := io.ReadAll(log); err != nil || !strings.Contains(string(text), "not ok 1") {
		t.Errorf("log: got %q, %v", text, err)
	}
	if found, err := w.client.Artifacts(t.Context(), "org/ci", id); err != nil || len(found) != 0 {
		t.Errorf("no artifacts: got %+v, %v", found, err)
	}
	for n := range 60 {
		w.server.AddArtifact(id, standin.Artifact{Name: fmt.Sprint("a", n)})
	}
	if found, err := w.client.Artifacts(t.Context(), "org/ci", id); err != nil || len(found) != 60 || found[0].Name != "a59" || found[0].URL != "" {
		t.Errorf("got %d artifacts, %v, %+v; want 60 without pages", len(found), err, found[:min(1, len(found))])
	}
}

// TestForgejoActs: a run can be ended, and one that has ended already; a rerun is not
// asked for, because nobody could follow it.
func TestForgejoActs(t *testing.T) {
	t.Parallel()
	w := newForgejo(t, standin.Options{})
	w.client.Dispatch(t.Context(), autorunCall())
	id := w.server.Runs()[0].ID
	for _, force := range []bool{false, true} {
		if err := w.client.Cancel(t.Context(), "org/ci", id, force); err != nil || w.server.Runs()[0].Conclusion != "cancelled" {
			t.Errorf("force %v: got %v, %+v", force, err, w.server.Runs()[0])
		}
	}
	if err := w.client.Cancel(t.Context(), "org/ci", 5, false); !errors.Is(err, ErrGone) {
		t.Errorf("cancel no run: got %v, want ErrGone", err)
	}
	err := w.client.Rerun(t.Context(), "org/ci", id, false)
	checkFailure(t, err, fault.Permanent, "this server's API has no such call")
	for _, r := range w.server.Requests() {
		if strings.Contains(r.Path, "rerun") {
			t.Errorf("asked for %s", r.Path)
		}
	}
}

// TestForgejoIsTooOld: before release 16 nothing tells the jobs of a run, which is no
// run that is gone, and nothing to try again.
func TestForgejoIsTooOld(t *testing.T) {
	t.Parallel()
	w := newForgejo(t, standin.Options{NoJobCalls: true})
	w.client.Dispatch(t.Context(), autorunCall())
	_, err := w.client.Jobs(t.Context(), "org/ci", w.server.Runs()[0].ID, 1)
	checkFailure(t, err, fault.Configuration, "use Forgejo 16")
	if errors.Is(err, ErrGone) {
		t.Errorf("got %v: the run is there", err)
	}
	if _, err := w.client.Jobs(t.Context(), "org/ci", 5, 1); !errors.Is(err, ErrGone) {
		t.Errorf("no such run: got %v, want ErrGone", err)
	}
}
