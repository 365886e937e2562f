// SPDX-License-Identifier: BSD-3-Clause

// Package image builds, tests, publishes and retires system images: containers
// and bootable disks made from recipes, each named by a hash of all that went
// into it.
//
// A version that exists is never built again and never changed, but for the
// result of its smoke test; an alias moves only to a version that passed, in one
// write. The manifest is what makes a version exist: it is written last and
// deleted first.
//
// The package reaches storage, registries, guests and the host's cache through
// the interfaces in doors.go. It does not know S3, QEMU or how a registry works,
// and it keeps no state but the folder of builds and the store.
package image
