// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestDroppedVotes: what the server drops without a word is told, and so is that
// the message claims it.
func TestDroppedVotes(t *testing.T) {
	t.Parallel()
	s, ch := bed(t, standin.Options{})
	c := connect(t, s, as("ci"))
	for _, body := range []string{`{}`, `{"labels":{}}`, `{"labels":{"Verified":0}}`, `{"labels":{"Other":-1}}`} {
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(200, ")]}'\n"+body)})
		posted, err := c.Post(t.Context(), spdk(1), ch.Revision(), bad())
		if err != nil || len(posted.Applied) != 0 || !strings.Contains(posted.Refused["Verified"], "without a word") || !posted.Claimed || posted.Advice["Verified"] == "" {
			t.Errorf("%s: got %+v, %v", body, posted, err)
		}
	}
	s.Faults.Clear()
	s.OnRequest(func(r standin.Request) { // the label goes between the look and the review
		if r.Method == http.MethodPost {
			s.SetLabels(standin.Label{Name: "Code-Review", Min: -2, Max: 2})
		}
	})
	r := bad()
	r.Unvoted = "The tests failed.\n\nDispatcher: 1/1/ci.yml/1 vote=none"
	if posted, err := c.Post(t.Context(), spdk(1), ch.Revision(), r); err != nil || !posted.Claimed || !strings.HasSuffix(last(ch).Text, r.Message) {
		t.Errorf("got %+v, %v and message %q", posted, err, last(ch).Text)
	}
}

// TestUnvoted: a message never claims a vote that was refused.
func TestUnvoted(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*standin.Server){
		"forbidden before": func(s *standin.Server) { s.Forbid("Verified") },
		"no such label":    func(s *standin.Server) { s.SetLabels(standin.Label{Name: "Code-Review", Min: -2, Max: 2}) },
		"forbidden meanwhile": func(s *standin.Server) {
			s.OnRequest(func(r standin.Request) {
				if r.Method == http.MethodPost {
					s.Forbid("Verified")
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			first(s)
			r := bad()
			r.Unvoted = "The tests failed.\n\nDispatcher: 1/1/ci.yml/1 vote=none"
			posted, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), r)
			line := fmt.Sprintf("The vote Verified-1 could not be set: %s.\n\n%s", posted.Refused["Verified"], r.Unvoted)
			if err != nil || posted.Claimed || posted.Refused["Verified"] == "" || posted.Advice["Verified"] == "" || !strings.HasSuffix(last(ch).Text, "\n\n"+line) {
				t.Errorf("got %+v, %v and message %q", posted, err, last(ch).Text)
			}
			r.Labels = nil
			if _, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), r); err != nil || !strings.HasSuffix(last(ch).Text, "\n\n"+r.Message) {
				t.Errorf("without a vote: got %v and message %q", err, last(ch).Text)
			}
		})
	}
}
