// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"hash/fnv"
	"net/http"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"
)

// clock is the time of a story: it stands still but for what somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
	// onSleep is what happens meanwhile.
	onSleep func()
}

// Now returns the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep lets the time pass at once.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	c.mu.Unlock()
	if c.onSleep != nil {
		c.onSleep()
	}
	return nil
}

// advance lets time pass between two passes.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// impatient ends requests to such paths as their deadlines would, which the
// clients set by the clock on the wall.
type impatient struct{ paths *regexp.Regexp }

// RoundTrip waits a twentieth of a second.
func (i impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !i.paths.MatchString(r.URL.Path) {
		return http.DefaultTransport.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	context.AfterFunc(r.Context(), cancel)
	return http.DefaultTransport.RoundTrip(r.WithContext(ctx))
}

// before is told of each request before it is sent.
type before func(*http.Request)

// RoundTrip sends the request.
func (b before) RoundTrip(r *http.Request) (*http.Response, error) {
	b(r)
	return http.DefaultTransport.RoundTrip(r)
}

// oneOfThree plays about one of three cases of a large table, always the same ones;
// with STORIES=all, which .ci/run sets for such tables, all of them.
func oneOfThree(t *testing.T) {
	t.Helper()
	h := fnv.New32a()
	h.Write([]byte(t.Name()))
	if h.Sum32()%3 != 0 && os.Getenv("STORIES") != "all" {
		t.Skip("played with STORIES=all only")
	}
}
