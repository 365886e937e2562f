// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunWith(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	var story []string
	tell := func(run Run, what string) {
		story = append(story, fmt.Sprintf("%s/%d %s", run.Inputs["key"], run.Attempt, what))
	}
	idle := s.RunWith(t.Context(), func(ctx context.Context, run Run) {
		tell(run, "begins")
		s.Progress(run, false, Job{Name: "build", Conclusion: "success"})
		tell(run, s.state(run))
		switch run.Inputs["key"] {
		case "a":
			s.Progress(run, true, Job{Name: "build", Conclusion: "success"}, Job{Name: "test", Conclusion: "failure"})
		case "b":
			if a := ask(t, s, "POST", fmt.Sprintf("/repos/org/ci/actions/runs/%d/cancel", run.ID), nil); a.status != 202 {
				t.Errorf("cancel: got %d %s", a.status, a.body)
			}
			<-ctx.Done() // the cancel comes through
			s.Progress(run, true, Job{Name: "build", Conclusion: "success"})
		}
		tell(run, s.state(run))
	})
	for _, key := range []string{"a", "b"} {
		if a := ask(t, s, "POST", dispatches, map[string]any{"ref": "main", "inputs": map[string]any{"key": key}}); a.status != 204 {
			t.Fatalf("dispatch: got %d %s", a.status, a.body)
		}
	}
	idle()
	first := s.Runs()[0]
	if a := ask(t, s, "POST", fmt.Sprintf("/repos/org/ci/actions/runs/%d/rerun-failed-jobs", first.ID), nil); a.status != 201 {
		t.Fatalf("rerun: got %d %s", a.status, a.body)
	}
	s.Progress(first, true) // somebody who does not know of the rerun
	idle()
	want := []string{
		"a/1 begins", "a/1 in_progress", "a/1 completed failure",
		"b/1 begins", "b/1 in_progress", "b/1 completed cancelled",
		"a/2 begins", "a/2 in_progress", "a/2 completed failure",
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
}

func (s *Server) state(run Run) string {
	for _, r := range s.Runs() {
		if r.ID == run.ID && r.Conclusion != "" {
			return r.Status + " " + r.Conclusion
		} else if r.ID == run.ID {
			return r.Status
		}
	}
	return "gone"
}
