// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

func autorunCall() change.Call {
	return change.Call{Repository: "org/ci", Ref: "main", File: "autorun.yml", Inputs: map[string]string{"key": "1/2/autorun.yml/1", "subject": "a <b> & \"c\""}}
}

func TestDispatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	started, err := w.client.Dispatch(t.Context(), autorunCall())
	if err != nil {
		t.Fatal(err)
	}
	runs := w.server.Runs()
	if len(runs) != 1 || runs[0].Title != "1/2/autorun.yml/1" || runs[0].Inputs["subject"] != "a <b> & \"c\"" {
		t.Fatalf("got runs %+v", runs)
	}
	want := Started{Outcome: change.Accepted, RunID: runs[0].ID, URL: fmt.Sprintf("%s/org/ci/actions/runs/%d", w.server.URL(), runs[0].ID)}
	if diff := cmp.Diff(want, started); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}
}

func TestDispatchEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	started, err := w.client.Dispatch(t.Context(), change.Call{Repository: "org/ci", Event: "patchset", Payload: map[string]any{"key": "7/1/patchset/1"}})
	if want := (Started{Outcome: change.Accepted}); err != nil || started != want {
		t.Errorf("got %+v, %v; want %+v", started, err, want)
	}
	if runs := w.server.Runs(); len(runs) != 1 || runs[0].Title != "7/1/patchset/1" {
		t.Errorf("got runs %+v", runs)
	}
}

// TestDetails covers servers that do not tell a run's id.
func TestDetails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		details  standin.Details
		requests []int // of each of two dispatches
	}{
		{"ignored", standin.IgnoreDetails, []int{1, 1}},
		{"refused", standin.RefuseDetails, []int{2, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, standin.Options{Details: tc.details})
			for i, want := range tc.requests {
				started, err := w.client.Dispatch(t.Context(), autorunCall())
				if err != nil || started != (Started{Outcome: change.Accepted}) {
					t.Errorf("dispatch %d: got %+v, %v", i, started, err)
				}
				if got := len(w.server.Requests()); got != want {
					t.Errorf("dispatch %d: got %d requests, want %d", i, got, want)
				}
			}
			if got := len(w.server.Runs()); got != 2 {
				t.Errorf("got %d runs, want 2", got)
			}
		})
	}
}

// TestDetailsRefusedWith400 covers the other status that is known for it.
func TestDetailsRefusedWith400(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.server.Faults.Add(faults.Rule{Times: 1, Do: faults.Answer(400, `{"message":"\"return_run_details\" is not a permitted key."}`)})
	started, err := w.client.Dispatch(t.Context(), autorunCall())
	if err != nil || started.Outcome != change.Accepted || len(w.server.Runs()) != 1 {
		t.Errorf("got %+v, %v and %d runs", started, err, len(w.server.Runs()))
	}
}

