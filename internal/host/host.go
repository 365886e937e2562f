// SPDX-License-Identifier: BSD-3-Clause

// Package host keeps order on a lab host: one job at a time has its hardware
// (a lease), what a job that died left behind is cleaned up, and a host whose rig
// fails again and again is left alone for a while (quarantine).
//
// Everything that it must remember are small files in a state folder, written so
// that a kill at any point loses nothing. It ends, unmounts and deletes only what
// was recorded for a lease, and looks again before it does: at a process's start
// time, at a loop device's file. It never looks for things by their names, starts
// no jobs, and cannot keep away those who do not ask it for a lease.
package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// DefaultDir is the state folder if none is given.
const DefaultDir = "/var/lib/dispatcher"

// Options say where the state is kept, and give the time.
type Options struct {
	// Dir is the state folder; all jobs of the host must use the same one.
	Dir string
	// Now and Sleep must be set.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Root is in front of /proc, /sys and /dev; empty on a real host.
	Root string
}

// Host is the host that this process runs on.
type Host struct {
	o Options
	// unmount and detach are the kernel's; tests have their own.
	unmount, detach func(path string) error
}

// Open makes the state folder if there is none.
func Open(o Options) (*Host, error) {
	dir, err := filepath.Abs(o.Dir)
	o.Dir = dir
	h := &Host{o: o, unmount: unmount, detach: detachLoop}
	if err == nil {
		err = os.MkdirAll(h.path("resources"), 0o755)
	}
	if err == nil {
		err = syscall.Access(dir, 2) // W_OK
	}
	if err != nil {
		return nil, fault.New(fault.Configuration, "failed to open the state folder: %w", err).
			WithHint("run it as root, or give a folder that this account can write to with --state or in the variable DISPATCHER_STATE; all jobs of a host must use the same one")
	}
	return h, nil
}

func (h *Host) path(name ...string) string {
	return filepath.Join(append([]string{h.o.Dir}, name...)...)
}

// system is a path below /proc or /sys.
func (h *Host) system(path string) string { return h.o.Root + path }

const (
	// maxFile bounds the files of the state.
	maxFile = 1 << 20
	// poll is the time between two looks at what somebody else holds.
	poll = 2 * time.Second
)

// lock keeps other processes out until it is unlocked or this process ends.
func (h *Host) lock(ctx context.Context) (unlock func(), err error) {
	for {
		file, err := durable.TryLock(h.path("lock"), syscall.LOCK_EX)
		if err != nil {
			return nil, broken("lock the state folder", err)
		}
		if file != nil {
			return func() { file.Close() }, nil
		}
		if err := h.o.Sleep(ctx, poll/10); err != nil {
			return nil, fault.New(fault.Unknown, "failed to lock the state folder, another process is busy with it: %w", err)
		}
	}
}

// broken classifies what the local file system says.
func broken(doing string, err error) error {
	f := fault.New(fault.Ours, "failed to %s: %w", doing, err)
	if errors.Is(err, fs.ErrPermission) {
		f = f.WithHint("run it as root, or as the account that made the file")
	}
	return f
}

// read reads a file of the state; it is nil if there is none.
func (h *Host) read(name string) ([]byte, error) {
	data, err := durable.ReadFile(h.path(name), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, broken("read "+h.path(name), err)
	}
	return data, nil
}

// text reads a small file of the kernel, without blanks around it; empty if
// there is none.
func (h *Host) text(path string) string {
	data, err := durable.ReadFile(h.system(path), maxFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// boot is the id of this boot of the host; empty where the kernel has none.
func (h *Host) boot() string { return h.text("/proc/sys/kernel/random/boot_id") }
