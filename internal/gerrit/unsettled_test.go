// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestUnsettled: what may have been posted is never posted again, and the caller
// is told to look.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		do     func(http.Handler) http.Handler
		posted bool
	}{
		{"lost reply", faults.LoseReply(), true},
		{"cut reply", faults.Cut(10), true},
		{"short reply", faults.Truncate(10), true},
		{"another reply", faults.Answer(200, ")]}'\n[]"), false},
		{"silence", faults.Hang(), false},
		{"500", faults.Answer(500, "Internal server error"), false},
		{"502", faults.Answer(502, "<html>nginx</html>"), false},
		{"503 without a time", faults.Answer(503, "Lock failure"), false},
		{"504 with a time", faults.Answer(504, "", "Retry-After", "1"), false},
		{"408", faults.Answer(408, ""), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: tt.do})
			c := connect(t, s, as("ci"))
			if tt.name == "silence" {
				c.door.deadline = func(r *http.Request) time.Duration {
					if r.Method == http.MethodPost {
						return 20 * time.Millisecond
					}
					return time.Minute
				}
			}
			_, err := c.Post(t.Context(), spdk(1), ch.Revision(), bad())
			if !errors.Is(err, ErrUnsettled) || !errors.Is(err, fault.Transient) || !strings.Contains(fault.HintOf(err), "read the messages") {
				t.Errorf("got a %s failure: %v\nhint: %s", fault.KindOf(err), err, fault.HintOf(err))
			}
			if got := posts(s); got != 1 {
				t.Errorf("got %d POSTs, want 1", got)
			}
			list, err := c.Messages(t.Context(), spdk(1))
			if err != nil || (len(list) == 2) != tt.posted {
				t.Errorf("got messages %+v, %v; want it among them: %t", list, err, tt.posted)
			}
		})
	}
}

func TestPostGivenUp(t *testing.T) {
	t.Parallel()
	s, ch := bed(t, standin.Options{})
	s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Hang()})
	ctx, cancel := context.WithCancel(t.Context())
	s.OnRequest(func(r standin.Request) {
		if r.Method == http.MethodPost {
			cancel()
		}
	})
	if _, err := connect(t, s, as("ci")).Post(ctx, spdk(1), ch.Revision(), bad()); !errors.Is(err, ErrUnsettled) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// flaky fails to connect for the first POSTs.
type flaky struct{ left int }

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && f.left > 0 {
		f.left--
		r.Body.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestPostAgain: what the server surely did not do is tried again, whole.
func TestPostAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		do    func(http.Handler) http.Handler
		dial  int
		waits []time.Duration
	}{
		{"no connection", nil, 2, twice(time.Second, 4*time.Second)},
		{"429", faults.Answer(429, "slow down"), 0, twice(time.Second, 4*time.Second)},
		{"503 with a time", faults.Answer(503, "", "Retry-After", "7"), 0, twice(7*time.Second, 7*time.Second)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			if tt.do != nil {
				s.Faults.Add(faults.Rule{Method: http.MethodPost, Times: 2, Do: tt.do})
			}
			var waits []time.Duration
			c := connect(t, s, func(o *Options) {
				as("ci")(o)
				o.Transport = &flaky{tt.dial}
				o.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
			})
			posted, err := c.Post(t.Context(), spdk(1), ch.Revision(), bad())
			if err != nil || posted.Applied["Verified"] != -1 || !strings.HasSuffix(last(ch).Text, bad().Message) {
				t.Errorf("got %+v, %v and message %+v", posted, err, last(ch))
			}
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
	s, ch := bed(t, standin.Options{})
	c := connect(t, s, func(o *Options) { as("ci")(o); o.Transport = &flaky{tries} })
	if _, err := c.Post(t.Context(), spdk(1), ch.Revision(), bad()); errors.Is(err, ErrUnsettled) || !errors.Is(err, fault.Transient) || len(ch.Messages()) != 1 {
		t.Errorf("never connected: got a %s failure, %v", fault.KindOf(err), err)
	}
}
