// SPDX-License-Identifier: BSD-3-Clause

package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// reserve is what stays free on the disk: a full one makes others fail as well.
const reserve = 256 << 20

// occupant is an entry, seen from outside.
type occupant struct {
	dir  string
	used time.Time
	// bytes are what it has or will have, blocks what it takes on the disk now:
	// a file that is being brought has its full length and few blocks.
	bytes, blocks int64
}

// occupants lists all entries, the one that was used longest ago first.
func (c *Cache) occupants() ([]occupant, error) {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var all []occupant
	for _, f := range list {
		if !f.IsDir() || !digest.MatchString(f.Name()) {
			continue
		}
		o, err := look(filepath.Join(c.dir, f.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b occupant) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.dir, b.dir)) })
	return all, nil
}

// look measures an entry. What is deleted meanwhile has nothing.
func look(dir string) (occupant, error) {
	o := occupant{dir: dir}
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return o, err
	}
	for _, f := range list {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return o, err
		}
		if f.Name() == "lock" {
			o.used = info.ModTime()
		}
		o.bytes += info.Size()
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			o.blocks += min(info.Size(), st.Blocks*512)
		}
	}
	return o, nil
}

// makeRoom deletes what was used longest ago until the entry fits into the limit
// and onto the disk. The limit may be passed by what is in use, the disk not.
func (e entry) makeRoom() error {
	all, err := e.cache.occupants()
	if err != nil {
		return e.ours(err)
	}
	need, total, pending := e.size, e.size, int64(0)
	for _, o := range all {
		if o.dir == e.dir {
			need -= o.blocks // of an earlier try
			continue
		}
		total += o.bytes
		pending += o.bytes - o.blocks
	}
	for _, o := range all {
		free, err := e.cache.free(e.cache.dir)
		if err != nil {
			return e.ours(err)
		}
		tooMuch := e.cache.o.MaxBytes > 0 && total > e.cache.o.MaxBytes
		if !tooMuch && free-pending-reserve >= need {
			return nil
		}
		if o.dir == e.dir {
			continue
		}
		gone, err := evict(o.dir)
		if err != nil {
			return e.ours(err)
		}
		if gone {
			total -= o.bytes
			pending -= o.bytes - o.blocks
		}
	}
	free, err := e.cache.free(e.cache.dir)
	if err != nil {
		return e.ours(err)
	}
	if free -= pending + reserve; free < need {
		return fault.New(fault.Ours, "failed to get %q: it needs %s on the disk of %s, and %s can be used", e.key, mega(need), e.cache.dir, mega(max(0, free))).
			WithHint("make room on that disk (%s always stay free), or give another folder for the cache", mega(reserve))
	}
	return nil
}

// evict deletes an entry unless it is in use. Its lock goes last, so that a kill
// leaves an entry that the next one can delete.
func evict(dir string) (bool, error) {
	lock := filepath.Join(dir, "lock")
	held, err := durable.TryLock(lock, syscall.LOCK_EX)
	if err != nil || held == nil {
		return false, err
	}
	defer held.Close()
	list, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		if f.Name() == "lock" {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return false, err
		}
	}
	if err := os.Remove(lock); err != nil {
		return false, err
	}
	// Another process may have made a lock there by now: then the folder stays.
	if err := os.Remove(dir); err != nil && !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, fs.ErrNotExist) {
		return true, err
	}
	return true, nil
}

// freeBytes is what an ordinary user may write to the disk of a folder.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// mega makes a size readable.
func mega(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20) }
