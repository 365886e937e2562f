// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestBadAnswers: each is classified, says what came and what to do, and is
// tried again only if that can help.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		do    func(http.Handler) http.Handler
		kind  fault.Kind
		text  string // in the error
		hint  string // in the hint
		waits []time.Duration
	}{
		{"login page", faults.Answer(200, "<!DOCTYPE html><title>Sign in</title>", "Content-Type", "text/html"), fault.Configuration,
			`got a web page (text/html) where JSON is due: "<!DOCTYPE html><title>Sign in</title>"`, "may lack a sub-path", nil},
		{"page with another type", faults.Answer(200, "\n <html>"), fault.Configuration, "got a web page", "login page", nil},
		{"text", faults.Answer(200, "It works!"), fault.Transient, "not whole JSON", "cuts answers short", twice(time.Second, 4*time.Second)},
		{"nothing", faults.Answer(200, ""), fault.Transient, "of 0 bytes", "", twice(time.Second, 4*time.Second)},
		{"cut JSON", faults.Truncate(100), fault.Transient, "100 bytes is not whole JSON", "", twice(time.Second, 4*time.Second)},
		{"cut connection", faults.Cut(100), fault.Transient, "no whole answer", "", twice(time.Second, 4*time.Second)},
		{"silence", faults.Hang(), fault.Transient, "no whole answer within 20ms", "", twice(time.Second, 4*time.Second)},
		{"other JSON", faults.Answer(200, `)]}'`+"\n"+`{"a":1}`), fault.Permanent, "not what Gerrit's REST API describes", "Gerrit server", nil},
		{"bad query", faults.Answer(400, "line 1:3 no viable alternative\n\x1b[31m"), fault.Configuration, "400 Bad Request: line 1:3 no viable alternative", "query", nil},
		{"401", faults.Answer(401, "Unauthorized"), fault.Configuration, "401 Unauthorized", "the HTTP password or token of ann is wrong or expired: make a new one at http://", nil},
		{"403", faults.Answer(403, "::error::no"), fault.Configuration, "403 Forbidden: : :error::no", "", nil},
		{"404", faults.Answer(404, "Not Found"), fault.Configuration, "404 Not Found", "sub-path", nil},
		{"404 of a proxy", faults.Answer(404, "<html>nginx</html>"), fault.Configuration, "404 Not Found", "may lack a sub-path", nil},
		{"409", faults.Answer(409, "conflict"), fault.Permanent, "409 Conflict: conflict", "", nil},
		{"429", faults.Answer(429, "slow down"), fault.Transient, "429 Too Many Requests: slow down", "quota", twice(time.Second, 4*time.Second)},
		{"429 with seconds", faults.Answer(429, "", "Retry-After", "30"), fault.Transient, "429", "quota", twice(30*time.Second, 30*time.Second)},
		{"503 with a date", faults.Answer(503, "", "Retry-After", now.Add(time.Minute).Format(http.TimeFormat)), fault.Transient, "503", "", twice(time.Minute, time.Minute)},
		{"429 for too long", faults.Answer(429, "", "Retry-After", "121"), fault.Transient, "429", "quota", nil},
		{"500", faults.Answer(500, "Internal server error"), fault.Transient, "500 Internal Server Error: Internal server error", "", twice(time.Second, 4*time.Second)},
		{"302 to nowhere", faults.Answer(302, ""), fault.Configuration, "302 Found", "may lack a sub-path", nil},
		{"302 to another host", faults.Answer(302, "", "Location", "https://login.example.org/?next=x"), fault.Configuration, "sends us on to https://login.example.org, which", "make it the Gerrit URL", nil},
		{"302 in circles", faults.Answer(302, "", "Location", "/gerrit/changes/"), fault.Configuration, "in circles", "URL", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := serve(t, standin.Options{BasePath: "/gerrit"})
			p.Push(standin.Draft{Owner: "ann"})
			s.Faults.Add(faults.Rule{Do: tt.do})
			var waits []time.Duration
			c := connect(t, s, func(o *Options) {
				as("ann")(o)
				o.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
			})
			if tt.name == "silence" {
				c.door.deadline = func(*http.Request) time.Duration { return 20 * time.Millisecond }
			}
			_, err := c.Open(t.Context(), Query{Project: "spdk/spdk"})
			if fault.KindOf(err) != tt.kind || !strings.Contains(fmt.Sprint(err), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("got a %s failure: %v\nhint: %s\nwant a %s failure with %q and %q", fault.KindOf(err), err, fault.HintOf(err), tt.kind, tt.text, tt.hint)
			}
			if strings.ContainsAny(fmt.Sprint(err), "\x1b\n") || strings.Contains(fmt.Sprint(err, fault.HintOf(err)), "password-of-ann") {
				t.Errorf("the error is not fit to be printed: %q", err)
			}
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

func twice(a, b time.Duration) []time.Duration { return []time.Duration{a, b} }

func TestRedirects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from, to string
		follow   bool
	}{
		{"https://a.example.org/x", "https://a.example.org/y", true},
		{"http://a.example.org/x", "https://a.example.org/x", true},
		{"http://a.example.org:8080/x", "https://a.example.org/x", true},
		{"https://a.example.org/x", "http://a.example.org/x", false},
		{"https://a.example.org/x", "https://a.example.org:8443/x", false},
		{"https://a.example.org/x", "https://b.example.org/x", false},
		{"http://a.example.org/x", "ftp://a.example.org/x", false},
	}
	for _, tt := range tests {
		from, to := httptest.NewRequest("GET", tt.from, nil), httptest.NewRequest("GET", tt.to, nil)
		if err := checkRedirect(to, []*http.Request{from}); (err == nil) != tt.follow {
			t.Errorf("%s to %s: got %v, want followed %t", tt.from, tt.to, err, tt.follow)
		}
	}
}

