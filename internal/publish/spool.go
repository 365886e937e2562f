// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// spool writes what r gives into a temporary file: a zip's directory is at its
// end. The file has no name any more, so it is gone however this process ends.
func (w *work) spool(r io.Reader) (file *os.File, size int64, err error) {
	file, err = os.CreateTemp(w.TempDir, "artifact-*.zip")
	if err != nil {
		return nil, 0, spoolFailed(err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, 0, spoolFailed(err)
	}
	limit := w.Limits.withDefaults().Archive
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
