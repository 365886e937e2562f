// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// smallPack is the size up to which a pack is kept in memory to be sent with
// its length. It is git's default for http.postBuffer, so what is bigger goes
// in chunks as it does with git.
const smallPack = 1 << 20

// fixed is a payload of known bytes.
func fixed(b []byte) payload {
	return payload{size: int64(len(b)), open: func() io.Reader { return bytes.NewReader(b) }}
}

// pushPayload puts the commands, which are in head, and the pack together. Call
// free at the end.
func pushPayload(head *bytes.Buffer, q PushRequest) (p payload, free func(), err error) {
	free = func() {}
	if q.Pack == nil {
		return fixed(head.Bytes()), free, nil
	}
	n, err := head.ReadFrom(io.LimitReader(q.Pack, smallPack+1))
	switch {
	case err != nil:
		return p, free, sourceFailure(err)
	case n <= smallPack:
		return fixed(head.Bytes()), free, nil
	case q.Spool:
		return spool(io.MultiReader(head, q.Pack))
	}
	p = payload{size: -1, streamed: true, open: func() io.Reader {
		return io.MultiReader(head, q.Pack)
	}}
	if c, ok := q.Pack.(io.Closer); ok {
		p.release = func() { c.Close() }
	}
	return p, free, nil
}

// errSource marks errors of the pack's reader.
var errSource = errors.New("failed to read the pack to push")

// sourceFailure wraps an error of the pack's reader, which keeps its kind.
func sourceFailure(err error) error { return fmt.Errorf("%w: %w", errSource, err) }

// spool copies a body to a temporary file.
func spool(body io.Reader) (p payload, free func(), err error) {
	f, err := os.CreateTemp("", "gitwire-pack-*")
	if err != nil {
		return p, nil, fault.New(fault.Ours, "failed to create a file for the pack: %w", err)
	}
	os.Remove(f.Name()) // the open file stays usable, and nothing is left behind
	size, err := fill(f, body)
	if err != nil {
		f.Close()
		return p, nil, err
	}
	p = payload{size: size, open: func() io.Reader { return io.NewSectionReader(f, 0, size) }}
	return p, func() { f.Close() }, nil
}

// fill copies a body to a file and returns its length.
func fill(f *os.File, body io.Reader) (int64, error) {
	w := &fileWriter{f: f}
	size, err := io.Copy(w, body)
	switch {
	case errors.Is(w.err, syscall.ENOSPC), errors.Is(w.err, syscall.EDQUOT):
		return 0, fault.New(fault.Ours, "%w: %w", ErrNoRoom, w.err)
	case w.err != nil:
		return 0, fault.New(fault.Ours, "failed to write the pack to a file: %w", w.err)
	case err != nil:
		return 0, sourceFailure(err)
	}
	return size, nil
}

// fileWriter keeps the file's errors apart from those of what is copied to it.
type fileWriter struct {
	f   *os.File
	err error
}

func (w *fileWriter) Write(p []byte) (n int, err error) {
	n, w.err = w.f.Write(p)
	return n, w.err
}
