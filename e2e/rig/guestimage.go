// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// GuestImage returns a bootable Debian with cloud-init and an SSH server, made
// by scripts/build-test-guest.sh. It is kept in the cache under a name that
// depends on the script, and takes two minutes to make; root must.
func GuestImage(ctx context.Context, repository string) (string, error) {
	script := filepath.Join(repository, "scripts/build-test-guest.sh")
	text, err := os.ReadFile(script)
	if err != nil {
		return "", err
	}
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	image := filepath.Join(dir, fmt.Sprintf("guest-%.6x.qcow2", sha256.Sum256(text)))
	lock, err := os.OpenFile(image+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	if out, err := exec.CommandContext(ctx, script, image).CombinedOutput(); err != nil {
		return "", fmt.Errorf("failed to make the guest's image: %w\n%s", err, out)
	}
	return image, nil
}
