// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/md5"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// multi stores an object in parts, one after the other. If it fails, what was
// sent is thrown away; a process that is killed leaves it to DropUploads.
func (u *upload) multi(ctx context.Context, p part, src *source) (err error) {
	if err := u.begin(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			u.abort(ctx)
		}
	}()
	for {
		tag, err := u.send(ctx, len(u.parts)+1, p)
		if err != nil {
			return err
		}
		u.parts = append(u.parts, minio.CompletePart{PartNumber: len(u.parts) + 1, ETag: tag})
		u.digests = append(u.digests, p.md5[:]...)
		u.size += p.size
		if src.ended {
			break
		}
		if p, err = src.next(); err != nil {
			return err
		}
		if p.size == 0 { // it ended where a part did
			break
		}
	}
	return u.join(ctx)
}

func (u *upload) begin(ctx context.Context) error {
	return u.store.do(ctx, u.call(func(ctx context.Context, core *minio.Core, _ *record) (err error) {
		u.id, err = core.NewMultipartUpload(ctx, u.store.o.Bucket, u.key, u.options())
		return err
	}))
}

// send stores one part. Its SHA-256 is signed and compared by the server, and we
// compare the server's MD5 with ours; Content-MD5 is for buckets with Object Lock,
// which want it or one of Amazon's newer checksums, that others refuse. It returns the server's tag of the part, and may be called by several
// goroutines.
func (u *upload) send(ctx context.Context, number int, p part) (tag string, err error) {
	err = u.store.do(ctx, u.call(func(ctx context.Context, core *minio.Core, rec *record) error {
		sent, err := core.PutObjectPart(ctx, u.store.o.Bucket, u.key, u.id, number, p.body(), p.size,
			minio.PutObjectPartOptions{Md5Base64: p.md5Base64(), Sha256Hex: p.sha256, DisableContentSha256: true})
		if err != nil {
			return err
		}
		tag = sent.ETag
		return p.compare(sent.ETag, rec.header)
	}))
	return tag, err
}

// join makes an object of the parts and checks that it is whole.
func (u *upload) join(ctx context.Context) error {
	tag := fmt.Sprintf("%x-%d", md5.Sum(u.digests), len(u.parts))
	got := unknown
	q := u.call(func(ctx context.Context, core *minio.Core, rec *record) error {
		info, err := core.CompleteMultipartUpload(ctx, u.store.o.Bucket, u.key, u.id, u.parts,
			u.condition(minio.PutObjectOptions{DisableContentSha256: true}))
		if err == nil {
			got = compareTags(info.ETag, tag, rec.header)
		}
		return err
	})
	q.limit = joinLimit
	err := u.store.do(ctx, q)
	lost := noUpload(err)
	if err == nil && got == same || err != nil && !lost {
		return err
	}
	// Either the answer tells nothing about what is stored now, or it was lost:
	// then the next try finds no such upload, and only the object can tell.
	wrong := u.check(ctx, tag)
	if lost && wrong != nil {
		return err
	}
	return wrong
}

// noUpload reports whether the server does not know the upload (any more).
func noUpload(err error) bool { return answerCode(err) == "NoSuchUpload" }

// check compares what is stored with what was sent.
func (u *upload) check(ctx context.Context, tag string) error {
	o, err := u.store.stat(ctx, u.key, u.doing)
	switch {
	case err != nil:
		return err
	case o.Size != u.size:
		return fault.New(fault.Transient, "failed to %s: the storage has %d of its %d bytes", u.doing, o.Size, u.size)
	case compareTags(o.ETag, tag, o.header) == different, u.sha256 != "" && o.SHA256 != "" && o.SHA256 != u.sha256:
		return fault.New(fault.Transient, "failed to %s: the storage has other bytes than were sent", u.doing)
	}
	return nil
}

// abort throws away what was sent. It goes on although the caller gave up, and
// its own failure says nothing that the caller could use.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	q := u.call(func(ctx context.Context, core *minio.Core, _ *record) error {
		return core.AbortMultipartUpload(ctx, u.store.o.Bucket, u.key, u.id)
	})
	q.limit = cleanLimit
	_ = u.store.once(ctx, q)
}