// TestDispatchOutcomes holds what each kind of bad answer means, and that no
// call is sent twice.
func TestDispatchOutcomes(t *testing.T) {
	t.Parallel()
	const secondary = `{"message":"You have exceeded a secondary rate limit. Please wait.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	reset := fmt.Sprint(newClock().now().Add(10 * time.Minute).Unix())
	for _, tc := range []struct {
		name    string
		do      func(http.Handler) http.Handler
		outcome change.Outcome
		kind    fault.Kind
		after   time.Duration
		part    string
		runs    int
	}{
		{"500", faults.Answer(500, ""), change.Unsettled, fault.Transient, 0, "500", 0},
		{"502 page", faults.Answer(502, "<html>Bad gateway"), change.Unsettled, fault.Transient, 0, "502", 0},
		{"408", faults.Answer(408, "{}"), change.Unsettled, fault.Transient, 0, "408", 0},
		{"lost reply", faults.LoseReply(), change.Unsettled, fault.Transient, 0, "EOF", 1},
		{"cut reply", faults.Cut(10), change.Unsettled, fault.Transient, 0, "EOF", 1},
		{"short reply", faults.Truncate(10), change.Unsettled, fault.Transient, 0, "EOF", 1},
		{"empty 200", faults.Answer(200, ""), change.Unsettled, fault.Transient, 0, "not what GitHub's REST API describes", 0},
		{"200 without an id", faults.Answer(200, "{}"), change.Unsettled, fault.Transient, 0, "not what GitHub's REST API describes", 0},
		{"200 of a web page", faults.Answer(200, "<html>"), change.Unsettled, fault.Configuration, 0, "got a web page", 0},
		{"200 of something else", faults.Answer(200, "Welcome!"), change.Unsettled, fault.Transient, 0, "invalid character", 0},
		{"202", faults.Answer(202, ""), change.Unsettled, fault.Transient, 0, "start autorun.yml in org/ci", 0},
		{"401", faults.Answer(401, `{"message":"Bad credentials"}`), change.Refused, fault.Configuration, 0, "setting ci-token", 0},
		{"403", faults.Answer(403, `{"message":"Resource not accessible by personal access token"}`), change.Refused, fault.Configuration, 0, "Actions: write", 0},
		{"403 single sign-on", faults.Answer(403, `{"message":"Resource protected by organization SAML enforcement."}`), change.Refused, fault.Configuration, 0, "single sign-on", 0},
		{"404", faults.Answer(404, `{"message":"Not Found"}`), change.Refused, fault.Configuration, 0, "needs the scope repo", 0},
		{"409", faults.Answer(409, `{"message":"busy"}`), change.Refused, fault.Transient, 0, "busy", 0},
		{"422 disabled", faults.Answer(422, `{"message":"Cannot trigger a 'workflow_dispatch' on a disabled workflow"}`), change.Refused, fault.Configuration, 0, "enable the workflow", 0},
		{"422 details", faults.Answer(422, `{"message":"Validation Failed","errors":["one",{"message":"two"},{"field":"ref","code":"missing"}]}`), change.Refused, fault.Configuration, 0, "Validation Failed; one; two; ref: missing", 0},
		{"hostile text", faults.Answer(422, "{\"message\":\"::error::x\\n##[group]\\u001b[0m\"}"), change.Refused, fault.Configuration, 0, ": :error::x ## [group] [0m", 0},
		{"moved to another host", faults.Answer(307, "", "Location", "http://elsewhere.invalid/x"), change.Refused, fault.Configuration, 0, "give its new name", 0},
		{"moved, as a GET", faults.Answer(301, "", "Location", "/repos/org/ci"), change.Refused, fault.Configuration, 0, "give its new name", 0},
		{"429", faults.Answer(429, "slow down"), change.Refused, fault.Transient, time.Minute, "rate limit", 0},
		{"429 with a wait", faults.Answer(429, "", "Retry-After", "7"), change.Refused, fault.Transient, 7 * time.Second, "rate limit", 0},
		{"absurd wait", faults.Answer(429, "", "Retry-After", "99999999999999"), change.Refused, fault.Transient, maxLimit, "rate limit", 0},
		{"secondary limit", faults.Answer(403, secondary, "Retry-After", "30"), change.Refused, fault.Transient, 30 * time.Second, "secondary rate limit", 0},
		{"secondary limit without a wait", faults.Answer(403, secondary), change.Refused, fault.Transient, time.Minute, "secondary rate limit", 0},
		{"secondary limit that is over", faults.Answer(403, secondary, "X-RateLimit-Reset", "1", "X-RateLimit-Remaining", "9"), change.Refused, fault.Transient, time.Minute, "secondary rate limit", 0},
		{"primary limit", faults.Answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), change.Refused, fault.Transient, 10 * time.Minute, "primary rate limit", 0},
		{"primary limit, no time", faults.Answer(429, "", "X-RateLimit-Remaining", "0"), change.Refused, fault.Transient, time.Minute, "primary rate limit", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, standin.Options{})
			w.server.Faults.Add(faults.Rule{Method: "POST", Do: tc.do})
			started, err := w.client.Dispatch(t.Context(), autorunCall())
			if want := (Started{Outcome: tc.outcome}); started != want {
				t.Errorf("got %+v, want %+v", started, want)
			}
			checkFailure(t, err, tc.kind, tc.part)
			if got := fault.RetryAfter(err); got != tc.after {
				t.Errorf("retry after: got %s, want %s", got, tc.after)
			}
			if got := len(w.server.Requests()); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
			if got := len(w.server.Runs()); got != tc.runs {
				t.Errorf("got %d runs, want %d", got, tc.runs)
			}
		})
	}
}

// TestDispatchRefusals meets the refusals of a server that reads the workflow.
func TestDispatchRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	for _, tc := range []struct {
		name string
		edit func(*change.Call)
		part string
	}{
		{"no such workflow", func(q *change.Call) { q.File = "gone.yml" }, "has .github/workflows/gone.yml on its default branch"},
		{"no such repository", func(q *change.Call) { q.Repository = "org/gone" }, "check that org/gone is right"},
		{"no trigger", func(q *change.Call) { q.File = "push.yml" }, "add workflow_dispatch to the triggers"},
		{"no such branch", func(q *change.Call) { q.Ref = "gone" }, "give a branch of the CI repository that exists"},
		{"undeclared input", func(q *change.Call) { q.Inputs["extra"] = "1" }, `Unexpected inputs provided: ["extra"]`},
		{"missing input", func(q *change.Call) { delete(q.Inputs, "key") }, "Required input 'key' not provided"},
	} {
		call := autorunCall()
		tc.edit(&call)
		started, err := w.client.Dispatch(t.Context(), call)
		if started.Outcome != change.Refused {
			t.Errorf("%s: got %s, want refused", tc.name, started.Outcome)
		}
		checkFailure(t, err, fault.Configuration, tc.part)
	}
}

// TestNotSent covers calls that certainly never reached a server.
func TestNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	started, err := w.client.Dispatch(canceled, autorunCall())
	if started.Outcome != change.Refused || !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %s, %v", started.Outcome, err)
	}

	w.client.token = func(context.Context) (string, error) {
		return "", fault.New(fault.Configuration, "no token")
	}
	started, err = w.client.Dispatch(t.Context(), autorunCall())
	if started.Outcome != change.Refused {
		t.Errorf("no token: got %s, want refused", started.Outcome)
	}
	checkFailure(t, err, fault.Configuration, "failed to start autorun.yml in org/ci: no token")
	if got := w.server.Requests(); len(got) != 0 {
		t.Errorf("got requests %v, want none", got)
	}

}

// TestNoConnection covers servers that cannot be reached: nothing was sent, so
// the claim of the run may be given back.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	foreign := httptest.NewUnstartedServer(http.NotFoundHandler())
	foreign.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about our hanging up
	foreign.StartTLS()
	t.Cleanup(foreign.Close)
	// No name server is asked.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host == "gone.example.org" {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	for _, tc := range []struct {
		name, url string
		kind      fault.Kind
		part      string
	}{
		{"nobody listens", "http://127.0.0.1:1", fault.Transient, "connection refused"},
		{"no such host", "http://gone.example.org", fault.Transient, "no such host"},
		{"TLS spoken to plain HTTP", strings.Replace(plain.URL, "http:", "https:", 1), fault.Configuration, "does not speak TLS there"},
		{"unknown authority", foreign.URL, fault.Configuration, "give that authority's PEM file"},
	} {
		c := newClock()
		client, err := New(Options{APIURL: tc.url, Transport: &http.Transport{DialContext: dial}, Sleep: c.sleep, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		started, err := client.Dispatch(t.Context(), autorunCall())
		if started != (Started{Outcome: change.Refused}) {
			t.Errorf("%s: got %+v, want refused", tc.name, started)
		}
		checkFailure(t, err, tc.kind, tc.part)
	}
}

// TestEventOutcomes covers the bad answers to a repository_dispatch.
func TestEventOutcomes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		do      func(http.Handler) http.Handler
		outcome change.Outcome
		kind    fault.Kind
		part    string
	}{
		{"403", faults.Answer(403, `{"message":"Resource not accessible by integration"}`), change.Refused, fault.Configuration, "Contents: write"},
		{"404", faults.Answer(404, `{"message":"Not Found"}`), change.Refused, fault.Configuration, "check that org/ci is right"},
		{"500", faults.Answer(500, ""), change.Unsettled, fault.Transient, "failed to send the event patchset to org/ci"},
		{"lost reply", faults.LoseReply(), change.Unsettled, fault.Transient, "EOF"},
		{"200", faults.Answer(200, "{}"), change.Unsettled, fault.Transient, "check that the GitHub API URL is right"},
	} {
		w := newWorld(t, standin.Options{})
		w.server.Faults.Add(faults.Rule{Do: tc.do})
		started, err := w.client.Dispatch(t.Context(), change.Call{Repository: "org/ci", Event: "patchset"})
		if started != (Started{Outcome: tc.outcome}) {
			t.Errorf("%s: got %+v, want %s", tc.name, started, tc.outcome)
		}
		checkFailure(t, err, tc.kind, tc.part)
	}
}

// TestGivenUp covers a caller that stops waiting while the server works.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Faults.Add(faults.Rule{Method: "POST", Do: func(next http.Handler) http.Handler {
		cancel()
		return faults.Hang()(next)
	}})
	started, err := w.client.Dispatch(ctx, autorunCall())
	if started.Outcome != change.Unsettled || !errors.Is(err, context.Canceled) {
		t.Errorf("got %s, %v; want unsettled, canceled", started.Outcome, err)
	}
}

// TestLimitsBeforeSending covers what GitHub would refuse anyway.
func TestLimitsBeforeSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	inputs := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprint("i", i)] = "x"
		}
		return m
	}
	payload := map[string]any{}
	for i := range 11 {
		payload[fmt.Sprint(i)] = i
	}
	call := func(edit func(*change.Call)) change.Call {
		q := autorunCall()
		edit(&q)
		return q
	}
	event := func(name string, payload map[string]any) change.Call {
		return change.Call{Repository: "org/ci", Event: name, Payload: payload}
	}
	for _, tc := range []struct {
		call change.Call
		kind fault.Kind
		part string
	}{
		{call(func(q *change.Call) { q.Inputs = inputs(26) }), fault.Configuration, "26 inputs; GitHub takes at most 25"},
		{call(func(q *change.Call) { q.Inputs = map[string]string{"a": strings.Repeat("<", 65_535-7)} }), fault.Permanent, "65536 characters as JSON"},
		{call(func(q *change.Call) { q.File = "../x.yml" }), fault.Configuration, "cannot name a workflow"},
		{call(func(q *change.Call) { q.Ref = "a b" }), fault.Configuration, "spaces"},
		{call(func(q *change.Call) { q.Repository = "org" }), fault.Configuration, "OWNER/NAME"},
		{call(func(q *change.Call) { q.Repository = "org/.." }), fault.Configuration, "OWNER/NAME"},
		{call(func(q *change.Call) { q.Repository = "org/ci/../x" }), fault.Configuration, "OWNER/NAME"},
		{call(func(q *change.Call) { q.Event = "also" }), fault.Ours, "and not both"},
		{event("", nil), fault.Ours, "needs a workflow file"},
		{event(strings.Repeat("e", 101), nil), fault.Configuration, "101 characters"},
		{event("e", payload), fault.Configuration, "11 properties"},
		{event("e", map[string]any{"a": strings.Repeat("x", 65_530)}), fault.Permanent, "at most 65535"},
		{event("e", map[string]any{"a": func() {}}), fault.Ours, "cannot be written as JSON"},
	} {
		started, err := w.client.Dispatch(t.Context(), tc.call)
		if started != (Started{Outcome: change.Refused}) {
			t.Errorf("%s: got %+v, want refused", tc.part, started)
		}
		checkFailure(t, err, tc.kind, tc.part)
	}
	if got := w.server.Requests(); len(got) != 0 {
		t.Errorf("got requests %v, want none", got)
	}
	if err := checkInputs(call(func(q *change.Call) { q.Inputs = map[string]string{"a": strings.Repeat("\u00e9", 65_535-8)} })); err != nil {
		t.Errorf("the longest inputs: %v", err)
	}
}
