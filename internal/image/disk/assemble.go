// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// Options describe a disk of a system: a kernel and its initial RAM disk in /boot,
// an init. A few of its files are changed.
type Options struct {
	// Work is a folder for intermediate files; the caller removes it.
	Work string
	// Size is the disk's size in bytes.
	Size int64
	// Cmdline is added to the kernel's command line.
	Cmdline string
	// Hostname is the system's name.
	Hostname string
	// UserData is cloud-init configuration, and may be empty.
	UserData string
	// Seed is what the disk's identifiers are made from.
	Seed string
}

// grubModules are what GRUB must be able to do; they are part of its core, so
// the disk needs no folder of modules.
var grubModules = []string{
	"part_gpt", "ext2", "normal", "configfile", "search", "search_fs_uuid", "linux", "echo", "test", "serial", "terminal", "gzio", "minicmd", "reboot", "halt",
}

// builder carries one assembly.
type builder struct {
	Options
	tools tool.Tools
	id    ids
	// root is the folder of the system.
	root, raw string
}

// rawFile is the disk's name.
const rawFile = "disk.raw"

// needed are the programs, and the Debian packages that have them.
var needed = [][2]string{
	{"sfdisk", "fdisk"}, {"mke2fs", "e2fsprogs"}, {"mkfs.vfat", "dosfstools"}, {"mmd", "mtools"}, {"mcopy", "mtools"}, {"qemu-img", "qemu-utils"},
}

// check looks for what makes disks.
func check(tools tool.Tools) error {
	for _, n := range needed {
		if _, err := tools.Find(n[0], n[1]); err != nil {
			return err
		}
	}
	if _, err := grubMkimage(tools); err != nil {
		return err
	}
	for platform, pkg := range map[string]string{"i386-pc": "grub-pc-bin", "x86_64-efi": "grub-efi-amd64-bin"} {
		if _, err := os.Stat(filepath.Join(grubDir, platform, "moddep.lst")); err != nil {
			return fault.New(fault.Configuration, "GRUB's files for %s are not in %s", platform, grubDir).
				WithHint("install them (Debian: apt-get install %s)", pkg)
		}
	}
	return nil
}

// grubDir is where all distributions keep GRUB's platforms.
const grubDir = "/usr/lib/grub"

// grubMkimage is grub2-mkimage at Fedora.
func grubMkimage(tools tool.Tools) (string, error) {
	if _, err := tools.Find("grub2-mkimage", ""); err == nil {
		return "grub2-mkimage", nil
	}
	_, err := tools.Find("grub-mkimage", "grub-common")
	return "grub-mkimage", err
}

func (b *builder) run(ctx context.Context, doing, name string, args ...string) error {
	return b.tools.Run(ctx, tool.Command{Doing: doing, Name: name, Args: args})
}

// table makes the sparse disk and its partitions.
func (b *builder) table(ctx context.Context) error {
	f, err := os.Create(b.raw)
	if err == nil {
		err = f.Truncate(b.Size)
	}
	if f != nil {
		f.Close()
	}
	if err != nil {
		return fault.New(fault.Ours, "failed to make the disk: %w", err)
	}
	return b.tools.Run(ctx, tool.Command{
		Doing: "partition the disk", Name: "sfdisk", Args: []string{"--quiet", "--no-reread", "--no-tell-kernel", b.raw},
		Stdin: strings.NewReader(partitions(b.Size, b.id)),
	})
}

// rootFS fills the root partition from the folder.
func (b *builder) rootFS(ctx context.Context) error {
	err := b.run(ctx, "make the root file system", "mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-L", "root", "-U", b.id.root,
		"-E", fmt.Sprintf("offset=%d,hash_seed=%s,lazy_itable_init=1", rootStart, b.id.root), "-d", b.root, b.raw,
		fmt.Sprintf("%dk", (b.Size-tailSize-rootStart)/1024))
	if exit := exitOf(err); exit != nil && strings.Contains(exit.Tail, "Could not allocate") {
		return fault.New(fault.Configuration, "the system does not fit on a disk of %d MiB: %w", b.Size/mib, err).WithHint("raise disk.size in recipe.yml")
	}
	return err
}

