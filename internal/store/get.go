// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Object is what the storage says of one object.
type Object struct {
	Name        string
	Size        int64 // bytes
	Modified    time.Time
	ContentType string // empty in lists
	// ETag is the server's tag without quotes: the MD5 of an object that was
	// stored in one request, on most servers.
	ETag string
	// SHA256 is the digest of the whole in hex, as Upload and PutNew record it;
	// empty in lists, and where nobody did.
	SHA256 string

	header http.Header
}

// Stat asks for an object without reading it. The error is ErrNotFound if there
// is none.
func (s *Store) Stat(ctx context.Context, name string) (Object, error) {
	key, err := s.key(name)
	if err != nil {
		return Object{}, err
	}
	o, err := s.stat(ctx, key, "look up "+printable(name, 200))
	o.Name = name
	return o, err
}

func (s *Store) stat(ctx context.Context, key, doing string) (o Object, err error) {
	q := call{doing: doing, needs: "read objects", mayMiss: true, limit: smallLimit}
	q.try = func(ctx context.Context, core *minio.Core, rec *record) error {
		info, err := core.StatObject(ctx, s.o.Bucket, key, minio.StatObjectOptions{})
		o = objectOf(info)
		o.header = rec.header
		return err
	}
	err = s.do(ctx, q)
	if answerStatus(err) == http.StatusForbidden && answerCode(err) == "" {
		err = s.reason(ctx, q, key, err)
	}
	return o, err
}

// reason asks again for what a HEAD was refused: only the answer to a GET says
// why.
func (s *Store) reason(ctx context.Context, q call, key string, err error) error {
	q.try = func(ctx context.Context, core *minio.Core, _ *record) error {
		body, _, _, err := core.GetObject(ctx, s.o.Bucket, key, minio.GetObjectOptions{})
		if err == nil {
			err = body.Close()
		}
		return err
	}
	if why := s.do(ctx, q); why != nil {
		return why
	}
	return err
}

func objectOf(info minio.ObjectInfo) Object {
	o := Object{Size: info.Size, Modified: info.LastModified.UTC(), ContentType: info.ContentType, ETag: info.ETag}
	if sum := info.Metadata.Get("X-Amz-Meta-" + digestMeta); isDigest(sum) {
		o.SHA256 = sum
	}
	return o
}

// Get opens an object. The error is ErrNotFound if there is none. Reading ends in
// io.EOF only after all of it came; if the server's tag is a digest of the
// whole, it was compared by then. A connection that breaks or is silent for two
// minutes is a Transient error of Read.
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, Object, error) {
	key, err := s.key(name)
	if err != nil {
		return nil, Object{}, err
	}
	d := &download{doing: "read " + printable(name, 200), store: s, sum: md5.New()}
	q := call{doing: d.doing, needs: "read objects", mayMiss: true, limit: s.idle}
	q.try = func(tryCtx context.Context, core *minio.Core, rec *record) error {
		// What is opened lives longer than the try.
		d.ctx, d.stop = context.WithCancelCause(context.WithValue(ctx, recordKey{}, rec))
		unlink := context.AfterFunc(tryCtx, func() { d.stop(context.Cause(tryCtx)) })
		body, info, header, err := core.GetObject(d.ctx, s.o.Bucket, key, minio.GetObjectOptions{})
		if !unlink() || err != nil {
			d.stop(nil)
			return errors.Join(err, context.Cause(tryCtx))
		}
		d.body, d.object = body, objectOf(info)
		d.object.Name, d.object.header = name, header
		return nil
	}
	if err := s.do(ctx, q); err != nil {
		return nil, Object{}, err
	}
	d.timer = time.AfterFunc(s.idle, d.silence)
	d.timer.Stop()
	return d, d.object, nil
}

// download is an object on its way here.
type download struct {
	store  *Store
	doing  string
	object Object
	ctx    context.Context
	stop   context.CancelCauseFunc
	body   io.ReadCloser
	timer  *time.Timer // runs while we wait for the server
	sum    hash.Hash
	read   int64
}

var errSilent = errors.New("the storage sent nothing for too long")

func (d *download) silence() { d.stop(errSilent) }

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	d.timer.Reset(d.store.idle)
	n, err := d.body.Read(p)
	d.timer.Stop()
	d.sum.Write(p[:n])
	d.read += int64(n)
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		return n, d.end()
	case context.Cause(d.ctx) != nil:
		err = context.Cause(d.ctx)
	}
	if d.ctx.Err() != nil && !errors.Is(err, errSilent) { // the caller gave up
		return n, fault.New(fault.Unknown, "failed to %s: %w", d.doing, err)
	}
	return n, d.store.explainNetwork(call{doing: d.doing}, err)
}

// end checks what came. The answer's length was checked by net/http.
func (d *download) end() error {
	if compareTags(d.object.ETag, hex.EncodeToString(d.sum.Sum(nil)), d.object.header) == different {
		return fault.New(fault.Transient, "failed to %s: its digest is not the one that the storage has for it", d.doing)
	}
	if d.object.Size >= 0 && d.read != d.object.Size {
		return fault.New(fault.Transient, "failed to %s: got %d of its %d bytes", d.doing, d.read, d.object.Size)
	}
	return io.EOF
}

// Close ends the download, whole or not.
func (d *download) Close() error {
	d.timer.Stop()
	d.stop(nil)
	return d.body.Close()
}