// TestRedirectKeepsCredentials: a server that moved its sub-path still answers.
func TestRedirectKeepsCredentials(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{BasePath: "/gerrit"})
	ann := s.Account("ann")
	s.Group("people", "ann")
	s.Faults.Add(faults.Rule{Times: 1, Do: faults.Answer(301, "", "Location", "/gerrit/a/groups/people/members/?recursive=true")})
	got, err := connect(t, s, as("ann")).Members(t.Context(), "moved")
	if err != nil || !got[ann.ID] {
		t.Errorf("got %v, %v; want ann", got, err)
	}
}

func TestRetryAfterIsHandedUp(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Do: faults.Answer(429, "", "Retry-After", "600")})
	_, err := connect(t, s, nil).Version(t.Context())
	if got := fault.RetryAfter(err); got != 10*time.Minute {
		t.Errorf("got %s from %v, want 10m", got, err)
	}
}

func TestRetryHelps(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Times: 2, Do: faults.Answer(502, "")})
	if got, err := connect(t, s, nil).Version(t.Context()); err != nil || got != "3.13.5" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := len(s.Requests()); got != 3 {
		t.Errorf("got %d requests, want 3", got)
	}
}

func TestAnonymous401(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Do: faults.Answer(401, "Unauthorized")})
	if _, err := connect(t, s, nil).Version(t.Context()); !strings.Contains(fault.HintOf(err), "set a user name") {
		t.Errorf("got %v with hint %q", err, fault.HintOf(err))
	}
}

// TestGivingUp: neither a cancelled nor a late caller is kept waiting.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Do: faults.Hang()})
	ctx, cancel := context.WithCancel(t.Context())
	s.OnRequest(func(standin.Request) { cancel() })
	c := connect(t, s, nil)
	if _, err := c.Version(ctx); !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("cancelled: got a %s failure, %v", fault.KindOf(err), err)
	}
	late, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := c.Version(late); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, fault.Transient) {
		t.Errorf("late: got a %s failure, %v", fault.KindOf(err), err)
	}
	if got := len(s.Requests()); got != 2 {
		t.Errorf("got %d requests, want one for each call", got)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	private := httptest.NewUnstartedServer(http.NotFoundHandler())
	private.Config.ErrorLog = log.New(io.Discard, "", 0)
	private.StartTLS()
	defer private.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	tests := []struct {
		name, url string
		kind      fault.Kind
		hint      string
	}{
		{"closed port", closed.URL, fault.Transient, ""},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), fault.Configuration, "does not speak TLS"},
		{"private authority", private.URL, fault.Configuration, "PEM file"},
		{"no such host", "http://no-such-host.invalid", fault.Configuration, "check the host name"},
	}
	for _, tt := range tests {
		c, err := New(Options{URL: tt.url, Sleep: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Version(t.Context())
		if fault.KindOf(err) != tt.kind || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s: got a %s failure: %v\nhint: %s", tt.name, fault.KindOf(err), err, fault.HintOf(err))
		}
	}
}

// counting is a transport that counts bodies that are still open.
type counting struct{ open atomic.Int32 }

type countedBody struct {
	io.ReadCloser
	open *atomic.Int32
}

func (b countedBody) Close() error {
	b.open.Add(-1)
	return b.ReadCloser.Close()
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		c.open.Add(1)
		resp.Body = countedBody{resp.Body, &c.open}
	}
	return resp, err
}

func TestBodiesAreClosed(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	var transport counting
	c := connect(t, s, func(o *Options) { o.Transport = &transport })
	for _, do := range []func(http.Handler) http.Handler{faults.Answer(500, "x"), faults.Answer(404, "x"), faults.Answer(302, "x", "Location", "https://other.example.org/"), faults.Truncate(3)} {
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Do: do})
		if _, err := c.Version(t.Context()); err == nil {
			t.Error("got no error")
		}
	}
	s.Faults.Clear()
	if _, err := c.Version(t.Context()); err != nil {
		t.Error(err)
	}
	if got := transport.open.Load(); got != 0 {
		t.Errorf("%d bodies were left open", got)
	}
}

// TestEndlessBody: no more is read than fits.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Do: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write([]byte("[[[[[[[[[[[[[[[[[[[[[[[[["))
			}
		})
	}})
	c := connect(t, s, nil)
	c.door.maxBody = 1 << 16
	if _, err := c.Version(t.Context()); !errors.Is(err, errTooLarge) || !errors.Is(err, fault.Permanent) {
		t.Errorf("got %v", err)
	}
}
