// SPDX-License-Identifier: BSD-3-Clause

// Package cache keeps downloaded images on a host that stays, so that jobs need
// not bring gigabytes again. Files are known by their SHA-256. Several processes
// may use one cache: locks of the kernel (flock) see to it that a file is brought
// once while the others wait, and that nobody deletes what another uses. The
// kernel takes them back when a process dies, so a kill at any point leaves
// nothing that the next process cannot go on from.
//
// It does not know where files come from, nor what they are; it trusts nothing
// but their digest. The folder must be on a local file system.
package cache

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Options say how a cache is kept.
type Options struct {
	// MaxBytes bounds what the cache holds; 0 is no limit. What is in use is never
	// deleted, so it may hold more while more is in use.
	MaxBytes int64
	// Now is the clock that says which file was used last; it must be set.
	Now func() time.Time
	// Sleep waits before the next look at a lock and ends early with ctx; it must
	// be set.
	Sleep func(context.Context, time.Duration) error
	// Waiting, if not nil, is called once by a Get that has to wait for another
	// process.
	Waiting func(key string)
}

// Cache is a folder of files. It may be used by several goroutines.
type Cache struct {
	dir  string
	o    Options
	free func(dir string) (int64, error)
}

// Open makes the folder if there is none.
func Open(dir string, o Options) (*Cache, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = syscall.Access(dir, 2) // W_OK
	}
	if err != nil {
		return nil, fault.New(fault.Configuration, "failed to open the cache in %s: %w", dir, err).
			WithHint("give a folder that this account can write to")
	}
	return &Cache{dir: dir, o: o, free: freeBytes}, nil
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

const (
	// poll is the time between two looks at a lock that another process holds.
	poll = 500 * time.Millisecond
	// maxFills is how often a Get brings one file: somebody may delete it before
	// it can be used, but not for ever.
	maxFills = 3
)

// Get returns the path of a file that has this SHA-256 (in lower-case hex) and
// size, and brings it with fetch if it is not here. Nobody deletes or changes it
// before release is called; it must not be written to. The key is the file's
// name for people.
//
// fetch must write the whole file to the path that it is given. If it fails,
// whatever it left beside that path (PATH.anything) is there when it is called
// again, by this process or another one, so that it can go on. Its error comes
// back as it is, but for a full disk. A file with a wrong digest is thrown away and
// fetched once more.
func (c *Cache) Get(ctx context.Context, key, sha256 string, size int64, fetch func(ctx context.Context, path string) error) (path string, release func(), err error) {
	if !digest.MatchString(sha256) || size < 0 {
		return "", nil, fault.New(fault.Permanent, "failed to get %q from the cache: it has no SHA-256 or no size", key)
	}
	if c.o.MaxBytes > 0 && size > c.o.MaxBytes {
		return "", nil, fault.New(fault.Configuration, "failed to get %q from the cache: it has %s, and the cache is limited to %s", key, mega(size), mega(c.o.MaxBytes)).
			WithHint("raise the limit of the cache")
	}
	e := entry{cache: c, key: key, dir: filepath.Join(c.dir, sha256), sha256: sha256, size: size, fetch: fetch}
	for fills, waited := 0, false; ; {
		shared, err := durable.TryLock(e.lockPath(), syscall.LOCK_SH)
		if err != nil {
			return "", nil, e.ours(err)
		}
		if shared != nil {
			if e.whole() {
				return e.imagePath(), e.use(shared), nil
			}
			shared.Close()
		}
		exclusive, err := durable.TryLock(e.lockPath(), syscall.LOCK_EX)
		switch {
		case err != nil:
			return "", nil, e.ours(err)
		case exclusive != nil && fills == maxFills:
			exclusive.Close()
			return "", nil, fault.New(fault.Ours, "failed to get %q from the cache: it was deleted again and again before it could be used", key).
				WithHint("find out what deletes files in %s; perhaps the cache is too small for all that is used at a time", c.dir)
		case exclusive != nil:
			err := e.fill(ctx)
			exclusive.Close()
			if err != nil {
				return "", nil, err
			}
			fills++
			continue
		}
		if !waited && c.o.Waiting != nil {
			c.o.Waiting(key)
		}
		waited = true
		if err := c.o.Sleep(ctx, poll); err != nil {
			return "", nil, fault.New(fault.Unknown, "failed to get %q from the cache: another process was still busy with it: %w", key, err)
		}
	}
}

// use notes that a file is used, and returns what ends that.
func (e entry) use(shared *durable.Lock) (release func()) {
	e.touch()
	var once sync.Once
	return func() {
		once.Do(func() {
			e.touch()
			shared.Close()
		})
	}
}

// touch notes when the file was used last. It is the time of the lock's file;
// if it cannot be set, the file is only deleted earlier.
func (e entry) touch() {
	now := e.cache.o.Now()
	_ = os.Chtimes(e.lockPath(), now, now)
}
