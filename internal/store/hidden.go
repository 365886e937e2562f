// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// left is what deleting left in the storage.
type left struct {
	sizes map[leftKey]int64 // bytes
	why   error             // the first refusal
	final error             // the first one that is not about a version alone
	// locks is how many versions Object Lock holds, since when the oldest of them.
	locks int
	since time.Time
}

// leftKey names a version; without an id, all of them, whose size is not known.
type leftKey struct{ key, id string }

// maxLocks is how many versions that Object Lock holds are tried before the younger
// ones are taken to be held as well, as retention mostly has one length in a bucket.
const maxLocks = 10

// leave notes what could not be deleted.
func (s *Store) leave(key string, v version, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left.sizes == nil {
		s.left.sizes = map[leftKey]int64{}
	}
	if v.id != "" {
		delete(s.left.sizes, leftKey{key, ""})
	}
	s.left.sizes[leftKey{key, v.id}] = v.size
	s.left.why = cmp.Or(s.left.why, why)
	if !isLocked(why) {
		s.left.final = cmp.Or(s.left.final, why)
		return
	}
	if s.left.locks++; s.left.locks == 1 || v.modified.Before(s.left.since) {
		s.left.since = v.modified
	}
}

// isLocked reports whether Object Lock holds a version: Amazon's words, and those of
// MinIO and versitygw.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
func isLocked(err error) bool {
	e, ok := errors.AsType[*answerError](err)
	return ok && (strings.Contains(e.Message, "protected by object lock") || strings.Contains(e.Message, "WORM protected"))
}

// refused is why a version may not be deleted, as far as others tell, or nil.
func (s *Store) refused(v version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left.locks >= maxLocks && !v.modified.Before(s.left.since) {
		return s.left.why
	}
	return s.left.final
}

// DeleteHidden deletes what is hidden below a prefix and was written before a time:
// versions that were replaced, or deleted by name, unless keep (which may be nil)
// says of their name that they stay. It returns their number and size. Where no
// versions are kept, or it cannot be seen, there is nothing to do. Remains tells
// what may not be deleted.
func (s *Store) DeleteHidden(ctx context.Context, prefix string, before time.Time, keep func(name string) bool) (n int, bytes int64, err error) {
	return s.sweep(ctx, prefix, before, keep, s.deleteVersions)
}

// CountHidden counts what DeleteHidden would delete.
func (s *Store) CountHidden(ctx context.Context, prefix string, before time.Time, keep func(name string) bool) (n int, bytes int64, err error) {
	return s.sweep(ctx, prefix, before, keep, func(_ context.Context, _ string, list []version) (n int, bytes int64, _ error) {
		for _, v := range list {
			if !v.marker {
				n, bytes = n+1, bytes+v.size
			}
		}
		return n, bytes, nil
	})
}

// sweep calls do with what is hidden under each key.
func (s *Store) sweep(ctx context.Context, prefix string, before time.Time, keep func(name string) bool,
	do func(ctx context.Context, key string, list []version) (int, int64, error),
) (n int, bytes int64, err error) {
	if kept, err := s.keepsVersions(ctx); !kept {
		return 0, 0, err
	}
	for h, err := range s.histories(ctx, s.prefix+prefix, pageSize) {
		switch {
		case err != nil && forGood(err): // the account may not, or the server does not have it
			return n, bytes, nil
		case err != nil:
			return n, bytes, err
		case keep != nil && keep(strings.TrimPrefix(h.key, s.prefix)):
			continue
		}
		more, size, err := do(ctx, h.key, h.hidden(before))
		n, bytes = n+more, bytes+size
		if err != nil {
			return n, bytes, err
		}
	}
	return n, bytes, nil
}

// keepsVersions reports whether the bucket has versions, or may have them. An
// account that may not ask can still be allowed to list them.
func (s *Store) keepsVersions(ctx context.Context) (bool, error) {
	status := ""
	err := s.do(ctx, call{
		doing: "ask whether the bucket " + s.o.Bucket + " keeps versions", needs: "read the bucket's versioning", limit: smallLimit,
		try: func(ctx context.Context, core *minio.Core, _ *record) error {
			answer, err := core.GetBucketVersioning(ctx, s.o.Bucket)
			status = answer.Status
			if _, odd := errors.AsType[xml.UnmarshalError](err); odd { // moto's
				status, err = "not known", nil
			}
			return err
		},
	})
	switch {
	case err == nil:
		return status != "", nil // enabled or suspended
	case answerStatus(err) == http.StatusForbidden:
		return true, nil
	case forGood(err): // a server that does not know of versions
		return false, nil
	}
	return false, err
}

