// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// digests are made of a file whose parts come in any order: the parts are read
// in theirs as soon as they are here, mostly from the page cache.
type digests struct {
	file   io.ReaderAt
	sha256 hash.Hash
	md5    hash.Hash // only where nothing better is known
}

func newDigests(file io.ReaderAt, o Object) *digests {
	d := &digests{file: file, sha256: sha256.New()}
	if o.SHA256 == "" && !strings.Contains(o.ETag, "-") {
		d.md5 = md5.New()
	}
	return d
}

// read waits for each part and reads it.
func (d *digests) read(ctx context.Context, ready []chan struct{}, size, part int64) error {
	var out io.Writer = d.sha256
	if d.md5 != nil {
		out = io.MultiWriter(d.sha256, d.md5)
	}
	buf := make([]byte, copyBuffer)
	for i := range ready {
		select {
		case <-ready[i]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		in := io.NewSectionReader(d.file, int64(i)*part, partLength(i, size, part))
		if _, err := io.CopyBuffer(out, in, buf); err != nil {
			return err
		}
	}
	return nil
}

// compare returns an error if the file is not the object.
func (d *digests) compare(want string, o Object) error {
	if got := hex.EncodeToString(d.sha256.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("its SHA-256 is %s, not %s", got, want)
	}
	if d.md5 != nil && compareTags(o.ETag, hex.EncodeToString(d.md5.Sum(nil)), o.header) == different {
		return fmt.Errorf("its digest is not the one that the storage has for it")
	}
	return nil
}
