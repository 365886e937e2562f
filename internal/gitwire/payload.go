// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"fmt"
	"io"
	"os"

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

// pushPayload puts the commands and the pack together. Call free at the end.
func pushPayload(head []byte, q PushRequest) (p payload, free func(), err error) {
	free = func() {}
	if q.Pack == nil {
		return fixed(head), free, nil
	}
	if q.Spool {
		return spool(head, q.Pack)
	}
	begin, err := io.ReadAll(io.LimitReader(q.Pack, smallPack+1))
	if err != nil {
		return p, free, fmt.Errorf("failed to read the pack to push: %w", err)
	}
	if len(begin) <= smallPack {
		return fixed(append(head, begin...)), free, nil
	}
	p = payload{size: -1, streamed: true, open: func() io.Reader {
		return io.MultiReader(bytes.NewReader(head), bytes.NewReader(begin), q.Pack)
	}}
	if c, ok := q.Pack.(io.Closer); ok {
		p.release = func() { c.Close() }
	}
	return p, free, nil
}

// spool copies commands and pack to a temporary file.
func spool(head []byte, pack io.Reader) (p payload, free func(), err error) {
	f, err := os.CreateTemp("", "gitwire-pack-*")
	if err != nil {
		return p, nil, fault.New(fault.Ours, "failed to create a file for the pack: %w", err)
	}
	os.Remove(f.Name()) // the open file stays usable, and nothing is left behind
	_, err = f.Write(head)
	if err != nil {
		f.Close()
		return p, nil, fault.New(fault.Ours, "failed to write the pack to a file: %w", err)
	}
	n, err := io.Copy(f, pack)
	if err != nil {
		f.Close()
		return p, nil, fmt.Errorf("failed to copy the pack to push to a file: %w", err)
	}
	size := int64(len(head)) + n
	p = payload{size: size, open: func() io.Reader { return io.NewSectionReader(f, 0, size) }}
	return p, func() { f.Close() }, nil
}