// hidden returns what is below the newest version and older than a time, and a
// delete marker that hides nothing else.
func (h history) hidden(before time.Time) (list []version) {
	newest := len(h.versions) - 1
	for _, v := range h.versions[:newest] {
		if v.modified.Before(before) {
			list = append(list, v)
		}
	}
	if len(list) == newest && h.versions[newest].marker {
		list = append(list, h.versions[newest])
	}
	return list
}

// Remains returns what deleting left in the storage, since the store was opened:
// versions that the account may not delete. If a rule of the bucket deletes them
// the note says when; otherwise there is an error, as somebody pays for them until
// something is changed. Both are empty if nothing remains.
func (s *Store) Remains(ctx context.Context, prefix string) (note string, err error) {
	s.mu.Lock()
	count, why := len(s.left.sizes), s.left.why
	var bytes int64
	for _, size := range s.left.sizes {
		bytes += size
	}
	s.mu.Unlock()
	if count == 0 {
		return "", nil
	}
	what := fmt.Sprintf("%d deleted or replaced object(s)", count)
	if bytes > 0 {
		what += fmt.Sprintf(" (%.1f MB)", float64(bytes)/1e6)
	}
	what += " still stored, hidden: the bucket " + s.o.Bucket + " keeps versions"
	days, err := s.ruleFor(ctx, s.prefix+prefix)
	switch {
	case days > 0:
		return fmt.Sprintf("%s, and its lifecycle rule deletes them %d day(s) after that", what, days), nil
	case err != nil:
		what += fmt.Sprintf("; whether a lifecycle rule deletes them is not known (%v)", err)
	default:
		what += ", and no lifecycle rule deletes them"
	}
	hint := hintVersions
	if isLocked(why) {
		hint = "wait until Object Lock lets go of them: each clean-up tries again; or keep results and images as long as it does"
	}
	return "", fault.New(fault.Configuration, "%s: %w", what, why).WithHint("%s", hint)
}

const hintVersions = "allow S3_KEY to list and delete versions (s3:ListBucketVersions and s3:DeleteObjectVersion; at Backblaze listFiles and deleteFiles), " +
	"or give the bucket a lifecycle rule for noncurrent versions: docs/publishing.md has both"

// ruleFor returns after how many days a lifecycle rule of the bucket deletes what is
// hidden below a prefix; 0 if none does, or if it cannot be read.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
func (s *Store) ruleFor(ctx context.Context, prefix string) (days int, err error) {
	var found *lifecycle.Configuration
	err = s.do(ctx, call{
		doing: "read the lifecycle rules of the bucket " + s.o.Bucket, needs: "read the bucket's lifecycle rules", limit: smallLimit,
		try: func(ctx context.Context, core *minio.Core, _ *record) (err error) {
			found, err = core.GetBucketLifecycle(ctx, s.o.Bucket)
			return err
		},
	})
	if answerCode(err) == "NoSuchLifecycleConfiguration" {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, r := range found.Rules {
		if n := int(r.NoncurrentVersionExpiration.NoncurrentDays); covers(r, prefix) && n > 0 && (days == 0 || n < days) {
			days = n
		}
	}
	return days, nil
}

// covers reports whether a rule is about everything below a prefix.
func covers(r lifecycle.Rule, prefix string) bool {
	f := r.RuleFilter
	some := f.Tag.Key != "" || len(f.And.Tags) > 0 || f.ObjectSizeLessThan+f.ObjectSizeGreaterThan+f.And.ObjectSizeLessThan+f.And.ObjectSizeGreaterThan > 0
	return r.Status == "Enabled" && !some && r.NoncurrentVersionExpiration.NewerNoncurrentVersions == 0 &&
		strings.HasPrefix(prefix, cmp.Or(r.Prefix, f.Prefix, f.And.Prefix))
}
