// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestCancel ends a run, with and without force, and one that ended already.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(standin.Job{Name: "test", Status: "in_progress"}, standin.Job{Name: "report", Always: true})
	for _, step := range []struct {
		force bool
		want  string
	}{{false, "in_progress/"}, {true, "completed/cancelled"}, {false, "completed/cancelled"}, {true, "completed/cancelled"}} {
		err := w.client.Cancel(t.Context(), "org/ci", id, step.force)
		run := w.server.Runs()[0]
		if got := run.Status + "/" + run.Conclusion; got != step.want || err != nil {
			t.Errorf("force %v: got %s, %v; want %s", step.force, got, err, step.want)
		}
	}
	if got := len(w.server.Requests()); got != 4 {
		t.Errorf("got %d requests, want 4", got)
	}
}

func TestCancelFailures(t *testing.T) {
	t.Parallel()
	const early = `{"message":"Cannot cancel a workflow re-run that has not yet queued."}`
	for _, tc := range []struct {
		name     string
		rule     faults.Rule
		kind     fault.Kind // Unknown: it works in the end
		part     string
		requests int
	}{
		{"502 once", faults.Rule{Times: 1, Do: faults.Answer(502, "")}, fault.Unknown, "", 2},
		{"lost once: the second call finds the run ended", faults.Rule{Times: 1, Do: faults.LoseReply()}, fault.Unknown, "", 2},
		{"too early once", faults.Rule{Times: 1, Do: faults.Answer(409, early)}, fault.Unknown, "", 2},
		{"too early", faults.Rule{Do: faults.Answer(409, early)}, fault.Transient, "has not yet queued", 3},
		{"403", faults.Rule{Do: faults.Answer(403, `{"message":"Resource not accessible by integration"}`)}, fault.Configuration, "Actions: write", 1},
		{"200", faults.Rule{Do: faults.Answer(200, "{}")}, fault.Transient, "not what GitHub's REST API describes", 1},
		{"a web page", faults.Rule{Do: faults.Answer(200, "<html>", "Content-Type", "text/html")}, fault.Transient, "not what GitHub's REST API describes", 1},
	} {
		w := newWorld(t, standin.Options{})
		id := w.run(standin.Job{Name: "test"})
		w.server.Faults.Add(tc.rule)
		err := w.client.Cancel(t.Context(), "org/ci", id, false)
		if tc.kind != fault.Unknown {
			checkFailure(t, err, tc.kind, tc.part)
		} else if run := w.server.Runs()[0]; err != nil || run.Conclusion != "cancelled" {
			t.Errorf("%s: got %s, %v; want cancelled", tc.name, run.Conclusion, err)
		}
		if got := len(w.server.Requests()); got != tc.requests {
			t.Errorf("%s: got %d requests, want %d", tc.name, got, tc.requests)
		}
	}
}

// TestRerun meets what GitHub says to a rerun.
func TestRerun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(standin.Job{Name: "build", Conclusion: "success"}, standin.Job{Name: "test", Conclusion: "failure"})
	if err := w.client.Rerun(t.Context(), "org/ci", id, true); err != nil {
		t.Fatal(err)
	}
	if run, jobs := w.server.Runs()[0], w.server.Jobs(id, 2); run.Attempt != 2 || jobs[0].Conclusion != "success" || jobs[1].Conclusion != "" {
		t.Errorf("got attempt %d with jobs %+v", run.Attempt, jobs)
	}
	checkFailure(t, w.client.Rerun(t.Context(), "org/ci", id, false), fault.Transient, "already running")
	w.server.SetJobs(id, standin.Job{Name: "build", Conclusion: "success"})
	checkFailure(t, w.client.Rerun(t.Context(), "org/ci", id, true), fault.Permanent, "start a new run")
	w.advance(31 * 24 * time.Hour)
	err := w.client.Rerun(t.Context(), "org/ci", id, false)
	checkFailure(t, err, fault.Permanent, "created over a month ago")
	if errors.Is(err, ErrUnsettled) {
		t.Error("a refusal passed for ErrUnsettled")
	}
}

// TestActsAreNotRepeated holds that a lost answer to a rerun or a comment is
// told, and that nothing is sent twice, whatever the answer.
func TestActsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		do        func(http.Handler) http.Handler
		kind      fault.Kind
		part      string
		unsettled bool
	}{
		{"500", faults.Answer(500, ""), fault.Transient, "500", true},
		{"lost reply", faults.LoseReply(), fault.Transient, "EOF", true},
		{"202", faults.Answer(202, "{}"), fault.Transient, "org/ci", true},
		{"200", faults.Answer(200, "{}"), fault.Transient, "not what GitHub's REST API describes", true},
		{"403", faults.Answer(403, `{"message":"Resource not accessible by integration"}`), fault.Configuration, "write", false},
		{"429", faults.Answer(429, "", "Retry-After", "7"), fault.Transient, "rate limit", false},
		{"422", faults.Answer(422, `{"message":"Validation Failed","errors":[{"message":"spam"}]}`), fault.Configuration, "spam", false},
	} {
		for what, act := range map[string]func(*world, int64) error{
			"rerun":   func(w *world, id int64) error { return w.client.Rerun(t.Context(), "org/ci", id, false) },
			"comment": func(w *world, _ int64) error { return w.client.CommentIssue(t.Context(), "org/ci", 7, "x") },
		} {
			w := newWorld(t, standin.Options{})
			w.repo.SetIssue(standin.Issue{Number: 7})
			id := w.run(standin.Job{Name: "test", Conclusion: "failure"})
			w.server.Faults.Add(faults.Rule{Method: "POST", Do: tc.do})
			err := act(w, id)
			checkFailure(t, err, tc.kind, tc.part)
			if got := errors.Is(err, ErrUnsettled); got != tc.unsettled {
				t.Errorf("%s, %s: got unsettled %v, want %v: %v", what, tc.name, got, tc.unsettled, err)
			}
			if got := len(w.server.Requests()); got != 1 {
				t.Errorf("%s, %s: got %d requests, want 1", what, tc.name, got)
			}
		}
	}
}

// TestRerunTexts covers refusals whose texts the stand-in does not have.
func TestRerunTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(standin.Job{Name: "test", Conclusion: "failure"})
	for message, kind := range map[string]fault.Kind{
		"Unable to re-run this workflow run because it was created over a month ago": fault.Permanent,
		"This workflow run cannot be rerun":                                          fault.Permanent,
		"You have reached the maximum number of re-runs":                             fault.Permanent,
		"Must have admin rights to Repository.":                                      fault.Configuration,
		"Resource protected by organization SAML enforcement.":                       fault.Configuration,
	} {
		w.server.Faults.Clear()
		w.server.Faults.Add(faults.Rule{Do: faults.Answer(403, `{"message":"`+message+`"}`)})
		checkFailure(t, w.client.Rerun(t.Context(), "org/ci", id, false), kind, message)
	}
}
