// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"os"
	"syscall"
)

const unmountNoFollow = 8 // UMOUNT_NOFOLLOW of umount2(2)

// detachLoop takes a loop device's file away: LOOP_CLR_FD of loop(4).
func detachLoop(device string) error {
	file, err := os.Open(device)
	if err != nil {
		return err
	}
	defer file.Close()
	const clear = 0x4C01
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), clear, 0); errno != 0 {
		return errno
	}
	return nil
}
