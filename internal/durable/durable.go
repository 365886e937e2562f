// SPDX-License-Identifier: BSD-3-Clause

// Package durable keeps small files and locks that survive a process which is
// killed at any point, and a host that loses its power. It knows nothing of what
// the files hold, and classifies no errors. Folders must be on a local file
// system.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile replaces a file: after a crash it has its old or its new content,
// never half of it, and once WriteFile returned it has the new one.
func WriteFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it was renamed
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = Sync(filepath.Dir(path))
	}
	return err
}

// Sync makes what was written to a file, or renamed in a folder, last beyond a
// loss of power.
func Sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) { // not all file systems can do it for folders
		return nil
	}
	return err
}

// ErrTooLong says that a file is longer than any that was written.
var ErrTooLong = errors.New("the file is too long")

// ReadFile reads a file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = ErrTooLong
	}
	return data, err
}
