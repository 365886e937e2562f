// SPDX-License-Identifier: BSD-3-Clause

package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Lock is a lock that is held. The end of the process gives it back, too.
type Lock struct{ file *os.File }

// Close gives the lock back. To close the file is not enough: a child that was forked
// just now and has not yet become another program has the file open as well.
func (l *Lock) Close() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}

// TryLock takes a lock of the kernel (flock) on a file, which it makes if there is
// none, also its folder. how is syscall.LOCK_EX or syscall.LOCK_SH. It returns nil
// without an error if somebody else holds it. Whoever holds it exclusively may delete
// the file.
func TryLock(path string, how int) (*Lock, error) {
	for {
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the folder was deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		locked, err := lockFile(file, how)
		if err == nil && locked {
			// What was opened before it was deleted, and locked after that, is a
			// file that nobody else will ever see.
			locked, err = stillThere(file, path)
			if err == nil && !locked {
				file.Close()
				continue
			}
		}
		if err != nil || !locked {
			file.Close()
			return nil, err
		}
		return &Lock{file}, nil
	}
}

func lockFile(file *os.File, how int) (bool, error) {
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, syscall.EINTR):
			continue
		}
		return false, &fs.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
}

func stillThere(file *os.File, path string) (bool, error) {
	ours, err := file.Stat()
	if err != nil {
		return false, err
	}
	current, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, current), err
}
