// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"fmt"
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

// run puts one run on the list and gives it jobs.
func (w *world) run(jobs ...standin.Job) int64 {
	id := w.server.AddRun(standin.Run{
		Repository: "org/ci", Workflow: "autorun.yml", Name: "Autorun", Title: "1/2/autorun.yml/1", Branch: "main", Head: strings.Repeat("a", 40),
	})
	if len(jobs) > 0 {
		w.server.SetJobs(id, jobs...)
	}
	return id
}

func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	created := w.now()
	id := w.run(standin.Job{Name: "test", Conclusion: "failure"})
	w.advance(time.Hour)
	if err := w.client.Rerun(t.Context(), "org/ci", id, false); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.Run(t.Context(), "org/ci", id)
	if err != nil {
		t.Fatal(err)
	}
	want := change.Run{
		ID: id, Name: "1/2/autorun.yml/1", Workflow: "autorun.yml", Status: "queued", Event: "workflow_dispatch", Attempt: 2,
		URL:     fmt.Sprintf("%s/org/ci/actions/runs/%d", w.server.URL(), id),
		Created: created, Updated: created.Add(time.Hour), Head: change.Revision(strings.Repeat("a", 40)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	begin := w.now()
	id := w.run(
		standin.Job{Name: "build", Conclusion: "success", Completed: begin.Add(time.Minute)},
		standin.Job{Name: "test (a, <b>)", Conclusion: "failure", Runner: "lab-1", Completed: begin.Add(time.Hour), Steps: []standin.Step{
			{Name: "Set up job"}, {Name: "Run tests", Conclusion: "failure"}, {Name: "Upload", Conclusion: "skipped"},
		}},
		standin.Job{Name: "report", Status: "in_progress"},
	)
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	ids := w.server.Jobs(id, 1)
	page := fmt.Sprintf("%s/org/ci/actions/runs/%d/job/", w.server.URL(), id)
	want := []change.Job{
		{ID: ids[0].ID, Name: "build", Attempt: 1, Status: "completed", Conclusion: "success", Started: begin, Completed: begin.Add(time.Minute), URL: page + fmt.Sprint(ids[0].ID)},
		{
			ID: ids[1].ID, Name: "test (a, <b>)", Attempt: 1, Status: "completed", Conclusion: "failure", Started: begin, Completed: begin.Add(time.Hour),
			URL: page + fmt.Sprint(ids[1].ID), Runner: "lab-1", Steps: []change.Step{
				{Number: 1, Name: "Set up job", Status: "completed", Conclusion: "success", Started: begin, Completed: begin.Add(time.Hour)},
				{Number: 2, Name: "Run tests", Status: "completed", Conclusion: "failure", Started: begin, Completed: begin.Add(time.Hour)},
				{Number: 3, Name: "Upload", Status: "completed", Conclusion: "skipped", Started: begin, Completed: begin.Add(time.Hour)},
			},
		},
		{ID: ids[2].ID, Name: "report", Attempt: 1, Status: "in_progress", Started: begin, URL: page + fmt.Sprint(ids[2].ID)},
	}
	if diff := cmp.Diff(want, jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

// TestJobsOfAttempts asks for the jobs of each attempt of a run.
func TestJobsOfAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(standin.Job{Name: "build", Conclusion: "success"}, standin.Job{Name: "test", Conclusion: "cancelled"})
	if err := w.client.Rerun(t.Context(), "org/ci", id, true); err != nil {
		t.Fatal(err)
	}
	for attempt, want := range map[int]string{
		0: "build/2/success test/2/", 1: "build/1/success test/1/cancelled", 2: "build/2/success test/2/",
	} {
		jobs, err := w.client.Jobs(t.Context(), "org/ci", id, attempt)
		var got []string
		for _, j := range jobs {
			got = append(got, fmt.Sprintf("%s/%d/%s", j.Name, j.Attempt, j.Conclusion))
		}
		if strings.Join(got, " ") != want || err != nil {
			t.Errorf("attempt %d: got %q, %v; want %q", attempt, got, err, want)
		}
	}
}

// TestManyJobs reads more than one page, between which a job appears before the
// others.
func TestManyJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	jobs := make([]standin.Job, 250)
	for i := range jobs {
		jobs[i].Name = fmt.Sprint(i)
	}
	id := w.run(jobs...)
	w.server.Faults.Add(faults.Rule{Times: 1, Path: regexp.MustCompile("[?&]page=2"), Do: func(next http.Handler) http.Handler {
		w.server.SetJobs(id, append([]standin.Job{{Name: "late"}}, jobs...)...)
		return next
	}})
	got, err := w.client.Jobs(t.Context(), "org/ci", id, 0)
	ids := map[int64]bool{}
	for _, j := range got {
		ids[j.ID] = true
	}
	if err != nil || len(got) != 250 || len(ids) != 250 {
		t.Errorf("got %d jobs with %d ids, %v; want 250", len(got), len(ids), err)
	}
	if got := len(w.server.Requests()); got != 3 {
		t.Errorf("got %d requests, want 3", got)
	}
}

// TestEndlessJobs lets a server send full pages for ever.
func TestEndlessJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	full := strings.Repeat(`{"id":1},`, pageSize)
	w.server.Faults.Add(faults.Rule{Do: faults.Answer(200, `{"jobs":[`+full[:len(full)-1]+`]}`)})
	_, err := w.client.Jobs(t.Context(), "org/ci", 1, 0)
	checkFailure(t, err, fault.Permanent, "more than 5000 of them")
	if got, want := len(w.server.Requests()), maxJobs/pageSize+1; got != want {
		t.Errorf("got %d requests, want %d", got, want)
	}
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	var many []standin.Annotation
	for i := range 250 {
		many = append(many, standin.Annotation{Level: "warning", Path: "a.c", Line: i + 1, Text: "w"})
	}
	id := w.run(
		standin.Job{Name: "test", Conclusion: "failure", Annotations: []standin.Annotation{
			{Level: "failure", Path: ".github", Line: 1, Text: "Process completed with exit code 1."},
			{Level: "failure", Path: "lib/b.c", Line: 7, EndLine: 9, Title: "<T>", Text: "one\ntwo"},
		}},
		standin.Job{Name: "noisy", Annotations: many}, standin.Job{Name: "quiet"},
	)
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.client.Annotations(t.Context(), "org/ci", jobs[0])
	want := []change.Annotation{
		{Level: "failure", Path: ".github", Line: 1, EndLine: 1, Text: "Process completed with exit code 1."},
		{Level: "failure", Path: "lib/b.c", Line: 7, EndLine: 9, Title: "<T>", Text: "one\ntwo"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("annotations (-want +got), %v:\n%s", err, diff)
	}
	for i, want := range map[int]int{1: maxAnnotations, 2: 0} {
		if got, err := w.client.Annotations(t.Context(), "org/ci", jobs[i]); len(got) != want || err != nil {
			t.Errorf("%s: got %d annotations, %v; want %d", jobs[i].Name, len(got), err, want)
		}
	}
}

// TestGone asks for things that are not there, in a repository that is and in
// one that is not.
func TestGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	ctx := t.Context()
	for name, ask := range map[string]func(repository string) error{
		"run":         func(r string) error { _, err := w.client.Run(ctx, r, 1); return err },
		"jobs":        func(r string) error { _, err := w.client.Jobs(ctx, r, 1, 0); return err },
		"attempt":     func(r string) error { _, err := w.client.Jobs(ctx, r, 1, 9); return err },
		"annotations": func(r string) error { _, err := w.client.Annotations(ctx, r, change.Job{ID: 1}); return err },
		"artifacts":   func(r string) error { _, err := w.client.Artifacts(ctx, r, 1); return err },
		"artifact":    func(r string) error { _, _, err := w.client.OpenArtifact(ctx, r, 1); return err },
		"cancel":      func(r string) error { return w.client.Cancel(ctx, r, 1, false) },
		"rerun":       func(r string) error { return w.client.Rerun(ctx, r, 1, true) },
		"issue":       func(r string) error { _, _, err := w.client.Issue(ctx, r, 1); return err },
		"comment":     func(r string) error { return w.client.CommentIssue(ctx, r, 1, "x") },
	} {
		err := ask("org/ci")
		checkFailure(t, err, fault.Permanent, "it is not there, or not any more")
		if !errors.Is(err, ErrGone) || fault.HintOf(err) != "" {
			t.Errorf("%s: got %v (%s), want ErrGone and no hint", name, err, fault.HintOf(err))
		}
		err = ask("org/gone")
		checkFailure(t, err, fault.Configuration, "check that org/gone is right")
		if errors.Is(err, ErrGone) {
			t.Errorf("%s: a repository that is not there passed for ErrGone", name)
		}
		checkFailure(t, ask("org"), fault.Configuration, "OWNER/NAME")
		w.server.Faults.Add(faults.Rule{Times: 1, Do: faults.Answer(404, "<html>", "Content-Type", "text/html")})
		if err := ask("org/ci"); errors.Is(err, ErrGone) {
			t.Errorf("%s: a web page passed for ErrGone", name)
		}
	}
}

