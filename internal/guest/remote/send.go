// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Send copies a file, a folder or a tarball into the guest. The contents of a
// folder or a tarball become those of the folder target; permissions and links
// are kept, owners are not. Sockets and devices are left out. A path in the
// guest that is not absolute is one below the account's home folder.
func (c *Client) Send(ctx context.Context, source, target string) error {
	err := c.send(ctx, source, target)
	if err != nil && ctx.Err() == nil {
		return fault.New(fault.KindOf(err), "failed to copy %s into the guest: %w", source, err).WithHint("%s", fault.HintOf(err))
	}
	return err
}

func (c *Client) send(ctx context.Context, source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fault.Wrap(fault.Configuration, err)
	}
	if info.IsDir() {
		return c.unpack(ctx, "", target, func(w io.Writer) error { return writeTree(ctx, w, source) })
	}
	f, err := os.Open(source)
	if err != nil {
		return fault.Wrap(fault.Configuration, err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<10)
	option, archive := tarOption(r)
	if !archive {
		dir, name := path.Split(target)
		return c.unpack(ctx, "", dir, func(w io.Writer) error {
			t := tar.NewWriter(w)
			return errors.Join(writeFile(t, source, name, info), t.Close())
		})
	}
	return c.unpack(ctx, option, target, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// tarOption tells a tarball by its first bytes, and how it is compressed.
func tarOption(r *bufio.Reader) (option string, archive bool) {
	start, _ := r.Peek(512) // a shorter file is none
	for magic, option := range map[string]string{
		"\x1f\x8b": "-z", "\xfd7zXZ\x00": "-J", "BZh": "-j", "\x28\xb5\x2f\xfd": "--zstd",
	} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return option, true
		}
	}
	return "", len(start) == 512 && bytes.HasPrefix(start[257:], []byte("ustar"))
}

// unpack runs tar in the guest on what write writes.
func (c *Client) unpack(ctx context.Context, option, dir string, write func(io.Writer) error) error {
	if dir == "" {
		dir = "."
	}
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		buffered := bufio.NewWriterSize(w, 256<<10)
		err := write(buffered)
		if err == nil {
			err = buffered.Flush()
		}
		w.CloseWithError(err)
		written <- err
	}()
	line := fmt.Sprintf("mkdir -p -- %s && exec tar -x -p --no-same-owner %s -C %s -f -", quote(dir), option, quote(dir))
	err := c.output(ctx, line, r)
	r.Close() // ends the writer, if tar did not read all
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return fault.Wrap(fault.Ours, writeErr)
	}
	return err
}

// writeTree writes the contents of a folder as a tar stream.
func writeTree(ctx context.Context, w io.Writer, root string) error {
	t := tar.NewWriter(w)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		inner, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err != nil {
			return err
		}
		return writeFile(t, name, filepath.ToSlash(inner), info)
	})
	return errors.Join(err, t.Close())
}

// writeFile writes one entry; what is no file, folder or link is left out.
func writeFile(t *tar.Writer, source, name string, info fs.FileInfo) error {
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		var err error
		if link, err = os.Readlink(source); err != nil {
			return err
		}
	case !mode.IsRegular() && !mode.IsDir():
		return nil
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = name, 0, 0, "", ""
	if info.IsDir() {
		h.Name = strings.TrimSuffix(name, "/") + "/"
	}
	if err := t.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err = io.CopyN(t, f, h.Size); errors.Is(err, io.EOF) {
		return fmt.Errorf("%s became shorter while it was copied", source)
	}
	return err
}
