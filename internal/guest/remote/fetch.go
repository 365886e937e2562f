// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Limits are what may come out of a guest; a test that runs wild must not fill
// the host's disk.
type Limits struct {
	Bytes int64
	Files int
	depth int
}

// DefaultLimits are enough for logs and core files of a test run.
var DefaultLimits = Limits{Bytes: 8 << 30, Files: 100_000}

const maxDepth = 64

// Fetch copies a file or a folder of the guest to target, with permissions and
// with links that stay inside of the folder. It returns a line for each thing
// that was left out.
func (c *Client) Fetch(ctx context.Context, source, target string, limits Limits) (leftOut []string, err error) {
	files, err := c.sftp()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() }) // SFTP itself cannot be interrupted
	defer stop()
	f := &fetcher{ctx: ctx, files: files, left: limits}
	if err := f.top(source, target); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return f.leftOut, fault.New(kindOr(err, fault.Guest), "failed to copy %s out of the guest: %w", source, err).WithHint("%s", fault.HintOf(err))
	}
	return f.leftOut, nil
}

func kindOr(err error, other fault.Kind) fault.Kind {
	if kind := fault.KindOf(err); kind != fault.Unknown {
		return kind
	}
	return other
}

type fetcher struct {
	ctx     context.Context
	files   *sftp.Client
	root    *os.Root
	left    Limits
	leftOut []string
}

// top opens the folder that nothing leads out of: target, or the one around it.
func (f *fetcher) top(source, target string) error {
	info, err := f.files.Stat(source)
	if err != nil {
		return err
	}
	dir, name := target, "."
	if !info.IsDir() {
		dir, name = filepath.Split(target)
	}
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.Ours, err)
	}
	if f.root, err = os.OpenRoot(dir); err != nil {
		return fault.Wrap(fault.Ours, err)
	}
	defer f.root.Close()
	return f.any(source, name, info)
}

// any copies one thing to a name below the root.
func (f *fetcher) any(source, name string, info fs.FileInfo) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if f.left.Files--; f.left.Files < 0 {
		return fault.New(fault.Guest, "there are too many files").WithHint("pack them in the guest, or name fewer of them")
	}
	switch {
	case info.IsDir():
		return f.folder(source, name, info)
	case info.Mode().IsRegular():
		return f.file(source, name, info)
	case info.Mode()&fs.ModeSymlink != 0:
		return f.link(source, name)
	}
	f.leave(source, "it is no file, folder or link")
	return nil
}

func (f *fetcher) leave(source, why string) {
	const most = 20
	if len(f.leftOut) < most {
		f.leftOut = append(f.leftOut, fmt.Sprintf("%s was left out: %s", change.OneLine(source), why))
	}
}

func (f *fetcher) folder(source, name string, info fs.FileInfo) error {
	if f.left.depth++; f.left.depth > maxDepth {
		return fault.New(fault.Guest, "folders are nested more than %d deep at %s", maxDepth, change.OneLine(source))
	}
	defer func() { f.left.depth-- }()
	if name != "." {
		if err := f.mkdir(name); err != nil {
			return fault.Wrap(fault.Ours, err)
		}
	}
	entries, err := f.files.ReadDirContext(f.ctx, source)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		base := entry.Name()
		if base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\x00") {
			f.leave(source, fmt.Sprintf("it holds the impossible name %q", change.Clip(base, 80)))
			continue
		}
		if err := f.any(path.Join(source, base), filepath.Join(name, base), entry); err != nil {
			return err
		}
	}
	if name == "." {
		return nil
	}
	return fault.Wrap(fault.Ours, f.root.Chmod(name, info.Mode().Perm()|0o700)) // or it cannot be deleted again
}

// mkdir takes a folder that is there, but no link to one.
func (f *fetcher) mkdir(name string) error {
	err := f.root.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := f.root.Lstat(name); statErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

func (f *fetcher) file(source, name string, info fs.FileInfo) error {
	in, err := f.files.Open(source)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			f.leave(source, "it cannot be read, or is gone")
			return nil
		}
		return err
	}
	defer in.Close()
	out, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.Wrap(fault.Ours, err)
	}
	// One byte more than is left tells a file that does not fit.
	n, err := io.Copy(&hostFile{out}, io.LimitReader(in, f.left.Bytes+1))
	if err == nil {
		err = fault.Wrap(fault.Ours, out.Chmod(info.Mode().Perm()))
	}
	if closeErr := out.Close(); err == nil {
		err = fault.Wrap(fault.Ours, closeErr)
	}
	if f.left.Bytes -= n; f.left.Bytes < 0 && err == nil {
		return fault.New(fault.Guest, "it is too large").WithHint("compress it in the guest, or name less of it")
	}
	return err
}

// hostFile tells failures of the host from those of the guest. It has no
// ReadFrom, so that reads are not made by the file.
type hostFile struct{ f *os.File }

// Write writes to the file.
func (h *hostFile) Write(p []byte) (int, error) {
	n, err := h.f.Write(p)
	return n, fault.Wrap(fault.Ours, err)
}

// link makes a symbolic link again if it leads to something below the root: one
// to /etc/shadow would show the host's.
func (f *fetcher) link(source, name string) error {
	to, err := f.files.ReadLink(source)
	if err != nil {
		return err
	}
	// In a path that is not clean, ".." may come after another link, and then
	// leads elsewhere than it seems.
	if path.IsAbs(to) || path.Clean(to) != to || !filepath.IsLocal(filepath.Join(filepath.Dir(name), to)) {
		f.leave(source, "it is a link that leads elsewhere")
		return nil
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Ours, err)
	}
	return fault.Wrap(fault.Ours, f.root.Symlink(to, name))
}
