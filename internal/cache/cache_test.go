// SPDX-License-Identifier: BSD-3-Clause

package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestGet(t *testing.T) {
	t.Parallel()
	var s source
	b := newBed(t)
	for range 3 {
		b.get(&s, "hello")()
	}
	b.get(&s, "")() // empty files are files
	if diff := cmp.Diff(map[string]int{"hello": 1, "": 1}, s.fetches); diff != "" {
		t.Errorf("fetches (-want +got):\n%s", diff)
	}
	list, _ := os.ReadDir(filepath.Join(b.dir, sum("hello")))
	if len(list) != 2 {
		t.Errorf("got %v, want the lock and the image", list)
	}
	info, err := os.Stat(filepath.Join(b.dir, sum("hello"), "image"))
	if err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("got %v, %v; want a file that cannot be written", info, err)
	}
}

// TestDamage: what is not what it was is noticed and brought again; what was only
// touched is not.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(path string) error
		fetches int
	}{
		{"truncated", func(path string) error { return os.Truncate(path, 3) }, 2},
		{"written to", func(path string) error { os.Chmod(path, 0o644); return os.WriteFile(path, []byte("hallo"), 0o644) }, 2},
		{"deleted", os.Remove, 2},
		{"a link", func(path string) error { os.Remove(path); return os.Symlink("/etc/passwd", path) }, 0},
		{"touched", func(path string) error { now := time.Now(); return os.Chtimes(path, now, now) }, 1},
		{"not renamed", func(path string) error { return os.Rename(path, filepath.Join(filepath.Dir(path), "incoming")) }, 1},
		{"half, not renamed", func(path string) error {
			os.Truncate(path, 3)
			return os.Rename(path, filepath.Join(filepath.Dir(path), "incoming"))
		}, 2},
		{"without a lock", func(path string) error { return os.Remove(filepath.Join(filepath.Dir(path), "lock")) }, 1},
	} {
		var s source
		b := newBed(t)
		b.get(&s, "hello")()
		if err := c.do(filepath.Join(b.dir, sum("hello"), "image")); err != nil {
			t.Fatal(err)
		}
		if c.name == "a link" { // nobody of ours makes one: it is not followed
			_, _, err := b.Get(t.Context(), "x", sum("hello"), 5, s.fetch("hello"))
			if !errors.Is(err, fault.Ours) || !errors.Is(err, syscall.ELOOP) {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		b.get(&s, "hello")()
		if s.fetches["hello"] != c.fetches {
			t.Errorf("%s: got %d fetches, want %d", c.name, s.fetches["hello"], c.fetches)
		}
	}
}

// TestWrongContent: it is fetched once more, and never gets a name.
func TestWrongContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		wrong      int // so many times
		problem    string
	}{
		{"once", "hallo", 1, ""},
		{"always", "hallo", 9, "its SHA-256 is"},
		{"short", "hell", 9, "it has 4 of 5 bytes"},
	} {
		b := newBed(t)
		n := 0
		path, release, err := b.Get(t.Context(), "image", sum("hello"), 5, func(_ context.Context, path string) error {
			if n++; n > c.wrong {
				return os.WriteFile(path, []byte("hello"), 0o644)
			}
			return os.WriteFile(path, []byte(c.text), 0o644)
		})
		if n != 2 {
			t.Errorf("%s: got %d fetches, want 2", c.name, n)
		}
		if c.problem == "" {
			if err != nil {
				t.Fatal(err)
			}
			release()
			if got, _ := os.ReadFile(path); string(got) != "hello" {
				t.Errorf("%s: got %q", c.name, got)
			}
			continue
		}
		if !errors.Is(err, fault.Permanent) || !strings.Contains(err.Error(), c.problem) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v, want %q and a hint", c.name, err, c.problem)
		}
		if list, _ := os.ReadDir(filepath.Join(b.dir, sum("hello"))); len(list) != 1 {
			t.Errorf("%s: left: %v", c.name, list)
		}
	}
}

