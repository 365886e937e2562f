// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// DownloadOptions say how an object is downloaded. The zero value is good.
type DownloadOptions struct {
	// Workers is how many parts travel at once: 4 if 0, at most 16.
	Workers int
	// SHA256 is the digest that the object must have, in hex; if empty, the one
	// that Upload recorded is compared, and else the server's tag where it is an
	// MD5 of the whole.
	SHA256 string
	// Progress, if not nil, is told how many bytes are here, those of an earlier
	// try included. Its calls do not overlap.
	Progress func(done, total int64)
}

// errChanged says that the object is not the one any more that was begun.
var errChanged = errors.New("it was replaced in the storage meanwhile")

// Download brings an object into a file. The file appears under its path when
// all of it is here and its digest was compared; what was there before is then
// replaced. The error is ErrNotFound if there is no such object.
//
// A download that was cut off, by a kill at any point or by the network, is
// resumed by the next one to the same path: PATH.part holds what came, and
// PATH.part.done says which parts of it are whole. At most one part of 8 MiB for
// each worker comes twice. If the object was replaced meanwhile, it begins anew.
// Two downloads to one path at the same time must be prevented by the caller.
func (s *Store) Download(ctx context.Context, name, path string, o DownloadOptions) error {
	key, err := s.key(name)
	if err != nil {
		return err
	}
	if o.SHA256 != "" && !isDigest(o.SHA256) {
		return fault.New(fault.Permanent, "failed to download %s: %q is no SHA-256 in hex", printable(name, 200), printable(o.SHA256, 80))
	}
	d := &fileDownload{store: s, key: key, doing: "download " + printable(name, 200), path: path, o: o}
	d.progress.tell = o.Progress
	for round := 1; ; round++ {
		err := gaveUpOr(ctx, d.doing, d.round(ctx))
		if !errors.Is(err, errChanged) || round == maxRounds {
			return err
		}
	}
}

// fileDownload is an object on its way into a file.
type fileDownload struct {
	store            *Store
	key, doing, path string
	o                DownloadOptions
	object           Object
	file             *os.File // PATH.part
	record           *partRecord
	progress         progress
}

// round brings what is missing of the object as it is now.
func (d *fileDownload) round(ctx context.Context) error {
	var err error
	if d.object, err = d.store.stat(ctx, d.key, d.doing); err != nil {
		if errors.Is(err, ErrNotFound) { // it may be the bucket that is missing
			q := call{doing: d.doing, needs: "read objects", mayMiss: true, limit: smallLimit}
			err = d.store.reason(ctx, q, d.key, err)
		}
		return err
	}
	want := d.object.SHA256
	if d.o.SHA256 != "" {
		if want != "" && want != d.o.SHA256 {
			return fault.New(fault.Permanent, "failed to %s: the storage has an object with the SHA-256 %s, not %s", d.doing, want, d.o.SHA256)
		}
		want = d.o.SHA256
	}
	if err := d.open(want); err != nil {
		return err
	}
	defer d.close()
	resumed := d.record.count() > 0
	sum, err := d.fill(ctx)
	switch {
	case errors.Is(err, errChanged):
		d.discard()
		return err
	case err != nil:
		return err
	}
	if err := sum.compare(want, d.object); err != nil {
		d.discard()
		if resumed { // perhaps what an earlier try left was not what it said
			return fault.New(fault.Transient, "failed to %s: %w (%w)", d.doing, err, errChanged)
		}
		return fault.New(fault.Permanent, "failed to %s: %w", d.doing, err).
			WithHint("the object is damaged in the storage, or something on the way changes it: upload it again")
	}
	return d.finish()
}

// fill brings the missing parts, and reads what is here in order meanwhile.
func (d *fileDownload) fill(ctx context.Context) (*digests, error) {
	size, part := d.object.Size, d.store.part
	n := partCount(size, part)
	d.progress.restart()
	d.progress.total = size
	ready := make([]chan struct{}, n)
	for i := range ready {
		ready[i] = make(chan struct{})
		if d.record.has(i) {
			close(ready[i])
			d.progress.add(partLength(i, size, part))
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	follow := newDigests(d.file, d.object)
	followed := make(chan error, 1)
	go func() {
		err := follow.read(ctx, ready, size, part)
		if err != nil {
			cancel(fault.New(fault.Ours, "failed to %s: %w", d.doing, err))
		}
		followed <- err
	}()
	err := inParallel(ctx, workers(d.o.Workers, n), n, func() func(context.Context, int) error {
		buf := make([]byte, copyBuffer)
		return func(ctx context.Context, i int) error {
			if d.record.has(i) {
				return nil
			}
			if err := d.part(ctx, i, buf); err != nil {
				return err
			}
			close(ready[i])
			d.progress.add(partLength(i, size, part))
			return nil
		}
	})
	if err != nil {
		cancel(err)
	}
	if followErr := <-followed; err == nil && followErr != nil {
		err = context.Cause(ctx)
	}
	return follow, err
}

func (d *fileDownload) partPath() string { return d.path + ".part" }
func (d *fileDownload) donePath() string { return d.path + ".part.done" }

// open opens what an earlier try left of this object, or begins.
func (d *fileDownload) open(sum string) error {
	begin := header{
		Key: d.key, ETag: d.object.ETag, Modified: d.object.Modified.Unix(),
		Size: d.object.Size, Part: d.store.part, SHA256: sum,
	}
	var err error
	if d.file, err = os.OpenFile(d.partPath(), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return d.ours(err)
	}
	info, err := d.file.Stat()
	if err == nil {
		d.record, err = openRecord(d.donePath(), begin, info.Size() == begin.Size)
	}
	if err == nil && d.record.count() == 0 {
		err = errors.Join(d.file.Truncate(0), d.file.Truncate(begin.Size))
	}
	if err != nil {
		d.close()
	}
	return d.ours(err)
}

func (d *fileDownload) close() {
	d.file.Close()
	if d.record != nil {
		d.record.close()
	}
}

// discard throws away what is here of the object. The record goes first: without
// it nobody takes the rest for something.
func (d *fileDownload) discard() {
	os.Remove(d.donePath())
	os.Remove(d.partPath())
}

// finish puts the file in its place.
func (d *fileDownload) finish() error {
	err := d.file.Sync()
	if err == nil {
		err = os.Rename(d.partPath(), d.path)
	}
	if err == nil {
		os.Remove(d.donePath())
		err = durable.Sync(filepath.Dir(d.path))
	}
	return d.ours(err)
}
