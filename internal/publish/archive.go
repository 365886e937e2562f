// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

const (
	// maxEntries and maxDirectory bound what a zip's directory may hold. The
	// zip package reads it whole: some 300 bytes for an entry.
	maxEntries   = 50_000
	maxDirectory = 8 << 20
)

var (
	errNoZip    = errors.New("it is no zip file")
	errManyFile = errors.New("its directory is too long")
)

// openZip reads the directory of a zip file with bounded memory.
func openZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	n, err := claimed(r, size)
	switch {
	case err != nil:
		return nil, err
	case n > maxEntries:
		return nil, errManyFile
	}
	m := &metered{r: r, left: maxDirectory}
	z, err := zip.NewReader(m, size)
	switch {
	case m.left < 0:
		return nil, errManyFile
	case errors.Is(err, zip.ErrInsecurePath): // each path is checked later
	case err != nil:
		return nil, err
	}
	m.open = true
	return z, nil
}

// metered bounds how much is read until it is open.
type metered struct {
	r    io.ReaderAt
	left int64
	open bool
}

func (m *metered) ReadAt(p []byte, at int64) (int, error) {
	if !m.open {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, errManyFile
		}
	}
	return m.r.ReadAt(p, at)
}

// claimed returns how many entries a zip says that it has: the zip package makes
// room for them before it reads the first one. It looks where that package looks.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.14 to 4.3.16
func claimed(r io.ReaderAt, size int64) (uint64, error) {
	const endLength, locatorLength, end64Length = 22, 20, 56
	tail := make([]byte, min(size, endLength+locatorLength+1<<16))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, err
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < endLength {
		return 0, errNoZip
	}
	n := uint64(binary.LittleEndian.Uint16(tail[i+10:]))
	if i < locatorLength || string(tail[i-locatorLength:i-locatorLength+4]) != "PK\x06\x07" {
		return n, nil
	}
	end := make([]byte, end64Length)
	at := binary.LittleEndian.Uint64(tail[i-locatorLength+8:])
	if at > uint64(size) {
		return n, nil // the zip package will say so
	}
	if _, err := r.ReadAt(end, int64(at)); err != nil && err != io.EOF {
		return 0, err
	}
	return max(n, binary.LittleEndian.Uint64(end[32:])), nil
}
