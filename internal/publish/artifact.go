// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// workers is how many files of an artifact are stored at a time.
	workers = 4
	// bigFile is the size from which on only one is.
	bigFile = 256 << 10
)

// artifact copies one artifact.
func (w *work) artifact(ctx context.Context, a change.Artifact) Item {
	item := Item{Name: a.Name, anchor: fmt.Sprintf("artifact-%d", a.ID)}
	limit := w.Limits.withDefaults().Archive
	err := w.broken(ctx)
	switch {
	case err != nil:
		item.Note = "not copied: " + untried(err)
		return item
	case a.Expired:
		item.Note = "not copied: it has expired, and GitHub has deleted it"
		return item
	case a.Size > limit:
		item.Note = fmt.Sprintf("not copied: it has %s, and at most %s are copied", sizeText(a.Size), sizeText(limit))
		return item
	}
	w.say("copying the artifact %s (%s)", a.Name, sizeText(a.Size))
	switch err := w.fetch(ctx, a, &item); {
	case err == nil:
	case ctx.Err() != nil:
		item.Note = "not copied: " + context.Cause(ctx).Error()
	case errors.Is(err, ErrGone):
		item.Note = "not copied: it has expired, or was deleted at GitHub"
	default:
		item.Note = "not copied: " + reason(err)
	}
	return item
}

// fetch downloads an artifact and stores what is in it.
func (w *work) fetch(ctx context.Context, a change.Artifact, item *Item) error {
	r, err := w.Source.Artifact(ctx, w.b.Repository, a.ID)
	if err != nil {
		return err
	}
	file, size, err := spool(r, w.TempDir, w.Limits.withDefaults().Archive)
	r.Close()
	if err != nil {
		return err
	}
	defer file.Close()
	dir := w.taken.take("artifacts/"+segment(a.Name), a.ID)
	z, err := openZip(file, size)
	switch {
	case errors.Is(err, errManyFile):
		return w.whole(ctx, file, size, dir, item, "it has too many files to unpack it")
	case err != nil && beginsAsZip(file):
		return fault.New(fault.Permanent, "its zip is damaged: %w", err)
	case err != nil: // an artifact that was kept as the one file that it is
		return w.whole(ctx, file, size, dir, item, "")
	}
	entries, total := plan(z, item)
	switch {
	case len(entries) > w.leftFiles:
		return w.whole(ctx, file, size, dir, item, fmt.Sprintf("it has %d files", len(entries)))
	case total > uint64(w.left):
		return w.whole(ctx, file, size, dir, item, "unpacked it would have "+sizeText(int64(min(total, 1<<62))))
	}
	w.left -= int64(total)
	w.leftFiles -= len(entries)
	w.unpack(ctx, entries, dir, item)
	return nil
}

func beginsAsZip(r io.ReaderAt) bool {
	head := make([]byte, 4)
	n, _ := r.ReadAt(head, 0)
	return n == 4 && string(head) == "PK\x03\x04"
}

// whole stores an artifact as it is. note says why it was not unpacked, if it is
// a zip.
func (w *work) whole(ctx context.Context, file *os.File, size int64, dir string, item *Item, note string) error {
	if size > w.left || w.leftFiles == 0 {
		return errTooMuch
	}
	f, name := File{Path: item.Name}, segment(item.Name)
	if note != "" {
		f.Path, name = f.Path+".zip", name+".zip"
		item.Note = "kept as a zip file, because " + note
	}
	r := bufio.NewReaderSize(io.NewSectionReader(file, 0, size), sniffLength)
	head, _ := r.Peek(sniffLength) // an error comes again
	w.put(ctx, &f, dir+"/"+name, r, size, typeOf(f.Path, head, w.AllowHTML))
	if f.URL == "" {
		return errors.New(f.Problem)
	}
	w.left -= size
	w.leftFiles--
	item.Files = []File{f}
	return nil
}

// entry is a file in a zip and where it is told of.
type entry struct {
	*zip.File
	index int // in item.Files
}

// plan lists the files of a zip in the item and returns those to be copied, with
// the number of bytes that they say they have.
func plan(z *zip.Reader, item *Item) (entries []entry, total uint64) {
	seen := map[string]bool{}
	for _, f := range z.File {
		if f.Mode().IsDir() {
			continue
		}
		to := File{Path: f.Name, Size: int64(min(f.UncompressedSize64, 1<<62))}
		err := checkPath(f.Name)
		switch {
		case err != nil:
			to.Problem = err.Error()
		case f.Mode()&fs.ModeSymlink != 0:
			to.Problem = "it is a symbolic link"
		case !f.Mode().IsRegular():
			to.Problem = "it is no ordinary file"
		case seen[f.Name]:
			to.Problem = "there is another file of that name"
		default:
			entries = append(entries, entry{f, len(item.Files)})
			total = min(total+min(f.UncompressedSize64, 1<<62), 1<<62)
		}
		seen[f.Name] = true
		item.Files = append(item.Files, to)
	}
	return entries, total
}

// unpack stores the files of a zip, several at a time.
func (w *work) unpack(ctx context.Context, entries []entry, dir string, item *Item) {
	queue := make(chan entry)
	var wg sync.WaitGroup
	for range min(workers, len(entries)) {
		wg.Go(func() {
			for e := range queue {
				w.entry(ctx, e, dir, &item.Files[e.index])
			}
		})
	}
	for _, e := range entries {
		queue <- e
	}
	close(queue)
	wg.Wait()
}

// entry stores one file of a zip.
func (w *work) entry(ctx context.Context, e entry, dir string, to *File) {
	if to.Size >= bigFile {
		w.big.Lock()
		defer w.big.Unlock()
	}
	r, err := e.Open()
	if err != nil {
		to.Problem = reason(fault.New(fault.Permanent, "it cannot be unpacked: %w", err))
		return
	}
	defer r.Close()
	in := bufio.NewReaderSize(unpacking{r}, sniffLength)
	head, _ := in.Peek(sniffLength) // an error comes again
	w.put(ctx, to, dir+"/"+e.Name, in, to.Size, typeOf(e.Name, head, w.AllowHTML))
}

// unpacking classifies what goes wrong inside a zip.
type unpacking struct{ io.Reader }

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = fault.New(fault.Permanent, "it cannot be unpacked: %w", err)
	}
	return n, err
}
