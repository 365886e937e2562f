// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Remove deletes a job's folder or file with all that is in it, unless something is
// mounted there. A job may leave folders that nobody may write to, and, if it used
// sudo, what belongs to root: the first are opened, and for the second this
// account's own right to sudo is used, in folders of this account alone.
func Remove(ctx context.Context, path string) error {
	if runtime.GOOS != "linux" {
		return os.RemoveAll(path)
	}
	return (&Host{}).remove(ctx, path)
}

func (h *Host) remove(ctx context.Context, path string) error {
	// What is mounted there is more than a job's folder.
	points, err := h.mounts()
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	if points = below(points, filepath.Join(real, filepath.Base(path))); len(points) > 0 {
		return fmt.Errorf("%s is mounted there", change.OneLine(points[0]))
	}
	if err = os.RemoveAll(path); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// A folder that cannot be opened fails again below.
	_ = filepath.WalkDir(path, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	if err = os.RemoveAll(path); !errors.Is(err, fs.ErrPermission) || !own(path) {
		return err
	}
	if sudoErr := Sudo(ctx, "rm", "--recursive", "--force", "--one-file-system", "--", path); sudoErr != nil {
		return fmt.Errorf("%w; %w", err, sudoErr)
	}
	return nil
}

// own reports whether a path is a folder of this account.
func own(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// Sudo runs a program as root, if this account may do so without a password. The
// program gets nothing of our environment but PATH.
func Sudo(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, "sudo", append([]string{"--non-interactive", "--", program}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no sudo")
	}
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("sudo %s: %w: %s", program, err, change.Clip(change.OneLine(first), 200))
	}
	return nil
}
