// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Put stores what r gives under a name, in place of what was there; until all
// of it is stored, nothing changes. size is in bytes, or -1 if it is not known;
// a reader that gives more or less than that is an error. One part of 8 MiB is
// held in memory, so a part can be sent again. If the server forgets one that it
// had acknowledged, the whole Put fails as Transient.
//
// An error of r keeps its kind; without one it is Transient.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, size int64, contentType string) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	u := &upload{store: s, key: key, doing: "store " + printable(name, 200), contentType: contentType}
	src := &source{r: r, size: size, doing: u.doing}
	length := s.part
	if size >= 0 {
		length = min(length, size+1) // one more, to see that it ends there
	}
	src.buf = make([]byte, length)
	first, err := src.next()
	switch {
	case err != nil:
		return err
	case src.ended:
		return u.single(ctx, first)
	}
	return u.multi(ctx, first, src)
}

// source cuts what is to be stored into parts.
type source struct {
	r     io.Reader
	size  int64 // -1 if unknown
	doing string
	buf   []byte // of the current part
	read  int64
	ended bool // the current part is the last one
}

// next reads a part. It may be empty if it is the last one.
func (s *source) next() (part, error) {
	n, err := s.fill()
	s.read += int64(n)
	s.ended = err == io.EOF
	switch {
	case err != nil && !s.ended:
		kind := fault.KindOf(err)
		if kind == fault.Unknown {
			kind = fault.Transient
		}
		return part{}, fault.New(kind, "failed to %s: failed to read it: %w", s.doing, err)
	case s.size >= 0 && s.read > s.size:
		return part{}, fault.New(fault.Permanent, "failed to %s: it does not end after the %d bytes that were announced", s.doing, s.size)
	case s.size >= 0 && s.ended && s.read < s.size:
		return part{}, fault.New(fault.Permanent, "failed to %s: it ended after %d of %d bytes", s.doing, s.read, s.size)
	case s.read > MaxObject || s.size > MaxObject:
		return part{}, fault.New(fault.Permanent, "failed to %s: it is larger than %d GiB", s.doing, MaxObject>>30)
	}
	return newPart(s.buf[:n]), nil
}

// fill reads until the buffer is full. io.ReadFull would not do: it makes
// io.ErrUnexpectedEOF of a reader's end, and readers that were cut say the same.
func (s *source) fill() (n int, err error) {
	for n < len(s.buf) && err == nil {
		var more int
		more, err = s.r.Read(s.buf[n:])
		n += more
	}
	return n, err
}

// upload is one object on its way.
type upload struct {
	store       *Store
	key, doing  string
	contentType string
	sha256      string // of the whole, in hex, if it is known
	onlyNew     bool   // what is there must not be replaced, and the server can see to it
	id          string // of a multi-part upload
	parts       []minio.CompletePart
	digests     []byte // MD5s of the parts
	size        int64
}

// call makes a call that is part of the upload.
func (u *upload) call(try func(ctx context.Context, core *minio.Core, rec *record) error) call {
	return call{doing: u.doing, needs: "write objects", limit: partLimit, try: try}
}

// options leave all hashes to us: with DisableContentSha256 the library signs
// the hash that it is given instead of cutting the body into signed chunks, which
// some servers do not know.
func (u *upload) options() minio.PutObjectOptions {
	o := minio.PutObjectOptions{ContentType: u.contentType, DisableContentSha256: true}
	if u.sha256 != "" {
		o.UserMetadata = map[string]string{digestMeta: u.sha256}
	}
	return o
}

// condition is what makes an object appear.
func (u *upload) condition(o minio.PutObjectOptions) minio.PutObjectOptions {
	if u.onlyNew {
		o.SetMatchETagExcept("*")
	}
	return o
}

// single stores an object that fits into one request.
func (u *upload) single(ctx context.Context, p part) error {
	return u.store.do(ctx, u.call(func(ctx context.Context, core *minio.Core, rec *record) error {
		info, err := core.PutObject(ctx, u.store.o.Bucket, u.key, p.body(), p.size, p.md5Base64(), p.sha256, u.condition(u.options()))
		if err != nil {
			return err
		}
		return p.compare(info.ETag, rec.header)
	}))
}
