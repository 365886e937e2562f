// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !linux

package qemu

import "syscall"

// group makes a process the head of a group of its own. Only Linux can end it
// with us when we are killed.
func group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
