// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"syscall"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// part brings one part, and records that it is here.
func (d *fileDownload) part(ctx context.Context, i int, buf []byte) error {
	begin, length := int64(i)*d.store.part, partLength(i, d.object.Size, d.store.part)
	q := call{doing: d.doing, needs: "read objects", mayMiss: true, limit: partLimit}
	q.try = func(ctx context.Context, core *minio.Core, rec *record) error {
		var o minio.GetObjectOptions
		if err := errors.Join(o.SetRange(begin, begin+length-1), o.SetMatchETag(d.object.ETag)); err != nil {
			return err
		}
		body, info, header, err := core.GetObject(ctx, d.store.o.Bucket, d.key, o)
		if err != nil {
			return err
		}
		defer body.Close()
		if info.ETag != d.object.ETag {
			return fault.Wrap(fault.Permanent, errChanged) // not to be asked for again
		}
		want := fmt.Sprintf("bytes %d-%d/%d", begin, begin+length-1, d.object.Size)
		if got := header.Get("Content-Range"); got != want && (got != "" || length != d.object.Size) {
			return fault.New(fault.Configuration, "it was asked for %q and the storage sent %q", want, printable(got, 60)).
				WithHint("something in front of %s changes what is asked for: it must let range requests through", d.store.at.Host)
		}
		return d.copyPart(body, begin, length, buf)
	}
	err := d.store.do(ctx, q)
	status := answerStatus(err)
	if status == preconditionFailed || status == http.StatusRequestedRangeNotSatisfiable || errors.Is(err, errChanged) {
		return fault.New(fault.Transient, "failed to %s: %w", d.doing, errChanged)
	}
	if err == nil {
		err = d.ours(d.record.add(i))
	}
	return err
}

// copyPart writes a body to its place. Errors of the file are ours, those of
// the connection are told as they are.
func (d *fileDownload) copyPart(body io.Reader, begin, length int64, buf []byte) error {
	for at := int64(0); ; {
		n, err := body.Read(buf)
		if at+int64(n) > length {
			return fault.New(fault.Transient, "more came than was asked for")
		}
		if _, writeErr := d.file.WriteAt(buf[:n], begin+at); writeErr != nil {
			return d.ours(writeErr)
		}
		at += int64(n)
		switch {
		case err == io.EOF && at < length:
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// ours classifies an error of the local files.
func (d *fileDownload) ours(err error) error {
	if err == nil {
		return nil
	}
	f := fault.New(fault.Ours, "failed to %s: %w", d.doing, err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		f = f.WithHint("make room for %d MiB in %s; what came is kept, and the next try goes on from there", d.object.Size>>20, filepath.Dir(d.path))
	}
	return f
}