// bios puts GRUB where a BIOS looks for it.
func (b *builder) bios(ctx context.Context) error {
	core := filepath.Join(b.Work, "core.img")
	if err := b.mkimage(ctx, "i386-pc", core, "biosdisk"); err != nil {
		return err
	}
	bootText, err := os.ReadFile(filepath.Join(grubDir, "i386-pc", "boot.img"))
	if err != nil {
		return fault.New(fault.Ours, "failed to read GRUB's boot code: %w", err)
	}
	coreText, err := os.ReadFile(core)
	if err != nil {
		return fault.New(fault.Ours, "failed to read GRUB's core: %w", err)
	}
	code, patched, err := bootSectors(bootText, coreText)
	if err != nil {
		return err
	}
	if err := b.patch(0, bytes.NewReader(code)); err != nil {
		return err
	}
	return b.patch(biosStart, bytes.NewReader(patched))
}

// patch writes into the disk at an offset in bytes; blocks of zeros stay holes.
func (b *builder) patch(at int64, from io.Reader) error {
	f, err := os.OpenFile(b.raw, os.O_WRONLY, 0)
	if err != nil {
		return fault.New(fault.Ours, "failed to open the disk: %w", err)
	}
	defer f.Close()
	block, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = io.ReadFull(from, block)
		if !bytes.Equal(block[:n], zeros[:n]) {
			if _, err := f.WriteAt(block[:n], at); err != nil {
				return fault.New(fault.Ours, "failed to write to the disk: %w", err)
			}
		}
		at += int64(n)
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return fault.New(fault.Ours, "failed to read what goes to the disk: %w", err)
	}
	if err := f.Close(); err != nil {
		return fault.New(fault.Ours, "failed to write to the disk: %w", err)
	}
	return nil
}

// efi puts GRUB where UEFI looks for it on a disk that it does not know.
func (b *builder) efi(ctx context.Context) error {
	program := filepath.Join(b.Work, "BOOTX64.EFI")
	if err := b.mkimage(ctx, "x86_64-efi", program, "fat", "all_video", "efi_gop", "efi_uga"); err != nil {
		return err
	}
	// A file of its own: mkfs.vfat judges by the size of the file.
	esp := filepath.Join(b.Work, "esp.img")
	for _, c := range [][]string{
		{"mkfs.vfat", "--invariant", "-F", "32", "-n", "ESP", "-i", b.id.fat, "-C", esp, fmt.Sprint(espSize / 1024)},
		{"mmd", "-i", esp, "::/EFI", "::/EFI/BOOT"},
		{"mcopy", "-i", esp, program, "::/EFI/BOOT/BOOTX64.EFI"},
	} {
		if err := b.run(ctx, "make the EFI partition", c[0], c[1:]...); err != nil {
			return err
		}
	}
	f, err := os.Open(esp)
	if err != nil {
		return fault.New(fault.Ours, "failed to open the EFI partition: %w", err)
	}
	defer f.Close()
	return b.patch(espStart, f)
}

func (b *builder) mkimage(ctx context.Context, platform, out string, modules ...string) error {
	early := filepath.Join(b.Work, "early.cfg")
	if err := os.WriteFile(early, []byte(grubEarly(b.id)), 0o644); err != nil {
		return fault.New(fault.Ours, "failed to write GRUB's configuration: %w", err)
	}
	program, err := grubMkimage(b.tools)
	if err != nil {
		return err
	}
	args := []string{"-O", platform, "-d", filepath.Join(grubDir, platform), "-p", "/boot/grub", "-c", early, "-o", out}
	return b.run(ctx, "make GRUB for "+platform, program, append(append(args, grubModules...), modules...)...)
}
