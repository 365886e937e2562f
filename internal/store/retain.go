// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// DeleteOlder deletes the objects below a prefix that were last written before
// a time, by the server's clock, unless keep (which may be nil) says of their
// name that they stay, and what is hidden there (see DeleteHidden). It returns the
// number of objects and how many bytes were freed, with an error as well: one that
// cannot be deleted does not stop the others, but after five failures it gives up.
func (s *Store) DeleteOlder(ctx context.Context, prefix string, before time.Time, keep func(name string) bool) (n int, bytes int64, err error) {
	var failed []error
	err = s.List(ctx, prefix, func(o Object) error {
		if !o.Modified.Before(before) || keep != nil && keep(o.Name) {
			return nil
		}
		freed, err := s.delete(ctx, s.prefix+o.Name, o.Size)
		if err != nil {
			failed = append(failed, err)
			if len(failed) == maxDeleteFailures || ctx.Err() != nil {
				return errors.Join(failed...)
			}
			return nil
		}
		n++
		bytes += freed
		return nil
	})
	if err != nil {
		return n, bytes, err
	}
	_, more, err := s.DeleteHidden(ctx, prefix, before, keep)
	return n, bytes + more, errors.Join(append(failed, err)...)
}

// DropUploads ends the multi-part uploads below a prefix that began before a
// time and were never finished, because a process was killed, say. They are in
// no list, yet are paid for. It returns their number.
func (s *Store) DropUploads(ctx context.Context, prefix string, before time.Time) (int, error) {
	var found minio.ListMultipartUploadsResult
	keyMarker, idMarker := "", ""
	q := call{doing: "list unfinished uploads in the bucket " + s.o.Bucket, needs: "list multi-part uploads", limit: listLimit}
	q.try = func(ctx context.Context, core *minio.Core, _ *record) (err error) {
		found, err = core.ListMultipartUploads(ctx, s.o.Bucket, s.prefix+prefix, keyMarker, idMarker, "", pageSize)
		return err
	}
	for dropped := 0; ; {
		if err := s.do(ctx, q); err != nil {
			return dropped, err
		}
		for _, u := range found.Uploads {
			if !u.Initiated.Before(before) {
				continue
			}
			if err := s.drop(ctx, u.Key, u.UploadID); err != nil {
				return dropped, err
			}
			dropped++
		}
		if !found.IsTruncated || found.NextKeyMarker == "" || len(found.Uploads) == 0 {
			return dropped, nil
		}
		keyMarker, idMarker = found.NextKeyMarker, found.NextUploadIDMarker
	}
}

func (s *Store) drop(ctx context.Context, key, id string) error {
	err := s.do(ctx, call{
		doing: "end an unfinished upload of " + printable(strings.TrimPrefix(key, s.prefix), 200),
		needs: "abort multi-part uploads", limit: smallLimit,
		try: func(ctx context.Context, core *minio.Core, _ *record) error {
			return core.AbortMultipartUpload(ctx, s.o.Bucket, key, id)
		},
	})
	if noUpload(err) {
		return nil // it ended meanwhile
	}
	return err
}
