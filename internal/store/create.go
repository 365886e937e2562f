// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// PutNew stores a small object (at most 8 MiB) under a name that must be free: if
// something else is there, the error is ErrExists. It is no error if the same is
// there. Where Conditional says so, only one of several writers succeeds.
func (s *Store) PutNew(ctx context.Context, name string, data []byte, contentType string) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	if int64(len(data)) > s.part {
		return fault.New(fault.Permanent, "failed to store %s: it is larger than %d MiB", printable(name, 200), s.part>>20)
	}
	p := newPart(data)
	u := &upload{store: s, key: key, doing: "store " + printable(name, 200), contentType: contentType, sha256: p.sha256, size: int64(len(data))}
	if u.onlyNew, err = s.Conditional(ctx); err != nil {
		return err
	}
	if !u.onlyNew { // at least a look
		o, err := s.stat(ctx, key, u.doing)
		switch {
		case err == nil && o.Size == u.size && o.SHA256 == u.sha256:
			return nil
		case err == nil:
			return u.exists()
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return u.settle(ctx, u.single(ctx, p))
}

// Conditional reports whether the server can refuse to replace an object, so
// that of several writers only one succeeds. Servers that cannot do it ignore
// the condition or refuse it, so it is tried, once for each Store, with an
// object of its own below the prefix. Without it there is a look before the
// write, and a moment in which another writer may come between.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (s *Store) Conditional(ctx context.Context) (bool, error) {
	s.probe.Lock()
	defer s.probe.Unlock()
	if s.conditional != nil {
		return *s.conditional, nil
	}
	u := &upload{
		store: s, key: s.prefix + "dispatcher-probe-" + strings.ToLower(rand.Text()),
		doing: "try a conditional write", contentType: "text/plain",
	}
	p := newPart([]byte("This may be deleted.\n"))
	if err := u.single(ctx, p); err != nil {
		return false, err
	}
	u.onlyNew = true
	err := u.single(ctx, p)
	if _, cleanErr := s.delete(ctx, u.key, 0); cleanErr != nil {
		return false, cleanErr
	}
	var can bool
	switch status := answerStatus(err); {
	case err == nil: // it was ignored
	case status == preconditionFailed:
		can = true
	case status == http.StatusNotImplemented, status == http.StatusBadRequest:
	default:
		return false, err
	}
	s.conditional = &can
	return can, nil
}

// maxCopy is the largest object that S3 copies in one request.
const maxCopy = 5 << 30

// Copy makes the server copy an object, metadata included, in place of what was
// under the second name. The error is ErrNotFound if there is nothing to copy.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	source, err := s.key(from)
	if err != nil {
		return err
	}
	target, err := s.key(to)
	if err != nil {
		return err
	}
	doing := "copy " + printable(from, 200) + " to " + printable(to, 200)
	o, err := s.stat(ctx, source, doing)
	if err != nil {
		return err
	}
	if o.Size > maxCopy {
		return fault.New(fault.Permanent, "failed to %s: it is larger than %d GiB", doing, maxCopy>>30).
			WithHint("upload it under the other name as well")
	}
	q := call{doing: doing, needs: "read and write objects", mayMiss: true, limit: joinLimit}
	q.try = func(ctx context.Context, core *minio.Core, _ *record) error {
		condition := map[string]string{}
		if o.ETag != "" {
			condition["x-amz-copy-source-if-match"] = `"` + o.ETag + `"`
		}
		info, err := core.CopyObject(ctx, s.o.Bucket, source, s.o.Bucket, target, condition, minio.CopySrcOptions{}, minio.PutObjectOptions{})
		if err == nil && info.ETag == "" { // Amazon may say 200 and then that it failed
			return fault.New(fault.Transient, "the storage did not say that it was copied")
		}
		return err
	}
	return s.do(ctx, q)
}
