// SPDX-License-Identifier: BSD-3-Clause

package github

import (
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

func TestNewChecksTheURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                                 "https://api.github.com/",
		"https://api.github.com":           "https://api.github.com/",
		"https://ghe.example.org/api/v3//": "https://ghe.example.org/api/v3/",
	} {
		c, err := New(Options{APIURL: raw})
		if err != nil {
			t.Errorf("%q: %v", raw, err)
		} else if got := c.api.BaseURL.String(); got != want {
			t.Errorf("%q: got %s, want %s", raw, got, want)
		}
	}
	for _, raw := range []string{"api.github.com", "ssh://h/", "https://", "https://h/?q=1", "https://h/#f", "https://h\x7f/", "https://" + secret + "@h/"} {
		_, err := New(Options{APIURL: raw})
		checkFailure(t, err, fault.Configuration, "GitHub API URL")
	}
	_, err := New(Options{APIURL: "http://ghe.example.org/api/v3", Token: Static(secret)})
	checkFailure(t, err, fault.Configuration, "in the clear")
	if _, err = New(Options{APIURL: "http://ghe.example.org/api/v3"}); err != nil {
		t.Errorf("without a token: got %v", err)
	}
}

func TestDefaultBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	if got, err := w.client.DefaultBranch(t.Context(), "org/ci"); got != "main" || err != nil {
		t.Errorf("got %q, %v; want main", got, err)
	}
	_, err := w.client.DefaultBranch(t.Context(), "org/gone")
	checkFailure(t, err, fault.Configuration, "check that org/gone is right; if the repository is private, the classic token (setting ci-token) needs the scope repo, and its account must be invited")
	_, err = w.client.DefaultBranch(t.Context(), "gone")
	checkFailure(t, err, fault.Configuration, "OWNER/NAME")
	w.server.Faults.Add(faults.Rule{Do: faults.Answer(200, `{"default_branch":"-x"}`)})
	_, err = w.client.DefaultBranch(t.Context(), "org/ci")
	checkFailure(t, err, fault.Permanent, "must not begin with '-'")
}

// TestAnonymous reads a public repository without a token.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.client.token = nil
	if _, err := w.client.DefaultBranch(t.Context(), "org/ci"); err != nil {
		t.Error(err)
	}
	_, err := w.client.DefaultBranch(t.Context(), "org/gone")
	checkFailure(t, err, fault.Configuration, "without a token only public repositories can be seen")
}

