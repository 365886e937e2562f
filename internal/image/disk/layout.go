// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Where things are on a disk. All sizes are in bytes.
const (
	sector = 512
	mib    = 1 << 20
	// biosStart and biosSize are the BIOS boot partition, where GRUB's core is.
	biosStart, biosSize = 1 * mib, 1 * mib
	// espStart and espSize are the EFI system partition: FAT32 wants 33 MiB.
	espStart, espSize = 2 * mib, 64 * mib
	// rootStart is the root file system; it reaches to the end of the disk, less
	// what the second copy of the GPT takes.
	rootStart = espStart + espSize
	tailSize  = 1 * mib
	// minSize leaves room for a small system.
	minSize = rootStart + tailSize + 64*mib
)

// ids are the identifiers of a disk and of its file systems. They are made from
// the image's version, so two builds of a version have the same ones.
type ids struct {
	disk, bios, esp, root string // UUIDs
	fat                   string // eight hex digits
}

func idsOf(seed string) ids {
	uuid := func(what string) string {
		sum := sha256.Sum256([]byte(seed + "\x00" + what))
		sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // RFC 9562, version 8
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	}
	return ids{uuid("disk"), uuid("bios"), uuid("esp"), uuid("root"), uuid("fat")[:8]}
}

// partitions returns the partition table in sfdisk's language.
func partitions(size int64, id ids) string {
	line := func(start, size int64, kind, uuid, name string) string {
		return fmt.Sprintf("start=%d, size=%d, type=%s, uuid=%s, name=%q\n", start/sector, size/sector, kind, uuid, name)
	}
	return "label: gpt\nunit: sectors\nlabel-id: " + id.disk + "\n" +
		line(biosStart, biosSize, "21686148-6449-6E6F-744E-656564454649", id.bios, "bios") +
		line(espStart, espSize, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", id.esp, "esp") +
		line(rootStart, size-tailSize-rootStart, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", id.root, "root")
}

// grubEarly is what GRUB does first: it finds the root file system wherever the
// machine has put the disk.
func grubEarly(id ids) string {
	return "search --no-floppy --fs-uuid --set=root " + id.root + "\nset prefix=($root)/boot/grub\nconfigfile ($root)/boot/grub/grub.cfg\n"
}

// grubConfig boots a kernel without waiting, and shows itself on the serial
// console as well.
func grubConfig(id ids, kernel, initrd, cmdline string) string {
	return "# Written by dispatcher image build.\n" +
		"serial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n" +
		"set default=0\nset timeout=0\n" +
		"menuentry Linux {\n" +
		"  search --no-floppy --fs-uuid --set=root " + id.root + "\n" +
		"  linux /boot/" + kernel + " root=UUID=" + id.root + " rw " + cmdline + "\n" +
		"  initrd /boot/" + initrd + "\n}\n"
}

// checkCmdline keeps a command line from being anything else to GRUB.
func checkCmdline(s string) error {
	if strings.ContainsAny(s, "\n;{}|&<>\"'\\$`#") {
		return fault.New(fault.Configuration, "the kernel's command line holds a character that GRUB would read").
			WithHint("leave out quotes and ; { } | & < > \\ $ ` #")
	}
	return nil
}

// Offsets in GRUB's boot.img, which becomes the first sector of the disk, and
// in diskboot.img, the first sector of core.img. They are fixed by GRUB's
// include/grub/i386/pc/boot.h, and what grub-bios-setup writes.
const (
	bootCodeSize     = 440  // what follows belongs to the partition table
	bootKernelSector = 0x5c // 8 bytes: where core.img is, in sectors
	bootDriveCheck   = 0x66 // 2 bytes: a jump, for floppy disks
	bootDriveNops    = "\x90\x90"
	coreBlocklist    = sector - 12 // 8 bytes: where the rest of core.img is
)

// bootSectors makes the disk's boot code and a core image that are fit for
// where core.img is put.
func bootSectors(boot, core []byte) (code, patched []byte, err error) {
	if len(boot) != sector || len(core) < 2*sector || len(core) > biosSize {
		return nil, nil, fault.New(fault.Ours, "GRUB's boot.img has %d bytes and its core.img %d", len(boot), len(core)).
			WithHint("install grub-pc-bin of GRUB 2")
	}
	code = append([]byte{}, boot[:bootCodeSize]...)
	binary.LittleEndian.PutUint64(code[bootKernelSector:], biosStart/sector)
	copy(code[bootDriveCheck:], bootDriveNops)
	patched = append([]byte{}, core...)
	binary.LittleEndian.PutUint64(patched[coreBlocklist:], biosStart/sector+1)
	return code, patched, nil
}
