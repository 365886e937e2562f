// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Buckets may keep versions: what is replaced or deleted stays below a newer
// version or a delete marker, in no list, and is paid for. Backblaze keeps them
// always, others where the owner switched it on.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html

// version is one version of an object, or a delete marker.
type version struct {
	id       string
	size     int64 // bytes
	modified time.Time
	marker   bool
}

// history is what a bucket keeps under one key, oldest first.
type history struct {
	key      string
	versions []version
}

// delete removes an object. Where versions are kept this first hides it, at once,
// and then deletes what is hidden. If the account may not do that, the store
// remembers why, and deletes no more versions. It returns how many bytes were freed, which
// are size where no versions are kept.
func (s *Store) delete(ctx context.Context, key string, size int64) (freed int64, err error) {
	switch hidden, err := s.remove(ctx, key, ""); {
	case err != nil:
		return 0, err
	case !hidden:
		return size, nil
	case s.refused(version{}) != nil:
		s.leave(key, version{}, nil)
		return 0, nil
	}
	for h, err := range s.histories(ctx, key, fewKeys) {
		switch {
		case err != nil && !forGood(err):
			return 0, err
		case err != nil:
			s.leave(key, version{}, err)
		case h.key == key: // the first one, as the others are longer
			_, freed, err = s.deleteVersions(ctx, key, h.gone())
			return freed, err
		}
		break
	}
	return 0, nil
}

// gone returns all versions of an object that was deleted, but not what somebody
// wrote under its name since.
func (h history) gone() []version {
	if newest := len(h.versions) - 1; !h.versions[newest].marker {
		return h.versions[:newest]
	}
	return h.versions
}

// deleteVersions deletes versions in their order; the oldest first, so that no
// older one comes up again. It returns what was freed. What may not be deleted is
// no error: the store remembers it.
func (s *Store) deleteVersions(ctx context.Context, key string, list []version) (n int, bytes int64, err error) {
	kept := false
	for _, v := range list {
		if kept && v.marker {
			continue // it hides what stays
		}
		err := s.refused(v)
		if err == nil {
			_, err = s.remove(ctx, key, v.id)
		}
		switch {
		case err == nil && !v.marker:
			n, bytes = n+1, bytes+v.size
		case err != nil && !forGood(err):
			return n, bytes, err
		case err != nil && !v.marker:
			s.leave(key, v, err)
			kept = true
		}
	}
	return n, bytes, nil
}

// remove deletes an object or a version of it, and reports whether a delete marker
// hides the object now.
func (s *Store) remove(ctx context.Context, key, version string) (hidden bool, err error) {
	name := printable(strings.TrimPrefix(key, s.prefix), 200)
	q := call{doing: "delete " + name, needs: "delete objects", mayMiss: true, limit: smallLimit}
	if version != "" {
		q.doing, q.needs = "delete a version of "+name, "delete versions of objects"
	}
	q.try = func(ctx context.Context, core *minio.Core, rec *record) error {
		err := core.RemoveObject(ctx, s.o.Bucket, key, minio.RemoveObjectOptions{VersionID: version})
		hidden = rec.header.Get("X-Amz-Delete-Marker") == "true"
		return err
	}
	if err = s.do(ctx, q); errors.Is(err, ErrNotFound) || answerCode(err) == "NoSuchVersion" {
		return false, nil
	}
	return hidden, err
}

// forGood reports whether to ask again would be of no use.
func forGood(err error) bool {
	return errors.Is(err, fault.Configuration) || errors.Is(err, fault.Permanent)
}

// histories lists all versions below a prefix, by key. The first pages have about
// as many as size says.
func (s *Store) histories(ctx context.Context, prefix string, size int) iter.Seq2[history, error] {
	return func(yield func(history, error) bool) {
		for after := ""; ; {
			page, more, err := s.versionPage(ctx, prefix, after, size)
			if err != nil {
				yield(history{}, err)
				return
			}
			for _, h := range page {
				if after = h.key; !yield(h, nil) {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

// versionPage returns the next keys with all their versions.
func (s *Store) versionPage(ctx context.Context, prefix, after string, size int) (page []history, more bool, err error) {
	q := call{doing: "list versions in the bucket " + s.o.Bucket, needs: "list versions of objects", limit: listLimit}
	q.try = func(ctx context.Context, core *minio.Core, rec *record) error {
		found := versionList{}
		more = false
		answers, n := 1, 0
		o := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: true, StartAfter: after, MaxKeys: size}
		for info := range core.ListObjectsIter(ctx, s.o.Bucket, o) {
			if info.Err != nil {
				return info.Err
			}
			if rec.answers > answers || n == size { // the next answer's, or there will be one
				answers, n = rec.answers, 0
				if more = len(found) > 1; more {
					break
				}
			}
			found.add(info)
			n++
		}
		page = found.sorted()
		if more { // the last key may go on
			page = page[:len(page)-1]
		}
		return ctx.Err() // the library ends quietly when it is cancelled
	}
	err = s.do(ctx, q)
	return page, more, err
}

// versionList is what one or more answers list, by key. Within an answer some servers
// (versitygw, moto) have all versions first and then all delete markers.
type versionList map[string][]minio.ObjectInfo

// add leaves out what has no id: to delete it would delete the object.
func (l versionList) add(info minio.ObjectInfo) {
	if info.VersionID != "" {
		l[info.Key] = append(l[info.Key], info)
	}
}

// sorted returns the keys in their order, with their versions in that of age: they
// come newest first, and times have whole seconds on some servers.
func (l versionList) sorted() (list []history) {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		found := l[key]
		slices.Reverse(found)
		slices.SortStableFunc(found, func(a, b minio.ObjectInfo) int {
			return cmp.Or(boolInt(a.IsLatest)-boolInt(b.IsLatest), a.LastModified.Compare(b.LastModified))
		})
		h := history{key: key}
		for _, info := range found {
			h.versions = append(h.versions, version{info.VersionID, info.Size, info.LastModified.UTC(), info.IsDeleteMarker})
		}
		list = append(list, h)
	}
	return list
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