// TestReadsAreTriedAgain holds how often a read is sent and what is waited.
func TestReadsAreTriedAgain(t *testing.T) {
	t.Parallel()
	limited := faults.Answer(403, `{"documentation_url":"https://docs.github.com/x#secondary-rate-limits"}`, "Retry-After", "30")
	for _, tc := range []struct {
		name     string
		rule     faults.Rule
		kind     fault.Kind // Unknown: it works in the end
		requests int
		slept    []time.Duration
	}{
		{"502 twice", faults.Rule{Times: 2, Do: faults.Answer(502, "")}, fault.Unknown, 3, []time.Duration{time.Second, 2 * time.Second}},
		{"502 for ever", faults.Rule{Do: faults.Answer(502, "")}, fault.Transient, 3, []time.Duration{time.Second, 2 * time.Second}},
		{"lost once", faults.Rule{Times: 1, Do: faults.LoseReply()}, fault.Unknown, 2, []time.Duration{time.Second}},
		{"cut once", faults.Rule{Times: 1, Do: faults.Cut(100)}, fault.Unknown, 2, []time.Duration{time.Second}},
		{"short once", faults.Rule{Times: 1, Do: faults.Truncate(100)}, fault.Unknown, 2, []time.Duration{time.Second}},
		{"limited once", faults.Rule{Times: 1, Do: limited}, fault.Unknown, 2, []time.Duration{30 * time.Second}},
		{"limited for ever", faults.Rule{Do: limited}, fault.Transient, 3, []time.Duration{30 * time.Second, 30 * time.Second}},
		{"limited for long", faults.Rule{Do: faults.Answer(429, "", "Retry-After", "121")}, fault.Transient, 1, nil},
		{"403", faults.Rule{Do: faults.Answer(403, `{"message":"no"}`)}, fault.Configuration, 1, nil},
		{"404", faults.Rule{Do: faults.Answer(404, "")}, fault.Configuration, 1, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, standin.Options{})
			w.server.Faults.Add(tc.rule)
			_, err := w.client.DefaultBranch(t.Context(), "org/ci")
			if tc.kind != fault.Unknown {
				checkFailure(t, err, tc.kind, "failed to read the default branch of org/ci")
			} else if err != nil {
				t.Error(err)
			}
			if got := len(w.server.Requests()); got != tc.requests {
				t.Errorf("got %d requests, want %d", got, tc.requests)
			}
			if diff := cmp.Diff(tc.slept, w.slept); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWaitsAreBounded lets a server limit each request: the client must not
// wait for ever in small steps.
func TestWaitsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.server.Faults.Add(faults.Rule{Do: faults.Answer(429, "", "Retry-After", "100")})
	for range 10 {
		_, err := w.client.DefaultBranch(t.Context(), "org/ci")
		checkFailure(t, err, fault.Transient, "rate limit")
	}
	if got := len(w.slept); got != 3 {
		t.Errorf("waited %d times for 100 s, want 3 within %s", got, maxSlept)
	}
}

// TestLimitIsRemembered holds that nothing is sent while a limit stands, whether
// it was told by a refusal or by the last answer before it.
func TestLimitIsRemembered(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(http.Handler) http.Handler{
		"refused": faults.Answer(403, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1772367000"),
		"spent":   faults.Answer(200, `{"default_branch":"main"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1772367000"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, standin.Options{})
			w.server.Faults.Add(faults.Rule{Times: 1, Do: do})
			w.client.DefaultBranch(t.Context(), "org/ci")
			started, err := w.client.Dispatch(t.Context(), autorunCall())
			if started.Outcome != change.Refused {
				t.Errorf("got %s, want refused", started.Outcome)
			}
			checkFailure(t, err, fault.Transient, "primary rate limit")
			if got, want := fault.RetryAfter(err), 10*time.Minute; got != want {
				t.Errorf("retry after: got %s, want %s", got, want)
			}
			if got := len(w.server.Requests()); got != 1 {
				t.Errorf("got %d requests, want 1", got)
			}
			w.advance(10 * time.Minute)
			if started, err := w.client.Dispatch(t.Context(), autorunCall()); started.Outcome != change.Accepted {
				t.Errorf("after the limit: got %s, %v", started.Outcome, err)
			}
		})
	}
}

// TestRedirect follows a renamed repository, and does not carry the token to
// another server.
func TestRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("^/repos/org/old"), Do: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, strings.Replace(r.URL.Path, "org/old", "org/ci", 1), http.StatusTemporaryRedirect)
		})
	}})
	call := autorunCall()
	call.Repository = "org/old"
	if started, err := w.client.Dispatch(t.Context(), call); started.Outcome != change.Accepted || started.RunID == 0 {
		t.Errorf("got %+v, %v", started, err)
	}

	other := newWorld(t, standin.Options{})
	w.server.Faults.Add(faults.Rule{Method: "GET", Do: faults.Answer(302, "", "Location", other.server.URL()+"/repos/org/ci")})
	_, err := w.client.DefaultBranch(t.Context(), "org/ci")
	checkFailure(t, err, fault.Configuration, "give its new name")
	if got := other.server.Requests(); len(got) != 0 {
		t.Errorf("the other server got %v", got)
	}
}

// TestBodiesAreBounded lets a server send more than is read.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.client.sleep = nil // one try is enough
	for name, do := range map[string]func(http.Handler) http.Handler{
		"answer": faults.Answer(200, `{"default_branch":"`+strings.Repeat("x", maxBody)+`"}`),
		"error":  faults.Answer(500, `{"message":"`+strings.Repeat("x", maxErrorBody)+`"}`),
	} {
		w.server.Faults.Clear()
		w.server.Faults.Add(faults.Rule{Do: do})
		_, err := w.client.DefaultBranch(t.Context(), "org/ci")
		checkFailure(t, err, fault.Transient, "failed to read the default branch")
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}
