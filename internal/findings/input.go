// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"errors"
	"fmt"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// errTooLong ends the reading of a file at MaxSize.
var errTooLong = fmt.Errorf("it is longer than %d MiB; the rest was not read", MaxSize>>20)

// limited reads at most so many bytes, and tells that from the end of the file.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// fileError says what is wrong with a file, and where, in one line.
type fileError struct {
	text string
	err  error
}

func (e *fileError) Error() string { return e.text }

// Unwrap returns what a disk or a server said, if it was that.
func (e *fileError) Unwrap() error { return e.err }

func wrong(file, where string, err error) error {
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = errors.New("it ends in the middle")
	}
	text := fmt.Sprintf("%s, %s: %v", change.Clip(file, maxName), where, err)
	return &fileError{change.Clip(change.OneLine(text), 2*maxName), err}
}
