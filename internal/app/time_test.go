// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// clock is the time of a story: it stands still but for what somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
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
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
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
