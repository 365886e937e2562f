// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestNotPosted: what surely was not posted says so, and why.
func TestNotPosted(t *testing.T) {
	t.Parallel()
	revision := func(ch *standin.Change) change.Revision { return ch.Revision() }
	tests := []struct {
		name   string
		first  func(*standin.Server, *standin.Change)
		rev    func(*standin.Change) change.Revision
		edit   func(*change.Review)
		kind   fault.Kind
		target error // or nil
		text   string
		hint   string
	}{
		{name: "expired token", first: func(s *standin.Server, _ *standin.Change) { s.Account("ci").Password = "new" },
			kind: fault.Configuration, text: "401 Unauthorized", hint: "the HTTP password or token of ci is wrong or expired: make a new one at http://"},
		{name: "expired in the last moment", first: fail(401, "Unauthorized"), kind: fault.Configuration, text: "401 Unauthorized", hint: "/settings/#HTTPCredentials"},
		{name: "hidden change", first: func(_ *standin.Server, ch *standin.Change) { ch.SetPrivate(true) }, kind: fault.Permanent, target: ErrGone, text: "Not found: spdk/spdk~1"},
		{name: "no such patchset", rev: func(*standin.Change) change.Revision { return change.Revision(strings.Repeat("a", 40)) },
			kind: fault.Permanent, target: ErrGone, text: "Not found: aaaa"},
		{name: "no revision", rev: func(*standin.Change) change.Revision { return "current" }, kind: fault.Ours, text: "is not a commit id"},
		{name: "abandoned", first: func(_ *standin.Server, ch *standin.Change) { ch.Abandon() }, kind: fault.Permanent, target: ErrClosed, text: "it is abandoned"},
		{name: "merged with a better vote", first: func(_ *standin.Server, ch *standin.Change) { ch.Vote("ci", "Verified", 1); ch.Submit() },
			kind: fault.Permanent, target: ErrClosed, text: "it is merged"},
		{name: "abandoned in the last moment", first: func(s *standin.Server, ch *standin.Change) {
			s.OnRequest(func(r standin.Request) {
				if r.Method == http.MethodPost {
					ch.Abandon()
				}
			})
		}, kind: fault.Permanent, target: ErrClosed, text: "409 Conflict: change is closed"},
		{name: "another conflict", first: fail(409, "blocked"), kind: fault.Permanent, text: "409 Conflict: blocked"},
		{name: "a right lacks", first: fail(403, "read not permitted"), edit: func(r *change.Review) { r.Labels = nil },
			kind: fault.Configuration, text: "403 Forbidden: read not permitted", hint: "the account ci lacks a right"},
		{name: "bad request", first: fail(400, "no"), edit: func(r *change.Review) { r.Comments = nil }, kind: fault.Permanent, text: "400 Bad Request: no"},
		{name: "login page", first: fail(200, "<html>login"), kind: fault.Configuration, text: "got a web page", hint: "sub-path"},
		{name: "moved", first: func(s *standin.Server, _ *standin.Change) {
			s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(301, "", "Location", "/elsewhere")})
		}, kind: fault.Configuration, text: "sends on a POST as a GET", hint: "the Gerrit URL"},
		{name: "busy for long", first: func(s *standin.Server, _ *standin.Change) {
			s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(503, "", "Retry-After", "600")})
		}, kind: fault.Transient, text: "503 Service Unavailable"},
		{name: "no rights can be read", first: func(s *standin.Server, _ *standin.Change) {
			s.Faults.Add(faults.Rule{Method: http.MethodGet, Do: faults.Answer(500, "")})
		}, kind: fault.Transient, text: "500 Internal Server Error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			r := bad()
			if tt.edit != nil {
				tt.edit(&r)
			}
			if tt.rev == nil {
				tt.rev = revision
			}
			rev := tt.rev(ch)
			c := connect(t, s, as("ci"))
			if tt.first != nil {
				tt.first(s, ch)
			}
			_, err := c.Post(t.Context(), spdk(1), rev, r)
			if fault.KindOf(err) != tt.kind || !strings.Contains(fmt.Sprint(err), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) ||
				tt.target != nil && !errors.Is(err, tt.target) || !strings.HasPrefix(fmt.Sprint(err), "failed to post a review on change 1: ") {
				t.Errorf("got a %s failure: %v\nhint: %s\nwant a %s failure with %q and %q", fault.KindOf(err), err, fault.HintOf(err), tt.kind, tt.text, tt.hint)
			}
			if errors.Is(err, ErrUnsettled) {
				t.Errorf("it is settled, got %v", err)
			}
			for _, m := range ch.Messages() {
				if strings.Contains(m.Text, "The tests failed.") {
					t.Errorf("it was posted: %+v", m)
				}
			}
		})
	}
}

// fail has the server answer all POSTs so.
func fail(status int, body string) func(*standin.Server, *standin.Change) {
	return func(s *standin.Server, _ *standin.Change) {
		s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(status, body)})
	}
}

func TestAnonymousPost(t *testing.T) {
	t.Parallel()
	s, ch := bed(t, standin.Options{})
	s.Requests()
	if _, err := connect(t, s, nil).Post(t.Context(), spdk(1), ch.Revision(), bad()); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" || len(s.Requests()) != 0 {
		t.Errorf("got %v with hint %q", err, fault.HintOf(err))
	}
}
