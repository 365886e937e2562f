// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Archive is a zip file in a temporary file, until Close. Nothing in it has been
// checked but the size of its directory.
type Archive struct {
	*zip.Reader
	file *os.File
}

// OpenArchive reads a zip file of at most limit bytes into a temporary file of a
// folder; an empty one is the system's.
func OpenArchive(r io.Reader, folder string, limit int64) (*Archive, error) {
	file, size, err := spool(r, folder, limit)
	if err != nil {
		return nil, err
	}
	z, err := openZip(file, size)
	if err != nil {
		file.Close()
		return nil, fault.New(fault.Permanent, "failed to read a zip file: %w", err)
	}
	return &Archive{z, file}, nil
}

// Close frees the temporary file.
func (a *Archive) Close() error { return a.file.Close() }

// spool writes what r gives into a temporary file: a zip's directory is at its
// end. The file has no name any more, so it is gone however this process ends.
func spool(r io.Reader, folder string, limit int64) (file *os.File, size int64, err error) {
	file, err = os.CreateTemp(folder, "artifact-*.zip")
	if err != nil {
		return nil, 0, spoolFailed(err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, 0, spoolFailed(err)
	}
	src := &source{r: &limited{r: r, left: limit, what: "it is larger than " + sizeText(limit)}}
	size, err = io.Copy(file, src)
	if err == nil {
		return file, size, nil
	}
	file.Close()
	if src.err != nil {
		return nil, 0, src.err
	}
	return nil, 0, spoolFailed(err)
}

func spoolFailed(err error) error {
	f := fault.New(fault.Ours, "failed to put it into a temporary file: %w", err)
	if errors.Is(err, syscall.ENOSPC) {
		f.Hint = "make room in TMPDIR"
	}
	return f
}
