// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package guest

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	folderPrefix = "dispatcher-guest-"
	lockName     = "lock"
	// longestSocket is what fits into a unix socket's address, less the rest of
	// the path below the temporary folder.
	longestSocket = 107 - len("/"+folderPrefix+"4294967295/monitor")
)

// folder is the private one of a run. Its lock is held as long as the process
// lives, so that the next run can tell what a killed one left behind.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder below parent, or where its path is short enough for
// sockets, and removes what killed runs left there.
func newFolder(parent string) (*folder, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to find the temporary folder: %w", err)
	}
	sweep(parent)
	if len(parent) > longestSocket {
		return nil, fault.New(fault.Configuration, "the path of the temporary folder is too long for sockets: %s", parent).
			WithHint("set TMPDIR to a folder with a short path on the same disk")
	}
	path, err := os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make a folder for the guest: %w", err).WithHint("set TMPDIR to a folder that can be written to")
	}
	f := &folder{path: path}
	if f.lock, err = takeLock(f.file("unlocked")); err == nil {
		err = os.Rename(f.file("unlocked"), f.file(lockName)) // from here on, sweep sees it
	}
	if err != nil {
		os.RemoveAll(path)
		return nil, fault.New(fault.Ours, "failed to lock the guest's folder: %w", err)
	}
	return f, nil
}

func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// remove deletes the folder.
func (f *folder) remove() error {
	defer f.lock.Close()
	return os.RemoveAll(f.path)
}

// keep leaves the folder for a person; without its lock no sweep touches it.
func (f *folder) keep() {
	os.Remove(f.file(lockName))
	f.lock.Close()
}

// sweep removes the folders of runs that were killed: nobody holds their lock.
// What cannot be removed is another account's and stays.
func sweep(parent string) {
	old, _ := filepath.Glob(filepath.Join(parent, folderPrefix+"*")) // the pattern is well formed
	for _, path := range old {
		name := filepath.Join(path, lockName)
		if _, err := os.Lstat(name); err != nil {
			continue
		}
		if lock, err := takeLock(name); err == nil {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}
