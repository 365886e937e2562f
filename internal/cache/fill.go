// SPDX-License-Identifier: BSD-3-Clause

package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// entry is one file of the cache, in a folder of its own:
//
//	lock        held shared by users, exclusively by whoever brings or deletes it;
//	            its time is that of the last use
//	image       the file; it has this name only after its digest was compared
//	incoming    what fetch writes, and incoming.* what fetch keeps beside it
type entry struct {
	cache  *Cache
	key    string
	dir    string
	sha256 string
	size   int64
	fetch  func(ctx context.Context, path string) error
}

func (e entry) lockPath() string     { return filepath.Join(e.dir, "lock") }
func (e entry) imagePath() string    { return filepath.Join(e.dir, "image") }
func (e entry) incomingPath() string { return filepath.Join(e.dir, "incoming") }

// verified is the time of a file whose digest was compared. Whoever writes to
// the file changes it, so a look at the time tells without reading gigabytes.
var verified = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// whole reports whether the file is here and as it was when it was compared.
func (e entry) whole() bool {
	info, err := os.Lstat(e.imagePath())
	return err == nil && info.Mode().IsRegular() && info.Size() == e.size && info.ModTime().Equal(verified)
}

// fill brings the file. The lock is held exclusively.
func (e entry) fill(ctx context.Context) error {
	if e.whole() { // another process was faster
		return nil
	}
	// What was here may still be right: touched, but not changed, or compared and
	// not renamed before a kill.
	for _, path := range []string{e.imagePath(), e.incomingPath()} {
		wrong, err := e.compare(ctx, path)
		switch {
		case err == nil && wrong == nil:
			return e.accept(path)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return e.ours(err)
		default:
			if err := os.Remove(path); err != nil {
				return e.ours(err)
			}
		}
	}
	if err := e.makeRoom(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		if err := e.fetch(ctx, e.incomingPath()); err != nil {
			return e.fetchFailed(err)
		}
		wrong, err := e.compare(ctx, e.incomingPath())
		switch {
		case err != nil:
			return e.ours(err)
		case wrong == nil:
			return e.accept(e.incomingPath())
		}
		if err := e.removeIncoming(); err != nil {
			return e.ours(err)
		}
		if try == 2 {
			return fault.New(fault.Permanent, "failed to get %q: what was fetched is not what it should be, twice: %w", e.key, wrong).
				WithHint("it is damaged where it comes from, or the wrong digest was asked for")
		}
	}
}

// compare reads a file. The first result says what is wrong with it.
func (e entry) compare(ctx context.Context, path string) (wrong, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() != e.size:
		return fmt.Errorf("it has %d of %d bytes", info.Size(), e.size), nil
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, untilDone{ctx, file}, make([]byte, 256<<10)); err != nil {
		return nil, err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != e.sha256 {
		return fmt.Errorf("its SHA-256 is %s, not %s", got, e.sha256), nil
	}
	return nil, nil
}

// untilDone is a reader that ends with ctx.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// accept gives a compared file its name. Everything about it lasts before the
// name does.
func (e entry) accept(path string) error {
	err := os.Chmod(path, 0o444)
	if err == nil {
		err = os.Chtimes(path, verified, verified)
	}
	if err == nil {
		err = durable.Sync(path)
	}
	if err == nil && path != e.imagePath() {
		err = os.Rename(path, e.imagePath())
	}
	if err == nil {
		err = e.removeIncoming()
	}
	if err == nil {
		err = durable.Sync(e.dir)
	}
	e.touch()
	return e.ours(err)
}

// removeIncoming throws away what fetch brought and what it kept.
func (e entry) removeIncoming() error {
	list, err := os.ReadDir(e.dir)
	if err != nil {
		return err
	}
	for _, f := range list {
		if strings.HasPrefix(f.Name(), "incoming") {
			if err := os.Remove(filepath.Join(e.dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetchFailed says of a full disk what can be done; other errors are fetch's own.
func (e entry) fetchFailed(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fault.New(fault.Ours, "failed to get %q: the disk of %s is full: %w", e.key, e.cache.dir, err).
		WithHint("make room on it, or give another folder; what came is kept, and the next try goes on from there")
}

// ours classifies what the local file system says.
func (e entry) ours(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unknown, "failed to get %q from the cache: %w", e.key, err)
	}
	return fault.New(fault.Ours, "failed to get %q from the cache in %s: %w", e.key, e.cache.dir, err)
}
