// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// UploadOptions say how a file is uploaded. The zero value is good.
type UploadOptions struct {
	// ContentType is application/octet-stream if empty.
	ContentType string
	// Workers is how many parts travel at once: 4 if 0, at most 16.
	Workers int
	// OnlyNew refuses to replace an object that has another content; the error
	// is ErrExists. Where Conditional says so, no other writer can come between.
	OnlyNew bool
	// Progress, if not nil, is told how many bytes are in the storage, those of an
	// earlier try included. Its calls do not overlap.
	Progress func(done, total int64)
}

// ErrExists says that there is an object of that name, with another content.
var ErrExists = errors.New("there is such an object already")

// Upload stores a file under a name, in place of what was there; until all of it
// is stored, nothing changes. The SHA-256 of the whole is kept as metadata. If
// there is such an object already, nothing is sent.
//
// An upload that was cut off, by a kill at any point or by the network, is
// resumed by the next Upload of the same content from the same path: beside
// the file, PATH.upload names what the server has. What was sent of a part is
// lost, so at most one part of 8 MiB for each worker. An upload that nobody
// resumes is ended by DropUploads.
func (s *Store) Upload(ctx context.Context, name, path string, o UploadOptions) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	u := &fileUpload{
		upload: &upload{store: s, key: key, doing: "upload " + printable(name, 200), contentType: o.ContentType},
		state:  path + ".upload", o: o,
	}
	if u.contentType == "" {
		u.contentType = "application/octet-stream"
	}
	if u.src, err = openSource(path, u.doing); err != nil {
		return err
	}
	defer u.src.Close()
	u.size = u.src.size
	u.progress = progress{tell: o.Progress, total: u.size}
	if u.sha256, err = u.digest(ctx); err != nil {
		return err
	}
	if o.OnlyNew {
		if u.onlyNew, err = s.Conditional(ctx); err != nil {
			return err
		}
	}
	if there, err := u.there(ctx); there || err != nil {
		return err
	}
	return u.run(ctx)
}

// fileUpload is a file on its way.
type fileUpload struct {
	*upload
	src      *sourceFile
	state    string // path of the record beside the file
	o        UploadOptions
	progress progress
}

// digest reads the file once: the digest must be told before the parts are.
func (u *fileUpload) digest(ctx context.Context) (string, error) {
	sum := sha256.New()
	in := io.NewSectionReader(u.src, 0, u.size)
	buf := make([]byte, copyBuffer)
	for {
		if ctx.Err() != nil {
			return "", gaveUp(ctx, call{doing: u.doing})
		}
		n, err := in.Read(buf)
		sum.Write(buf[:n])
		if err == io.EOF {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", fault.New(fault.Ours, "failed to %s: %w", u.doing, err)
		}
	}
}

// there reports whether the storage has the file already, or returns ErrExists
// if it has something else that must stay.
func (u *fileUpload) there(ctx context.Context) (bool, error) {
	o, err := u.store.stat(ctx, u.key, u.doing)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case o.Size == u.size && o.SHA256 == u.sha256:
		u.forget()
		u.progress.add(u.size)
		return true, nil
	case u.o.OnlyNew:
		return false, u.exists()
	}
	return false, nil
}

func (u *upload) exists() error {
	return fault.New(fault.Permanent, "failed to %s: %w", u.doing, ErrExists)
}

// run sends the file in one request or in parts.
func (u *fileUpload) run(ctx context.Context) error {
	if u.size <= u.store.part {
		p, err := u.read(0, make([]byte, copyBuffer))
		if err == nil {
			err = u.settle(ctx, u.single(ctx, p))
		}
		if err == nil {
			u.progress.add(u.size)
		}
		return err
	}
	for round := 1; ; round++ {
		err := u.round(ctx)
		again := round < maxRounds
		switch {
		case err == nil:
			u.forget()
			return nil
		case again && noUpload(err): // somebody ended it: from the beginning
			u.forget()
		case again && answerCode(err) == "InvalidPart": // the server lost one: the next round finds out which
		default:
			if errors.Is(err, fault.Permanent) { // nobody will resume it
				u.abort(ctx)
				u.forget()
			}
			return err
		}
	}
}

// round sends the parts that the server does not have, and joins all.
func (u *fileUpload) round(ctx context.Context) error {
	stored, err := u.resume(ctx)
	if err != nil {
		return err
	}
	n := partCount(u.size, u.store.part)
	u.parts, u.digests = make([]minio.CompletePart, n), make([]byte, n*md5.Size)
	u.progress.restart()
	err = inParallel(ctx, workers(u.o.Workers, n), n, func() func(context.Context, int) error {
		buf := make([]byte, copyBuffer)
		return func(ctx context.Context, i int) error { return u.sendPart(ctx, i, buf, stored[i+1]) }
	})
	if err == nil {
		err = u.src.unchanged(u.doing)
	}
	if err == nil && u.o.OnlyNew && !u.onlyNew { // at least a late look
		var there bool
		if there, err = u.there(ctx); there {
			u.abort(ctx)
			return nil
		}
	}
	if err != nil {
		return gaveUpOr(ctx, u.doing, err)
	}
	return u.settle(ctx, u.join(ctx))
}

// sendPart stores part i, unless the server has it.
func (u *fileUpload) sendPart(ctx context.Context, i int, buf []byte, has minio.ObjectPart) error {
	p, err := u.read(i, buf)
	if err != nil {
		return err
	}
	tag := has.ETag
	if has.Size != p.size || tag != hex.EncodeToString(p.md5[:]) {
		if tag, err = u.send(ctx, i+1, p); err != nil {
			return err
		}
	}
	u.parts[i] = minio.CompletePart{PartNumber: i + 1, ETag: tag}
	copy(u.digests[i*md5.Size:], p.md5[:])
	u.progress.add(p.size)
	return nil
}

func (u *fileUpload) read(i int, buf []byte) (part, error) {
	p, err := readPart(u.src, int64(i)*u.store.part, partLength(i, u.size, u.store.part), buf)
	if err == nil {
		return p, nil
	}
	if changed := u.src.unchanged(u.doing); changed != nil {
		return part{}, changed
	}
	return part{}, fault.New(fault.Ours, "failed to %s: %w", u.doing, err)
}

// settle explains a refusal to replace what is there. It may be ours: of a try
// whose answer was lost, or of another process with the same file.
func (u *upload) settle(ctx context.Context, err error) error {
	if !u.onlyNew || answerStatus(err) != preconditionFailed {
		return err
	}
	o, lookErr := u.store.stat(ctx, u.key, u.doing)
	switch {
	case lookErr != nil:
		return err
	case o.Size == u.size && o.SHA256 == u.sha256:
		return nil
	}
	return u.exists()
}

// forget removes the record of what the server has.
func (u *fileUpload) forget() { os.Remove(u.state) }
