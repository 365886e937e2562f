// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
)

// Images makes and examines disk images with qemu-img.
type Images struct {
	// Program is qemu-img's.
	Program string
}

// Info is what an image says about itself.
type Info struct {
	Format string
	// Size is what the guest sees.
	Size machine.Size
}

// formats are those that a guest may be started from.
var formats = map[string]bool{"qcow2": true, "raw": true}

// Inspect reads and checks an image. A truncated qcow2 file is found here: it
// would boot, and fail when the guest comes to what is missing.
func (i Images) Inspect(ctx context.Context, path string) (Info, error) {
	st, err := os.Stat(path)
	if err != nil {
		return Info{}, fault.New(fault.Configuration, "failed to find the image: %w", err).WithHint("give the path of a qcow2 file")
	}
	if !st.Mode().IsRegular() || st.Size() == 0 {
		return Info{}, fault.New(fault.Configuration, "%s is no disk image: it is empty, or no file", path).WithHint("give the path of a qcow2 file")
	}
	var answer struct {
		Format string `json:"format"`
		Size   int64  `json:"virtual-size"`
	}
	out, err := i.run(ctx, "info", "--force-share", "--output=json", path)
	if err != nil {
		return Info{}, notAnImage(path, err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return Info{}, fault.New(fault.Ours, "failed to read what qemu-img says about %s: %w", path, err)
	}
	if !formats[answer.Format] {
		return Info{}, fault.New(fault.Configuration, "%s has the format %s", path, answer.Format).
			WithHint("qemu-img convert -O qcow2 makes a qcow2 file of it")
	}
	if answer.Format == "raw" && !bootable(path) {
		return Info{}, fault.New(fault.Configuration, "%s is no disk image: neither qcow2 nor a raw disk with a boot sector", path).
			WithHint("a compressed image must be unpacked first; a download may have ended early")
	}
	if answer.Format == "qcow2" {
		if _, err := i.run(ctx, "check", "--force-share", "-q", "-f", "qcow2", path); err != nil && !onlyLeaks(err) {
			return Info{}, fault.New(fault.Configuration, "%s is damaged: %w", path, err).
				WithHint("a download may have ended early; fetch it again and compare its checksum")
		}
	}
	return Info{Format: answer.Format, Size: machine.Size(answer.Size)}, nil
}

func notAnImage(path string, err error) error {
	if errors.Is(err, fault.Configuration) { // there is no qemu-img
		return err
	}
	return fault.New(fault.Configuration, "%s cannot be read as a disk image: %w", path, err).
		WithHint("a download may have ended early; fetch it again and compare its checksum")
}

// bootable reports whether a raw disk has the mark of a boot sector.
func bootable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var mark [2]byte
	_, err = f.ReadAt(mark[:], 510)
	return err == nil && mark == [2]byte{0x55, 0xaa}
}

// onlyLeaks reports whether qemu-img check found unused space alone, which does
// no harm (exit status 3).
func onlyLeaks(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == 3
}

// Overlay makes a qcow2 file that holds what differs from the base, whose size
// it takes over unless size is larger.
func (i Images) Overlay(ctx context.Context, base string, info Info, overlay string, size machine.Size) error {
	args := []string{"create", "-q", "-f", "qcow2", "-F", info.Format, "-b", base, overlay}
	if size != 0 {
		if size < info.Size {
			return fault.New(fault.Configuration, "a disk of %s is smaller than the image, which has %s", size, info.Size).
				WithHint("give at least %s, or no size", info.Size)
		}
		args = append(args, size.String())
	}
	_, err := i.run(ctx, args...)
	return err
}

// run returns what qemu-img prints.
func (i Images) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, i.Program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = group()
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, fault.New(fault.Ours, "qemu-img %s was interrupted: %w", args[0], ctx.Err())
	case cmd.Process == nil:
		return nil, missing(i.Program, err)
	}
	return nil, fault.New(fault.Ours, "qemu-img %s failed: %w: %s", args[0], err, strings.TrimSpace(stderr.lines()))
}
