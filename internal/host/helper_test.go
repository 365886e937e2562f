// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clock stands still unless somebody sleeps.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// bed is a host whose /proc and /sys are files of the test.
type bed struct {
	*Host
	t     *testing.T
	clock *clock
	root  string
	// unmounted and detached are what the kernel was asked for.
	unmounted, detached []string
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}, root: t.TempDir()}
	b.kernel("/proc/sys/kernel/random/boot_id", "boot-1")
	b.kernel("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
	b.kernel(DefaultHugepages, "0")
	if err := os.MkdirAll(b.root+"/proc/self/ns", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pid:[1]", b.root+"/proc/self/ns/pid"); err != nil {
		t.Fatal(err)
	}
	var err error
	if b.Host, err = Open(Options{Dir: filepath.Join(t.TempDir(), "state"), Now: b.clock.Now, Sleep: b.clock.Sleep, Root: b.root}); err != nil {
		t.Fatal(err)
	}
	b.unmount = func(path string) error { b.unmounted = append(b.unmounted, path); return b.drop(path) }
	b.detach = func(path string) error {
		b.detached = append(b.detached, path)
		return os.Remove(b.root + "/sys/block/" + filepath.Base(path) + "/loop/backing_file")
	}
	return b
}

// kernel writes one of the kernel's files.
func (b *bed) kernel(path, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.root+path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(b.root+path, []byte(text+"\n"), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// mount makes mount points appear; drop takes the last of a path away.
func (b *bed) mount(points ...string) {
	text := b.text("/proc/self/mountinfo")
	for i, p := range points {
		text += fmt.Sprintf("\n%d 22 0:40 / %s rw - tmpfs x rw", 100+i, p)
	}
	b.kernel("/proc/self/mountinfo", text)
}

func (b *bed) drop(path string) error {
	points, err := b.mounts()
	if err != nil {
		return err
	}
	b.kernel("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw")
	found := false
	for i := len(points) - 1; i > 0; i-- {
		if points[i] == path && !found {
			found = true
			points = append(points[:i], points[i+1:]...)
		}
	}
	b.mount(points[1:]...)
	if !found {
		return os.ErrNotExist
	}
	return nil
}

// process makes a process appear.
func (b *bed) process(pid int, start uint64) {
	b.kernel(fmt.Sprintf("/proc/%d/stat", pid), fmt.Sprintf("%d (a (b) c) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 %d 1 1", pid, start))
}

// lease takes the host, and fails the test if that does not work.
func (b *bed) lease(owner string) *Lease {
	b.t.Helper()
	l, _, err := b.Lease(b.t.Context(), Request{Owner: owner, For: time.Hour})
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// record records a resource for a lease.
func (b *bed) record(l *Lease, kind Kind, name string) {
	b.t.Helper()
	r, err := b.Describe(kind, name)
	if err == nil {
		err = b.Record(b.t.Context(), l.ID, r)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// state is what Status says.
func (b *bed) state() State {
	b.t.Helper()
	s, err := b.Status()
	if err != nil {
		b.t.Fatal(err)
	}
	return s.State
}