// TestFetchFails: its error comes back, and what it left is there for the next.
func TestFetchFails(t *testing.T) {
	t.Parallel()
	lost := fault.New(fault.Transient, "the line was lost")
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, c := range []struct {
		err        error
		kind       fault.Kind
		text, hint string
	}{
		{lost, fault.Transient, "the line was lost", ""},
		{full, fault.Ours, "is full", "make room"},
		{fault.New(fault.Ours, "failed to download: %w", full), fault.Ours, "is full", "make room"},
	} {
		b := newBed(t)
		_, _, err := b.Get(t.Context(), "image", sum("hello"), 5, func(_ context.Context, path string) error {
			return errors.Join(os.WriteFile(path+".part", []byte("he"), 0o644), c.err)
		})
		if fault.KindOf(err) != c.kind || !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("got %v (%v, %q), want %v and %q", err, fault.KindOf(err), fault.HintOf(err), c.kind, c.text)
		}
		_, release, err := b.Get(t.Context(), "image", sum("hello"), 5, func(_ context.Context, path string) error {
			begin, err := os.ReadFile(path + ".part")
			if err != nil {
				return err
			}
			return os.WriteFile(path, append(begin, "llo"...), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}

// TestOnce: of many who want a file one brings it, and the others are told that
// they wait.
func TestOnce(t *testing.T) {
	t.Parallel()
	const users = 8
	var s source
	var mu sync.Mutex
	waiting := 0
	all := make(chan struct{})
	b := newBed(t, func(o *Options) {
		o.Waiting = func(key string) {
			mu.Lock()
			defer mu.Unlock()
			if waiting++; waiting == users-1 {
				close(all)
			}
			if key != "image" {
				t.Errorf("got the key %q", key)
			}
		}
	})
	var group sync.WaitGroup
	for range users {
		group.Go(func() {
			path, release, err := b.Get(t.Context(), "image", sum("hello"), 5, func(ctx context.Context, path string) error {
				<-all
				return s.fetch("hello")(ctx, path)
			})
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if got, err := os.ReadFile(path); string(got) != "hello" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	group.Wait()
	if s.fetches["hello"] != 1 {
		t.Errorf("got %d fetches, want 1", s.fetches["hello"])
	}
}

func TestWaitEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := newBed(t, func(o *Options) { o.Waiting = func(string) { cancel() } })
	held, err := durable.TryLock(entry{dir: filepath.Join(b.dir, sum("hello"))}.lockPath(), syscall.LOCK_EX)
	if err != nil || held == nil {
		t.Fatal(held, err)
	}
	defer held.Close()
	_, _, err = b.Get(ctx, "image", sum("hello"), 5, new(source).fetch("hello"))
	if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%v), want that the caller cancelled", err, fault.KindOf(err))
	}
}

// TestLimit: what was used longest ago goes first, what is in use stays.
func TestLimit(t *testing.T) {
	t.Parallel()
	var s source
	b := newBed(t, func(o *Options) { o.MaxBytes = 12 })
	texts := []string{"one..", "two..", "three", "four.", "five."}
	b.get(&s, texts[0])()
	b.get(&s, texts[1])()
	b.get(&s, texts[0])() // used again
	b.get(&s, texts[2])()
	if got, want := b.held(texts...), []string{texts[0], texts[2]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	releaseFirst := b.get(&s, texts[0])
	releaseThird := b.get(&s, texts[3]) // the one in use stays, although it is older
	if got, want := b.held(texts...), []string{texts[0], texts[3]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.get(&s, texts[4])() // both are in use: the limit gives way
	if got, want := b.held(texts...), []string{texts[0], texts[3], texts[4]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	releaseFirst()
	releaseFirst() // once is enough
	releaseThird()
	b.get(&s, texts[1])()
	if got, want := b.held(texts...), []string{texts[1], texts[3]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if list, _ := os.ReadDir(b.dir); len(list) != 2 {
		t.Errorf("got %v, want that evicted entries leave nothing", list)
	}
	_, _, err := b.Get(t.Context(), "big", sum("a long text..."), 14, s.fetch("a long text..."))
	if !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), "limit") {
		t.Errorf("larger than the cache: got %v", err)
	}
}

// TestDisk: there is a look before a download, with what others will need.
func TestDisk(t *testing.T) {
	t.Parallel()
	var s source
	b := newBed(t)
	free := int64(reserve + 20)
	b.free = func(string) (int64, error) { return free, nil }
	b.get(&s, "one..")()
	free = reserve + 4
	_, _, err := b.Get(t.Context(), "image", sum("hello"), 5, s.fetch("hello"))
	if !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), "it needs 1 MiB") || !strings.Contains(fault.HintOf(err), "make room") {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
	if s.fetches["hello"] != 0 || len(b.held("one..")) != 0 {
		t.Errorf("got %v and %q, want that the old one made room, in vain", s.fetches, b.held("one.."))
	}
	// Another process is bringing a file of 100 bytes, of which none is here yet.
	other := filepath.Join(b.dir, sum("other"))
	held, err := durable.TryLock(filepath.Join(other, "lock"), syscall.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	file, err := os.Create(filepath.Join(other, "incoming.part"))
	if err == nil {
		err = errors.Join(file.Truncate(1<<20), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	free = reserve + 1<<20
	if _, _, err := b.Get(t.Context(), "image", sum("hello"), 5, s.fetch("hello")); !errors.Is(err, fault.Ours) {
		t.Errorf("what another one will need was not counted: got %v", err)
	}
	free += 5
	b.get(&s, "hello")()
}

func TestOpenAndRefuse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "cache"), Options{}); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
		t.Errorf("got %v, want a hint", err)
	}
	b := newBed(t)
	for _, sum := range []string{"", "../../etc", strings.ToUpper(sum("x"))} {
		if _, _, err := b.Get(t.Context(), "x", sum, 1, nil); !errors.Is(err, fault.Permanent) {
			t.Errorf("%q: got %v", sum, err)
		}
	}
}

// TestCrowd: many users of a cache that is too small for them get what they asked
// for, always.
func TestCrowd(t *testing.T) {
	t.Parallel()
	b := newBed(t, func(o *Options) { o.MaxBytes = 20 })
	var group sync.WaitGroup
	for user := range 6 {
		group.Go(func() {
			var s source
			for i := range 30 {
				text := fmt.Sprintf("text %d..", (i*7+user)%5)
				path, release, err := b.Get(t.Context(), text, sum(text), int64(len(text)), s.fetch(text))
				if err != nil {
					if strings.Contains(err.Error(), "again and again") { // it is that small
						continue
					}
					t.Error(err)
					return
				}
				if got, err := os.ReadFile(path); string(got) != text {
					t.Errorf("got %q, %v; want %q", got, err, text)
				}
				release()
			}
		})
	}
	group.Wait()
}
