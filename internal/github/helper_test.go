// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github/openapi"
)

// description is compiled once: that takes longer than any test.
var description = sync.OnceValues(openapi.New)

// secret is the token that tests use; nothing may ever show it.
const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"

// clock is a test's time. Sleeping lets it pass and is recorded.
type clock struct {
	mu    sync.Mutex
	time  time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

// serve starts a GitHub that knows the secret token and whose every request and
// answer is checked against GitHub's description of its API.
func serve(t *testing.T, c *clock, o standin.Options) *standin.Server {
	t.Helper()
	checker, err := description()
	if err != nil {
		t.Fatal(err)
	}
	if o.Wrap == nil {
		o.Wrap = func(next http.Handler) http.Handler {
			return checker.Wrap(next, func(finding string) { t.Error(finding) })
		}
	}
	o.Now = c.now
	if o.Tokens == nil {
		o.Tokens = map[string]standin.Access{secret: standin.FullAccess}
	}
	return standin.Serve(t, o)
}

// newClient makes a client of a server, with the secret token.
func newClient(t *testing.T, c *clock, url string) *Client {
	t.Helper()
	client, err := New(Options{
		APIURL: url, Token: Static(secret), Setting: "ci-token", UserAgent: "test",
		Transport: &http.Transport{}, Sleep: c.sleep, Now: c.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// autorun is a workflow like those that are started.
const autorun = `name: Autorun
run-name: ${{ inputs.key }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      subject:
`

// world is a server with one CI repository, and a client of it.
type world struct {
	*clock
	server *standin.Server
	repo   *standin.Repository
	client *Client
}

func newWorld(t *testing.T, o standin.Options) *world {
	t.Helper()
	c := newClock()
	w := &world{clock: c, server: serve(t, c, o)}
	w.repo = w.server.Repository("org/ci")
	w.repo.Commit("main", map[string]string{
		".github/workflows/autorun.yml": autorun,
		".github/workflows/push.yml":    "on: push\n",
		".github/workflows/event.yml":   "run-name: ${{ github.event.client_payload.key }}\non: {repository_dispatch: {types: [patchset]}}\n",
	})
	w.client = newClient(t, c, w.server.URL())
	return w
}

// checkFailure checks an error's kind, a part of its text or hint, and that it
// does not show the token.
func checkFailure(t *testing.T, err error, kind fault.Kind, part string) {
	t.Helper()
	if err == nil {
		t.Error("got no error")
		return
	}
	text := err.Error() + "\n" + fault.HintOf(err)
	if got := fault.KindOf(err); got != kind || !errors.Is(err, kind) {
		t.Errorf("got a %s failure, want %s: %s", got, kind, text)
	}
	if !strings.Contains(text, part) {
		t.Errorf("got %q, want %q in it", text, part)
	}
	if strings.Contains(text, secret) {
		t.Errorf("the error shows the token: %s", text)
	}
}
