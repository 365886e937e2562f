// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"
)

// List visits all objects whose names begin with a prefix (empty: all), sorted
// by the bytes of their names; none is visited twice. An error of visit ends it
// and is returned as it is. Objects that somebody else put there under names
// which CheckName refuses are visited, too.
func (s *Store) List(ctx context.Context, prefix string, visit func(Object) error) error {
	for after := ""; ; {
		page, err := s.page(ctx, s.prefix+prefix, after)
		if err != nil {
			return err
		}
		for _, info := range page {
			o := objectOf(info)
			o.Name, o.ContentType = strings.TrimPrefix(info.Key, s.prefix), ""
			if err := visit(o); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
		after = page[pageSize-1].Key
	}
}

// page returns the next objects, at most pageSize; fewer are the last ones.
func (s *Store) page(ctx context.Context, prefix, after string) (list []minio.ObjectInfo, err error) {
	q := call{doing: "list the bucket " + s.o.Bucket, needs: "list objects", limit: listLimit}
	q.try = func(ctx context.Context, core *minio.Core, _ *record) error {
		list = list[:0]
		owner := false
		o := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, StartAfter: after, MaxKeys: pageSize, FetchOwner: &owner}
		for info := range core.ListObjectsIter(ctx, s.o.Bucket, o) {
			if info.Err != nil {
				return info.Err
			}
			if list = append(list, info); len(list) == pageSize {
				return nil
			}
		}
		return ctx.Err() // the library ends quietly when it is cancelled
	}
	return list, s.do(ctx, q)
}

// Delete removes an object with all its versions. It is no error if there is none;
// versions that may not be deleted are told by Remains.
func (s *Store) Delete(ctx context.Context, name string) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	_, err = s.delete(ctx, key, 0)
	return err
}
