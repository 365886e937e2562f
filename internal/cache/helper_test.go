// SPDX-License-Identifier: BSD-3-Clause

package cache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// clock goes on by a minute with each look.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Minute)
	return c.now
}

// yield lets the others work, instead of a sleep.
func yield(ctx context.Context, _ time.Duration) error {
	runtime.Gosched()
	return ctx.Err()
}

// bed is a cache in a folder of its own.
type bed struct {
	*Cache
	t     *testing.T
	clock *clock
}

func newBed(t *testing.T, change ...func(*Options)) *bed {
	t.Helper()
	b := &bed{t: t, clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}}
	o := Options{Now: b.clock.Now, Sleep: yield}
	for _, do := range change {
		do(&o)
	}
	var err error
	if b.Cache, err = Open(filepath.Join(t.TempDir(), "cache"), o); err != nil {
		t.Fatal(err)
	}
	b.free = func(string) (int64, error) { return 1 << 40, nil }
	return b
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// source is where files come from.
type source struct {
	mu      sync.Mutex
	fetches map[string]int
}

// fetch writes a text, and counts.
func (s *source) fetch(text string) func(context.Context, string) error {
	return func(_ context.Context, path string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fetches == nil {
			s.fetches = map[string]int{}
		}
		s.fetches[text]++
		return os.WriteFile(path, []byte(text), 0o644)
	}
}

// get gets a text and fails the test if it is another one.
func (b *bed) get(s *source, text string) (release func()) {
	b.t.Helper()
	path, release, err := b.Get(b.t.Context(), "image of "+text, sum(text), int64(len(text)), s.fetch(text))
	if err != nil {
		b.t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		b.t.Errorf("got %q, %v; want %q", got, err, text)
	}
	return release
}

// held are the texts of the list that are in the cache.
func (b *bed) held(texts ...string) (held []string) {
	for _, text := range texts {
		_, err := os.Stat(filepath.Join(b.dir, sum(text), "image"))
		if err == nil {
			held = append(held, text)
		} else if !errors.Is(err, os.ErrNotExist) {
			b.t.Error(err)
		}
	}
	return held
}
