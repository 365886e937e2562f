// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// makeDisk makes the disk image in one of two ways, compresses and describes it.
func (b *build) makeDisk(ctx context.Context, stage string) error {
	raw, format, err := "", "raw", error(nil)
	if b.recipe.Disk.Dockerfile != "" {
		raw, err = b.diskOfContainer(ctx, stage)
	} else {
		format = "qcow2"
		raw, err = b.diskInGuest(ctx, stage)
	}
	if err != nil {
		return err
	}
	b.Log("compressing the disk image")
	out := filepath.Join(b.work, "result", diskFile)
	if err := disk.Compress(ctx, b.Tools, raw, format, out); err != nil {
		return err
	}
	if err := os.Remove(raw); err != nil {
		return fault.New(fault.Ours, "failed to remove the uncompressed disk: %w", err)
	}
	version, err := b.Tools.Output(ctx, tool.Command{Doing: "ask qemu-img for its version", Name: "qemu-img", Args: []string{"--version"}})
	if err != nil {
		return err
	}
	b.m.Tools["qemu-img"], _, _ = strings.Cut(strings.TrimPrefix(tool.Clean(version, 200), "qemu-img version "), "\n")
	b.m.Disk, err = describeDisk(ctx, b.Tools, out)
	return err
}

func describeDisk(ctx context.Context, tools tool.Tools, file string) (*Disk, error) {
	info, err := disk.Inspect(ctx, tools, file)
	if err != nil {
		return nil, err
	}
	sum, size, err := hashFile(file)
	if err != nil {
		return nil, err
	}
	return &Disk{Object: "disk-" + sum[:16] + ".qcow2", Format: info.Format, Size: size, VirtualSize: info.VirtualSize, SHA256: sum}, nil
}

func hashFile(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		h := sha256.New()
		size, err = io.Copy(h, f)
		sum = hex.EncodeToString(h.Sum(nil))
	}
	if err != nil {
		return "", 0, fault.New(fault.Ours, "failed to read %s: %w", name, err)
	}
	return sum, size, nil
}

// diskOfContainer adds a kernel to the container, as the disk's Dockerfile says,
// and makes a disk of its file system.
func (b *build) diskOfContainer(ctx context.Context, stage string) (string, error) {
	d := b.recipe.Disk
	tag := "dispatcher/" + b.m.Name + "-disk:" + b.m.Version
	b.Log("building the disk's system")
	if err := b.engine.build(ctx, stage, string(d.Dockerfile), tag, map[string]string{"IMAGE": localTag(b.m)}); err != nil {
		return "", err
	}
	userData, err := b.userData(stage)
	if err != nil {
		return "", err
	}
	b.Log("making a disk of it")
	return b.assemble(ctx, tag, disk.Options{
		Work: b.work, Size: int64(d.Size), Cmdline: string(d.Cmdline), UserData: userData,
		Hostname: strings.ReplaceAll(b.m.Name, ".", "-"), Seed: b.m.Version,
	})
}

// userData returns the cloud-init configuration that becomes part of the image.
func (b *build) userData(stage string) (string, error) {
	name := string(b.recipe.Disk.UserData)
	if name == "" {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(stage, name))
	if err != nil {
		return "", fault.New(fault.Ours, "failed to read %s: %w", name, err)
	}
	return string(text), nil
}

// assemble makes a disk of what the engine exports.
func (b *build) assemble(ctx context.Context, tag string, o disk.Options) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	exported := make(chan error, 1)
	go func() {
		err := b.engine.export(ctx, tag, w)
		w.CloseWithError(err)
		exported <- err
	}()
	raw, err := b.Assembler.Assemble(ctx, b.Tools, r, o)
	r.CloseWithError(errors.New("nobody reads it"))
	if err != nil {
		cancel()
		<-exported
		return "", err
	}
	return raw, <-exported
}
