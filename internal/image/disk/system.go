// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// system makes a container's file system one of a machine. All files are opened
// below root, so a link in it cannot lead to a file of this machine.
func (b *builder) system(context.Context) error {
	root, err := os.OpenRoot(b.root)
	if err != nil {
		return fault.New(fault.Ours, "failed to open the system's folder: %w", err)
	}
	defer root.Close()
	kernel, initrd, err := findKernel(root.FS())
	if err != nil {
		return err
	}
	if !hasInit(root.FS()) {
		return fault.New(fault.Configuration, "the system has no init").WithHint("install systemd (Debian: systemd-sysv) in the disk's Dockerfile")
	}
	files := []struct{ name, text string }{
		{"boot/grub/grub.cfg", grubConfig(b.id, kernel, initrd, b.Cmdline)},
		{"etc/fstab", "UUID=" + b.id.root + " / ext4 errors=remount-ro 0 1\n"},
		{"etc/hostname", b.Hostname + "\n"},
		{"etc/hosts", "127.0.0.1 localhost\n127.0.1.1 " + b.Hostname + "\n::1 localhost ip6-localhost ip6-loopback\n"},
		{"etc/machine-id", ""}, // each machine makes its own at first boot
	}
	if b.UserData != "" {
		files = append(files, struct{ name, text string }{UserDataFile, b.UserData})
	}
	for _, f := range files {
		if err := put(root, f.name, f.text); err != nil {
			return err
		}
	}
	// The engine's own traces. resolv.conf is an empty mount point.
	for _, name := range []string{".dockerenv", "run/.containerenv"} {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Ours, "failed to remove %s: %w", name, err)
		}
	}
	return resolver(root)
}

// UserDataFile is where cloud-init finds what a recipe tells it, below the root
// of the system.
const UserDataFile = "etc/cloud/cloud.cfg.d/90-image.cfg"

// put replaces a file, whatever stood there.
func put(root *os.Root, name, text string) error {
	err := root.MkdirAll(path.Dir(name), 0o755)
	if err == nil {
		if err = root.Remove(name); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = root.WriteFile(name, []byte(text), 0o644)
	}
	if err != nil {
		return fault.New(fault.Ours, "failed to write %s: %w", name, err)
	}
	return nil
}

// resolver hands name resolution to systemd-resolved where there is one, since
// containers cannot ship a resolv.conf of their own.
func resolver(root *os.Root) error {
	const conf, stub = "etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf"
	if info, err := root.Lstat(conf); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	for _, daemon := range []string{"lib/systemd/systemd-resolved", "usr/lib/systemd/systemd-resolved"} {
		if _, err := root.Lstat(daemon); err != nil {
			continue
		}
		if err := root.Remove(conf); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Ours, "failed to remove %s: %w", conf, err)
		}
		if err := root.Symlink(stub, conf); err != nil {
			return fault.New(fault.Ours, "failed to link %s: %w", conf, err)
		}
		return nil
	}
	return nil
}

// hasInit looks at the links as well: /sbin/init is one at most distributions.
func hasInit(root fs.FS) bool {
	for _, name := range []string{"sbin/init", "usr/sbin/init", "lib/systemd/systemd", "usr/lib/systemd/systemd"} {
		if _, err := fs.Lstat(root, name); err == nil {
			return true
		}
	}
	return false
}

// findKernel returns the newest kernel in /boot that has an initial RAM disk,
// under the names that Debian (initrd.img-V) and Fedora (initramfs-V.img) give.
func findKernel(root fs.FS) (kernel, initrd string, err error) {
	entries, err := fs.ReadDir(root, "boot")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", fault.New(fault.Ours, "failed to read /boot of the system: %w", err)
	}
	files := map[string]bool{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			files[e.Name()] = true
		}
	}
	var versions []string
	for name := range files {
		if v, ok := strings.CutPrefix(name, "vmlinuz-"); ok && !strings.Contains(v, "rescue") && plainName(v) {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b string) int { return compareVersions(b, a) })
	for _, v := range versions {
		for _, initrd := range []string{"initrd.img-" + v, "initramfs-" + v + ".img"} {
			if files[initrd] {
				return "vmlinuz-" + v, initrd, nil
			}
		}
	}
	if len(versions) > 0 {
		return "", "", fault.New(fault.Configuration, "the kernel %s has no initial RAM disk in /boot", "vmlinuz-"+versions[0]).
			WithHint("install initramfs-tools (Debian), or run dracut --no-hostonly (Fedora), in the disk's Dockerfile")
	}
	return "", "", fault.New(fault.Configuration, "the system has no kernel in /boot (a file vmlinuz-VERSION)").
		WithHint("install one in the disk's Dockerfile (Debian: linux-image-amd64)")
}

// plainName is true for versions that GRUB reads as one word.
func plainName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r > '~' || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._+~-", r)
	})
}

// compareVersions orders versions as people do: numbers by value.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
