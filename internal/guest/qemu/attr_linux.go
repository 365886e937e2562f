// SPDX-License-Identifier: BSD-3-Clause

package qemu

import "syscall"

// group makes a process the head of a group of its own that ends with us.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
