// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// TestPartitions: what sfdisk is told fits the constants, and nothing overlaps.
func TestPartitions(t *testing.T) {
	t.Parallel()
	want := `label: gpt
unit: sectors
label-id: ` + idsOf("v").disk + `
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=` + idsOf("v").bios + `, name="bios"
start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=` + idsOf("v").esp + `, name="esp"
start=135168, size=4057088, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=` + idsOf("v").root + `, name="root"
`
	if diff := cmp.Diff(want, partitions(2<<30, idsOf("v"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := idsOf("v"); again != idsOf("v") || idsOf("v").root == idsOf("w").root || len(idsOf("v").root) != 36 || len(idsOf("v").fat) != 8 {
		t.Errorf("got %+v", idsOf("v"))
	}
}

// TestBootSectors: GRUB's two pointers lead to where its core is.
func TestBootSectors(t *testing.T) {
	t.Parallel()
	boot, core := bytes.Repeat([]byte{1}, 512), bytes.Repeat([]byte{2}, 1500)
	code, patched, err := bootSectors(boot, core)
	if err != nil {
		t.Fatal(err)
	}
	if len(code) != 440 || binary.LittleEndian.Uint64(code[0x5c:]) != 2048 || string(code[0x66:0x68]) != "\x90\x90" || code[0x68] != 1 {
		t.Errorf("boot code: % x", code[0x58:0x6c])
	}
	if len(patched) != 1500 || binary.LittleEndian.Uint64(patched[500:]) != 2049 || patched[508] != 2 || patched[499] != 2 {
		t.Errorf("core: % x", patched[496:512])
	}
	if boot[0x5c] != 1 || core[500] != 2 {
		t.Error("what was handed in was changed")
	}
	for _, size := range []int{0, 600, 1<<20 + 1} {
		if _, _, err := bootSectors(boot, make([]byte, size)); !errors.Is(err, fault.Ours) {
			t.Errorf("a core of %d bytes: got %v", size, err)
		}
	}
}

func TestFindKernel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files          string
		kernel, initrd string
		text           string // of the error
	}{
		{"vmlinuz-6.1.0-9-amd64 initrd.img-6.1.0-9-amd64 vmlinuz-6.1.0-13-amd64 initrd.img-6.1.0-13-amd64", "vmlinuz-6.1.0-13-amd64", "initrd.img-6.1.0-13-amd64", ""},
		{"vmlinuz-6.17.1-300.fc43.x86_64 initramfs-6.17.1-300.fc43.x86_64.img vmlinuz-0-rescue-ab initramfs-0-rescue-ab.img", "vmlinuz-6.17.1-300.fc43.x86_64", "initramfs-6.17.1-300.fc43.x86_64.img", ""},
		{"vmlinuz-2 vmlinuz-1 initrd.img-1", "vmlinuz-1", "initrd.img-1", ""},
		{"vmlinuz-1", "", "", "no initial RAM disk"},
		{"config-1", "", "", "no kernel in /boot"},
		{"vmlinuz-1;reboot initrd.img-1;reboot", "", "", "no kernel in /boot"},
		{"", "", "", "no kernel in /boot"},
	} {
		root := fstest.MapFS{}
		for name := range strings.FieldsSeq(c.files) {
			root["boot/"+name] = &fstest.MapFile{}
		}
		kernel, initrd, err := findKernel(root)
		if kernel != c.kernel || initrd != c.initrd || (err == nil) != (c.text == "") || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q: got %q, %q, %v", c.files, kernel, initrd, err)
		}
	}
}

// TestSystem: files of the system are replaced, and a link in it never leads to
// a file of this machine.
func TestSystem(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	must(t, os.WriteFile(outside, []byte("mine"), 0o644))
	dir := t.TempDir()
	for name, text := range map[string]string{
		"boot/vmlinuz-1": "", "boot/initrd.img-1": "", "sbin/init": "", ".dockerenv": "", "etc/machine-id": "0123", "etc/resolv.conf": "nameserver host",
		"lib/systemd/systemd-resolved": "", "etc/fstab": "old",
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	must(t, os.Symlink(outside, filepath.Join(dir, "etc/hostname")))
	b := &builder{root: dir, Options: Options{Cmdline: "quiet", Hostname: "tiny", UserData: "#cloud-config\n"}, id: idsOf("v")}
	must(t, b.system(t.Context()))
	for name, want := range map[string]string{
		"etc/hostname": "tiny\n", "etc/machine-id": "", "etc/fstab": "UUID=" + b.id.root + " / ext4 errors=remount-ro 0 1\n",
		"etc/cloud/cloud.cfg.d/90-image.cfg": "#cloud-config\n",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
	if got, _ := os.ReadFile(outside); string(got) != "mine" {
		t.Errorf("a file outside was changed: %q", got)
	}
	config, err := os.ReadFile(filepath.Join(dir, "boot/grub/grub.cfg"))
	if want := "linux /boot/vmlinuz-1 root=UUID=" + b.id.root + " rw quiet\n"; err != nil || !strings.Contains(string(config), want) {
		t.Errorf("grub.cfg: %q, %v", config, err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "etc/resolv.conf")); target != "/run/systemd/resolve/stub-resolv.conf" {
		t.Errorf("resolv.conf: got %q, %v", target, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, ".dockerenv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the engine's mark stays: %v", err)
	}

	// A folder that is a link out of the system is refused.
	must(t, os.RemoveAll(filepath.Join(dir, "etc")))
	must(t, os.Symlink(filepath.Dir(outside), filepath.Join(dir, "etc")))
	if err := b.system(t.Context()); !errors.Is(err, fault.Ours) {
		t.Errorf("a link out of the system: got %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "sbin/init")))
	if err := b.system(t.Context()); err == nil || !strings.Contains(err.Error(), "no init") {
		t.Errorf("no init: got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Options
		text string
	}{
		{Options{Size: 1 << 20}, "a disk cannot have 1048576 bytes"},
		{Options{Size: 2<<30 + 1}, "a disk cannot have"},
		{Options{Size: 2 << 30, Cmdline: "quiet; reboot"}, "a character that GRUB would read"},
		{Options{Size: 2 << 30, Cmdline: "quiet\nreboot"}, "a character that GRUB would read"},
	} {
		_, err := Assembler{}.Assemble(t.Context(), tool.Tools{}, strings.NewReader(""), c.o)
		if !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), c.text) || fault.HintOf(err) == "" {
			t.Errorf("%+v: got %v", c.o, err)
		}
	}
	missing := tool.Tools{Path: func(string) (string, error) { return "", errors.New("no") }}
	if err := check(missing); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
		t.Errorf("no programs: got %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
