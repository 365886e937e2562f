// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// Info is what qemu-img says about a file.
type Info struct {
	// Format is qcow2, raw and so on.
	Format string `json:"format"`
	// VirtualSize is the disk's size in bytes.
	VirtualSize int64 `json:"virtual-size"`
	// Backing is the file that an overlay lies on; empty for one of its own.
	Backing string `json:"backing-filename"`
}

func exitOf(err error) *tool.ExitError {
	exit, _ := errors.AsType[*tool.ExitError](err)
	return exit
}

// Inspect asks qemu-img about a file that may come from anywhere.
func Inspect(ctx context.Context, tools tool.Tools, file string) (Info, error) {
	if _, err := tools.Find("qemu-img", "qemu-utils"); err != nil {
		return Info{}, err
	}
	text, err := tools.Output(ctx, tool.Command{
		Doing: "read the disk image " + file, Name: "qemu-img", Args: []string{"info", "--output=json", "--", file},
	})
	if err != nil {
		return Info{}, err
	}
	var info Info
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return Info{}, fault.New(fault.Ours, "failed to understand what qemu-img says about %s: %w", file, err)
	}
	return info, nil
}

// Compress writes a disk as a compressed qcow2 image without holes or backing
// file; format is the one that it is in.
func Compress(ctx context.Context, tools tool.Tools, file, format, out string) error {
	return tools.Run(ctx, tool.Command{
		Doing: "compress the disk image", Name: "qemu-img",
		Args: []string{"convert", "-c", "-f", format, "-O", "qcow2", "--", file, out},
	})
}

// Raw writes a qcow2 image as a raw one, which is what a physical disk takes.
func Raw(ctx context.Context, tools tool.Tools, file, out string) error {
	return tools.Run(ctx, tool.Command{
		Doing: "write the raw disk image", Name: "qemu-img",
		Args: []string{"convert", "-f", "qcow2", "-O", "raw", "--", file, out},
	})
}

// Overlay makes a disk on top of another one, which is not changed, and as large
// as size in bytes.
func Overlay(ctx context.Context, tools tool.Tools, base, format, out string, size int64) error {
	return tools.Run(ctx, tool.Command{
		Doing: "make an overlay", Name: "qemu-img",
		Args: []string{"create", "-q", "-f", "qcow2", "-F", format, "-b", base, "--", out, fmt.Sprint(size)},
	})
}
