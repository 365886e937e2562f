// SPDX-License-Identifier: BSD-3-Clause

// Package disk makes bootable disk images. Assemble turns a file system into a
// disk that boots in QEMU and on a physical machine, with BIOS and with UEFI: a
// GPT with a BIOS boot partition and an EFI system partition, and GRUB in both.
// The others wrap qemu-img.
//
// Nothing is mounted and no loop device is used: file systems are filled by
// mke2fs and mtools while they are plain files. So a build runs in a container
// and on kernels without FAT or loop partitions, needs no privilege but the one
// to give files their owners, and leaves nothing behind when it is killed.
package disk
