// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const dispatches = "/repos/org/ci/actions/workflows/autorun.yml/dispatches"

func TestDispatchWorkflow(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	head := repository(s).Commit("dev", map[string]string{".github/workflows/autorun.yml": autorun})
	var told []Run
	s.OnRun(func(r Run) { told = append(told, r) })

	a := ask(t, s, "POST", dispatches, map[string]any{
		"ref": "dev", "inputs": map[string]any{"key": "1/2/autorun.yml/1"}, "return_run_details": true,
	})
	if a.status != http.StatusOK {
		t.Fatalf("got %d: %s", a.status, a.body)
	}
	details := decode[struct {
		ID  int64  `json:"workflow_run_id"`
		URL string `json:"html_url"`
	}](t, a)
	want := Run{
		ID: details.ID, Number: 1, Repository: "org/ci", Workflow: "autorun.yml", Name: "Autorun",
		Title: "1/2/autorun.yml/1 none", Event: "workflow_dispatch", Branch: "dev", Head: head, Status: "queued",
		Actor: "octocat", Inputs: map[string]string{"key": "1/2/autorun.yml/1", "subject": "none"},
		Created: s.now(), Updated: s.now(), Attempt: 1, Started: s.now(),
	}
	if diff := cmp.Diff([]Run{want}, s.Runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Run{want}, told); diff != "" {
		t.Errorf("told to OnRun (-want +got):\n%s", diff)
	}
	if details.ID <= 1<<32 || !strings.HasSuffix(details.URL, "/org/ci/actions/runs/9000000001") {
		t.Errorf("got id %d and page %s", details.ID, details.URL)
	}
}

func TestDispatchRefusals(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	r := repository(s)
	r.Commit("bare", map[string]string{"README": "no workflows"})
	tooMany := map[string]any{}
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		tooMany[string(c)] = "1"
	}
	key := map[string]any{"key": "k"}
	for _, tc := range []struct {
		name, file, ref string
		inputs          map[string]any
		status          int
		message         string
	}{
		{"no such file", "gone.yml", "main", key, 404, "Not Found"},
		{"no such branch", "autorun.yml", "gone", key, 422, "No ref found for: gone"},
		{"a commit is no ref", "autorun.yml", r.Refs()["refs/heads/main"], key, 422, "No ref found for: " + r.Refs()["refs/heads/main"]},
		{"not on that branch", "autorun.yml", "bare", key, 422, "Workflow does not exist on the ref bare"},
		{"no trigger", "push.yml", "main", nil, 422, "Workflow does not have 'workflow_dispatch' trigger"},
		{"undeclared inputs", "autorun.yml", "main", map[string]any{"key": "k", "b": "1", "a": "2"}, 422, `Unexpected inputs provided: ["a", "b"]`},
		{"required input", "autorun.yml", "main", nil, 422, "Required input 'key' not provided"},
		{"choice", "autorun.yml", "main", map[string]any{"key": "k", "mode": "odd"}, 422, "Provided value 'odd' for input 'mode' not in the list of allowed values"},
		{"too many inputs", "autorun.yml", "main", tooMany, 422, "you may only define up to 25 `inputs` for a `workflow_dispatch` event"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := map[string]any{"ref": tc.ref, "inputs": tc.inputs}
			if tc.inputs == nil {
				delete(body, "inputs")
			}
			a := ask(t, s, "POST", "/repos/org/ci/actions/workflows/"+tc.file+"/dispatches", body)
			if a.status != tc.status || a.message() != tc.message {
				t.Errorf("got %d %q, want %d %q", a.status, a.message(), tc.status, tc.message)
			}
		})
	}
	if runs := s.Runs(); len(runs) != 0 {
		t.Errorf("refused calls started %v", runs)
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		details Details
		asked   any
		status  int
		runs    int
	}{
		{"not asked for", ReturnDetails, nil, 204, 1},
		{"asked for", ReturnDetails, true, 200, 1},
		{"declined", ReturnDetails, false, 204, 1},
		{"ignored", IgnoreDetails, true, 204, 1},
		{"refused", RefuseDetails, true, 422, 0},
		{"refused server, not asked for", RefuseDetails, nil, 204, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, Options{Details: tc.details})
			repository(s)
			body := map[string]any{"ref": "main", "inputs": map[string]any{"key": "k"}}
			if tc.asked != nil {
				body["return_run_details"] = tc.asked
			}
			if a := ask(t, s, "POST", dispatches, body); a.status != tc.status {
				t.Errorf("got %d %s, want %d", a.status, a.body, tc.status)
			}
			if got := len(s.Runs()); got != tc.runs {
				t.Errorf("got %d runs, want %d", got, tc.runs)
			}
		})
	}
}

func TestDispatchEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	for _, tc := range []struct {
		event  string
		status int
		titles []string
	}{
		{"patchset", 204, []string{".github/workflows/any.yml", "7/1"}},
		{"other", 204, []string{".github/workflows/any.yml"}},
		{"", 422, nil},
		{strings.Repeat("x", 101), 422, nil},
	} {
		before := len(s.Runs())
		a := ask(t, s, "POST", "/repos/org/ci/dispatches", map[string]any{"event_type": tc.event, "client_payload": map[string]any{"key": "7/1"}})
		if a.status != tc.status {
			t.Errorf("event %.10q: got %d %s, want %d", tc.event, a.status, a.body, tc.status)
		}
		var titles []string
		for _, run := range s.Runs()[before:] {
			titles = append(titles, run.Title)
		}
		if diff := cmp.Diff(tc.titles, titles); diff != "" {
			t.Errorf("event %.10q: titles (-want +got):\n%s", tc.event, diff)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	run := &Run{
		Inputs: map[string]string{"key": "1/2", "empty": ""}, Payload: map[string]any{"a": map[string]any{"b": 3.0}, "n": nil},
		Branch: "main", Event: "workflow_dispatch", EventType: "go", Head: "abc", Repository: "o/r", Actor: "me",
	}
	for runName, want := range map[string]string{
		"":                                       "W",
		"plain":                                  "plain",
		"${{ inputs.key }}":                      "1/2",
		"${{inputs.key}}x${{ github.workflow }}": "1/2xW",
		"${{ github.event.inputs.key }}":         "1/2",
		"${{ inputs.empty || 'it''s' }}":         "it's",
		"${{ inputs.gone }}":                     "W",
		"${{ github.event.client_payload.a.b }}": "3",
		"${{ github.event.client_payload.a }}":   "Object",
		"${{ github.event.client_payload.a.b.c || github.event.client_payload.n || github.ref_name }}": "main",
		"${{ github.event_name }} ${{ github.event.action }} ${{ github.sha }}":                        "workflow_dispatch go abc",
		"${{ github.repository }} by ${{ github.actor }}":                                              "o/r by me",
		"${{ not closed": "${{ not closed",
	} {
		if got := (&workflow{name: "W", runName: runName}).title(run); got != want {
			t.Errorf("title(%q): got %q, want %q", runName, got, want)
		}
	}
}