// TestBadAnswers covers answers that must not pass for a run or for an empty
// list.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	ctx := t.Context()
	job := change.Job{ID: 1}
	for name, body := range map[string]string{
		"empty": "", "null": "null", "another object": "{}", "another text": "Welcome!", "no id": `{"id":0,"jobs":[{}],"artifacts":[{}]}`,
		"wrong types": `{"id":"1","jobs":{},"artifacts":7}`, "negative": `{"id":-1,"jobs":[{"id":-1}],"artifacts":[{"id":1,"size_in_bytes":-1}]}`,
		"another run": `{"id":8,"created_at":"2026-01-01T00:00:00Z","jobs":[{"id":1,"started_at":"now"}],"artifacts":[{"id":true}]}`,
	} {
		w.server.Faults.Clear()
		w.server.Faults.Add(faults.Rule{Do: faults.Answer(200, body)})
		run, err := w.client.Run(ctx, "org/ci", 7)
		checkFailure(t, err, fault.Transient, "failed to read run 7 of org/ci")
		jobs, err := w.client.Jobs(ctx, "org/ci", 7, 3)
		checkFailure(t, err, fault.Transient, "failed to list the jobs of run 7 of org/ci (attempt 3)")
		annotations, err := w.client.Annotations(ctx, "org/ci", job)
		checkFailure(t, err, fault.Transient, "failed to list the annotations of job 1 of org/ci")
		artifacts, err := w.client.Artifacts(ctx, "org/ci", 7)
		checkFailure(t, err, fault.Transient, "failed to list the artifacts of run 7 of org/ci")
		if diff := cmp.Diff(change.Run{}, run); diff != "" || len(jobs)+len(annotations)+len(artifacts) > 0 {
			t.Errorf("%s: got %+v, %v, %v, %v", name, run, jobs, annotations, artifacts)
		}
	}
}
