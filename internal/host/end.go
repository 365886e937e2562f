// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	// grace is how long a process may take to end by itself.
	grace = 10 * time.Second
	// killLimit is how long the kernel may take to end it.
	killLimit = 10 * time.Second
	endPoll   = 100 * time.Millisecond
)

// endProcess ends a recorded process. The handle that FindProcess opens (a pidfd)
// stays with the process that it saw, so what is compared after that is what gets
// the signal, although its number may be given to another one meanwhile.
func (h *Host) endProcess(ctx context.Context, r Resource) (string, error) {
	target, err := os.FindProcess(r.Process.PID)
	if err != nil {
		return "", err
	}
	defer target.Release()
	if h.life(*r.Process) != running {
		return "", nil
	}
	for _, s := range []struct {
		signal syscall.Signal
		limit  time.Duration
		did    string
	}{{syscall.SIGTERM, grace, "ended"}, {syscall.SIGKILL, killLimit, "killed"}} {
		if err := target.Signal(s.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return "", err
		}
		for waited := time.Duration(0); waited < s.limit; waited += endPoll {
			if h.life(*r.Process) != running {
				return s.did, nil
			}
			if err := h.o.Sleep(ctx, endPoll); err != nil {
				return "", err
			}
		}
	}
	return "", errors.New("it does not end, although it was killed: the kernel waits for something (a device that does not answer, say)")
}

// unmount does not follow a link in place of the mount point.
func unmount(path string) error { return syscall.Unmount(path, unmountNoFollow) }
