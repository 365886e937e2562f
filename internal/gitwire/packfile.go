// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// The object types of gitformat-pack(5).
const (
	typeOther    = 0 // what we do not read: trees and blobs
	typeCommit   = 1
	typeTag      = 4
	typeOfsDelta = 6
	typeRefDelta = 7
)

// maxCommit bounds a commit object and a delta that makes one.
const maxCommit = 16 << 20

// entry is the head of an object in a pack.
type entry struct {
	offset int64
	kind   int
	size   int    // of what the entry inflates to
	base   int64  // offset of the base, of an offset delta
	baseID string // 20 bytes, of a reference delta
}

// readable tells the types that may be commits or tags.
func (e entry) readable() bool {
	return e.kind == typeCommit || e.kind == typeTag || e.kind == typeOfsDelta || e.kind == typeRefDelta
}

// packFile reads a pack from its beginning, object by object.
type packFile struct {
	in      countingReader
	objects uint32 // that the header promises
	inflate io.ReadCloser
}

// countingReader knows how far a pack was read. It is an io.ByteReader, so that
// inflating an object does not read into the next one.
type countingReader struct {
	r *bufio.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func openPackFile(r io.Reader) (*packFile, error) {
	p := &packFile{in: countingReader{r: bufio.NewReaderSize(r, 64<<10)}}
	var head [12]byte
	if _, err := io.ReadFull(&p.in, head[:]); err != nil {
		return nil, packError("its header", err)
	}
	version := binary.BigEndian.Uint32(head[4:])
	if string(head[:4]) != "PACK" || version != 2 && version != 3 {
		return nil, malformed("a pack begins with %q", head[:8])
	}
	p.objects = binary.BigEndian.Uint32(head[8:])
	return p, nil
}

// next reads the head of the next object.
func (p *packFile) next() (entry, error) {
	e := entry{offset: p.in.n}
	c, err := p.in.ReadByte()
	if err != nil {
		return e, packError("an object", err)
	}
	e.kind = int(c>>4) & 7
	size, shift := uint64(c&15), 4
	for c&0x80 != 0 {
		if c, err = p.in.ReadByte(); err != nil {
			return e, packError("an object", err)
		}
		if shift > 57 {
			return e, malformed("an object's size has too many digits")
		}
		size |= uint64(c&0x7f) << shift
		shift += 7
	}
	if !e.readable() {
		return e, nil
	}
	if size > maxCommit {
		return e, fault.New(fault.Permanent, "a commit or tag of the pack has %d bytes, more than %d", size, maxCommit)
	}
	e.size = int(size)
	return e, p.readBase(&e)
}

// readBase reads what a delta is based on.
func (p *packFile) readBase(e *entry) error {
	switch e.kind {
	case typeRefDelta:
		var id [oidLen / 2]byte
		if _, err := io.ReadFull(&p.in, id[:]); err != nil {
			return packError("an object", err)
		}
		e.baseID = string(id[:])
	case typeOfsDelta:
		c, err := p.in.ReadByte()
		back := int64(c & 0x7f)
		for err == nil && c&0x80 != 0 && back < e.offset {
			c, err = p.in.ReadByte()
			back = (back+1)<<7 | int64(c&0x7f)
		}
		if err != nil {
			return packError("an object", err)
		}
		if back <= 0 || back >= e.offset {
			return malformed("a delta's base is %d bytes before offset %d", back, e.offset)
		}
		e.base = e.offset - back
	}
	return nil
}

// content inflates the object whose head was read last. Its memory grows with
// what arrives, not with what the head promises.
func (p *packFile) content(e entry) ([]byte, error) {
	var err error
	if p.inflate == nil {
		p.inflate, err = zlib.NewReader(&p.in)
	} else {
		err = p.inflate.(zlib.Resetter).Reset(&p.in, nil)
	}
	if err != nil {
		return nil, packError("an object", err)
	}
	b, err := io.ReadAll(io.LimitReader(p.inflate, int64(e.size)+1))
	if err != nil {
		return nil, packError("an object", err)
	}
	if len(b) != e.size {
		return nil, malformed("an object does not inflate to %d bytes", e.size)
	}
	return b, nil
}

// packError classifies a failure to read or to inflate; the errors of the
// reader below are classified already.
func packError(what string, err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		err = truncated()
	case corrupt || errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary):
		err = fault.Wrap(fault.Permanent, err)
	}
	return fmt.Errorf("failed to read %s of the pack: %w", what, err)
}
