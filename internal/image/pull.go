// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
)

// PullOptions say where a pulled disk goes.
type PullOptions struct {
	// To is a file; empty leaves the disk in the cache.
	To string
	// Raw writes it as a raw image, fit for a physical disk.
	Raw bool
}

// Pulled is what Pull did.
type Pulled struct {
	Manifest *Manifest
	// File is where the disk is; empty if the version has none. One in the cache
	// must not be written to, and may go when the cache needs room.
	File string
}

// Pull brings the disk of a version here, through the cache; what arrives has
// the checksum of its manifest.
func (im *Images) Pull(ctx context.Context, t Target, o PullOptions) (*Pulled, error) {
	m, err := im.find(ctx, t)
	if err != nil {
		return nil, err
	}
	if m.Disk == nil {
		if o.To != "" {
			return nil, fault.New(fault.Configuration, "%s@%s has no disk image", m.Name, m.Version).WithHint("pull its container with docker")
		}
		return &Pulled{Manifest: m}, nil
	}
	file, release, err := im.cached(ctx, m)
	if err != nil {
		return nil, err
	}
	defer release()
	if o.To == "" {
		return &Pulled{Manifest: m, File: file}, nil
	}
	part := o.To + ".part"
	defer os.Remove(part)
	if o.Raw {
		err = disk.Raw(ctx, im.Tools, file, part)
	} else {
		err = copyWhole(file, part)
	}
	if err == nil {
		err = os.Rename(part, o.To)
	}
	if err != nil && fault.KindOf(err) == fault.Unknown {
		f := fault.New(fault.Ours, "failed to write %s: %w", o.To, err)
		if errors.Is(err, syscall.ENOSPC) {
			f.Hint = "make room in " + filepath.Dir(o.To)
		}
		return nil, f
	}
	return &Pulled{Manifest: m, File: o.To}, err
}

// cached returns a version's disk in the host's cache.
func (im *Images) cached(ctx context.Context, m *Manifest) (string, func(), error) {
	return im.Cache.Get(ctx, m.Name+"-"+m.Version+".qcow2", m.Disk.SHA256, m.Disk.Size, func(ctx context.Context, file string) error {
		im.Log("downloading %s@%s, %s", m.Name, m.Version, Bytes(m.Disk.Size))
		err := im.Store.Download(ctx, diskName(m), file, m.Disk.SHA256)
		if errors.Is(err, ErrNotFound) {
			return fault.New(fault.Permanent, "%s has a manifest, but its disk is gone from the store", m.Name+"@"+m.Version).
				WithHint("take another version, or build this one again with --force and push it")
		}
		return err
	})
}

// copyWhole copies a file; holes are the file system's business.
func copyWhole(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
