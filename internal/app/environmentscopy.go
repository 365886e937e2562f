// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// keepLimit is how long copying a result may take: a job has half an hour for all that
// is around its test.
const keepLimit = 10 * time.Minute

// errCut ends what is copied.
var errCut = errors.New("more than the results of a job may be")

// keepFromContainer copies one of the results, as far as left lets it, and takes from
// that: a file of a terabyte costs a test nothing, and docker would write it all.
func (r *cellRun) keepFromContainer(ctx context.Context, id, result string, left *remote.Limits) error {
	ctx, cancel := context.WithTimeoutCause(ctx, keepLimit, fault.New(fault.Ours, "it took longer than %v", keepLimit))
	defer cancel()
	from, doing := path.Join(containerDir, "source", result), "keep "+result
	stream, w := io.Pipe()
	unpacked := make(chan error, 1)
	go func() {
		err := unpackKept(stream, r.results, filepath.Base(r.kept(result)), left)
		if err != nil {
			cancel()
		}
		stream.CloseWithError(err)
		unpacked <- err
	}()
	var tools tool.Tools
	err := tools.Run(ctx, tool.Command{Doing: doing, Name: "docker", Args: []string{"cp", id + ":" + from, "-"}, Stdout: w})
	w.CloseWithError(err) // nil is the end
	unpackErr := <-unpacked
	if exit, ok := errors.AsType[*tool.ExitError](err); ok && exit.Status > 0 && !errors.Is(unpackErr, errCut) {
		return explainDocker(doing, err)
	}
	if unpackErr != nil {
		return fmt.Errorf("failed to %s: %w", doing, unpackErr)
	}
	return explainDocker(doing, err)
}

// unpackKept unpacks what "docker cp" writes to a folder below dir, or to a file there:
// files and folders alone. What has a name that cannot be is left out.
func unpackKept(stream io.Reader, dir, name string, left *remote.Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	// All is in one folder, or is one file, with the name that it had.
	place := func(entry string) string {
		_, below, _ := strings.Cut(strings.TrimSuffix(entry, "/"), "/")
		if to := path.Join(name, below); to == name || strings.HasPrefix(to, name+"/") {
			return to
		}
		return "" // which nothing can be called
	}
	var wrong error
	for t := tar.NewReader(stream); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, stream)
			return errors.Join(err, wrong)
		}
		if err != nil {
			return err
		}
		if left.Files--; left.Files < 0 || h.Size > left.Bytes {
			return fmt.Errorf("%w: %d files and %d GB: what came after %q is not kept", errCut, remote.DefaultLimits.Files, remote.DefaultLimits.Bytes>>30, h.Name)
		}
		switch to := place(h.Name); h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(to, 0o755)
		case tar.TypeReg:
			left.Bytes -= h.Size
			err = writeKept(root, to, os.FileMode(h.Mode)&0o755|0o600, t)
		case tar.TypeLink:
			err = root.Link(place(h.Linkname), to)
		}
		if errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if err != nil && wrong == nil {
			wrong = fmt.Errorf("a part is left out: %w", err)
		}
	}
}

func writeKept(root *os.Root, name string, mode os.FileMode, text io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, text)
	return errors.Join(err, f.Close())
}
