// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/guest"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// topology is what SPDK's tests run on, small: a switch with the three
// controllers of two subsystems.
const topology = `cpus: 1
memory: 1G
iommu: true
pcie-switch: true
nvme:
  - nqn: shared
    serial: SHARED
    controllers: 2
    namespaces:
      - {size: 64M}
      - {size: 128M, block-size: 4K}
  - namespaces:
      - {size: 1G}
`

// TestGuestProbe: the probe for KVM passes on what runs it right, here TCG in KVM's
// place, in less time than a KVM has.
func TestGuestProbe(t *testing.T) {
	program, dir := stallingKVM(t), t.TempDir()
	begin := time.Now()
	err := qemu.Prober{Program: program, Device: "/dev/null", TempDir: dir, Patience: time.Minute}.KVM(t.Context())
	if err != nil {
		t.Error(err)
	}
	t.Logf("the probe took %s under TCG", time.Since(begin).Round(10*time.Millisecond))
	err = qemu.Prober{Program: "qemu-system-x86_64", TempDir: dir}.KVM(t.Context())
	t.Logf("this machine's KVM: %v", err)
}

// stallingKVM returns a QEMU whose KVM passes the probe and then runs no guest: a
// machine that is started under KVM stands still.
func stallingKVM(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "qemu")
	must(t, os.WriteFile(program, []byte(`#!/bin/bash
args=("$@") stop=()
[[ " $* " == *isa-debug-exit* || " $* " != *" -accel kvm "* ]] || stop=(-S)
for i in "${!args[@]}"; do
  case ${args[i]} in
    kvm) args[i]=tcg ;;
    host) args[i]=max ;;
  esac
done
exec qemu-system-x86_64 "${args[@]}" "${stop[@]}"
`), 0o755))
	return program
}

// TestGuest boots real guests, two at a time. Under emulation one takes most of
// a minute.
func TestGuest(t *testing.T) {
	image, err := rig.GuestImage(t.Context(), "..")
	must(t, err)
	before, err := os.Stat(image)
	must(t, err)
	t.Run("runs", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, string){
			"commands": guestCommands, "status and files": guestStatus, "panic": guestPanic, "KVM that stalls": guestStalls,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, image)
			})
		}
	})
	after, err := os.Stat(image)
	must(t, err)
	if !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		t.Error("the image was changed")
	}
}

// startGuest boots the image on the topology.
func startGuest(t *testing.T, o guest.Options) *guest.Guest {
	t.Helper()
	m, err := machine.NewReader("topology.yml", []byte(topology)).Machine()
	must(t, err)
	o.Machine, o.Now = m, time.Now
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if o.Log == nil {
		o.Log = func(text string) { t.Log(text) }
	}
	g, err := guest.Start(t.Context(), o)
	if err != nil {
		if details, ok := errors.AsType[*guest.Error](err); ok {
			t.Log(strings.Join(details.Console, "\n"))
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, g.Close()) })
	return g
}

// guestCommands: commands pass, fail and hang; the devices are there; the disk
// fills; and the guest shuts down.
func guestCommands(t *testing.T, image string) {
	disk := filepath.Join(t.TempDir(), "disk.qcow2")
	if out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, disk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	g := startGuest(t, guest.Options{Image: disk, Writable: true})
	sh := func(script string) (int, string) {
		t.Helper()
		var out bytes.Buffer
		status, err := g.Run(t.Context(), guest.Command{Args: []string{"sh", "-c", script}, Timeout: 2 * time.Minute, Stdout: &out, Stderr: &out})
		must(t, err)
		return status, out.String()
	}
	if status, out := sh("id -un; cat /proc/sys/kernel/ostype"); status != 0 || out != "root\nLinux\n" {
		t.Errorf("got %d, %q", status, out)
	}
	if status, _ := sh("exit 9"); status != 9 {
		t.Errorf("got %d, want 9", status)
	}
	_, list := sh("nvme list | sort")
	for _, want := range []string{`SHARED .* 67\.11 +MB +/ +67\.11 +MB +512 `, `SHARED .* 134\.22 +MB / 134\.22 +MB +4 KiB`, `DISPATCHER1 .* 1\.07 +GB / +1\.07 +GB +512 `} {
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("%q is not among the namespaces:\n%s", want, list)
		}
	}
	if _, out := sh("nvme list-subsys | grep -c 'pcie.*live'; lspci | grep -c 'Switch\\|Downstream\\|Upstream'; ls /sys/class/iommu"); !strings.HasPrefix(out, "3\n4\n") || !strings.Contains(out, "dmar0") {
		t.Errorf("got other controllers, ports or IOMMUs: %s", out)
	}
	_, err := g.Run(t.Context(), guest.Command{Args: []string{"sleep", "1000"}, Timeout: 3 * time.Second, Stdout: io.Discard, Stderr: io.Discard})
	details, ok := errors.AsType[*guest.Error](err)
	if !errors.Is(err, guest.ErrTimeout) || !ok || len(details.Console) == 0 || !strings.Contains(details.Line, "qemu-system-x86_64 ") {
		t.Errorf("a command that hangs: got %v, %+v", err, details)
	}
	must(t, g.DiskFull(t.Context()))
	if status, out := sh("fallocate -l $(df --output=avail -B1 / | tail -n1) /fill"); status != 0 {
		t.Fatalf("got %d, %s", status, out)
	}
	if err := g.DiskFull(t.Context()); !errors.Is(err, remote.ErrDiskFull) {
		t.Errorf("a full disk: got %v", err)
	}
	must(t, g.PowerDown(t.Context()))
	info, err := qemu.Images{Program: "qemu-img"}.Inspect(t.Context(), disk)
	if err != nil || info.Format != "qcow2" {
		t.Errorf("the disk that was written: got %+v, %v", info, err)
	}
}

// guestStatus is the program as a workflow uses it.
func guestStatus(t *testing.T, image string) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "src/sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "src/autorun.sh"), []byte("#!/bin/sh\nmkdir -p ../output && echo \"$MODE\" >../output/log && readlink link >>../output/log\nexit 7\n"), 0o755))
	must(t, os.Symlink("sub", filepath.Join(dir, "src/link")))
	must(t, os.WriteFile(filepath.Join(dir, "machine.yml"), []byte("cpus: 1\nmemory: 1G\n"), 0o644))
	r, err := rig.Run(t.Context(), world.bin, append(os.Environ(), "MODE=it's quick"), nil, "guest", "run",
		"--image", image, "--machine", filepath.Join(dir, "machine.yml"), "--timeout", "2m", "--user", "tester",
		"--copy-in", filepath.Join(dir, "src"), "--copy-out", "../output:"+filepath.Join(dir, "out"), "--env", "MODE", "--", "./autorun.sh")
	must(t, err)
	if r.Code != 7 {
		t.Errorf("got %s", r)
	}
	if log := readFile(t, filepath.Join(dir, "out/log")); log != "it's quick\nsub\n" {
		t.Errorf("got the results %q\n%s", log, r)
	}
}

// guestPanic: a kernel that panics is told from a command that fails.
func guestPanic(t *testing.T, image string) {
	console := filepath.Join(t.TempDir(), "console.log")
	r, err := rig.Run(t.Context(), world.bin, os.Environ(), nil, "guest", "run", "--image", image, "--cpus", "1", "--memory", "1G",
		"--console", console, "--", "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 1000")
	must(t, err)
	if r.Code != 251 || !strings.Contains(r.Stderr, "the guest's kernel panicked") || !strings.Contains(r.Stderr, "  | [") ||
		!strings.Contains(r.Stderr, "Kernel panic - not syncing: sysrq triggered crash") {
		t.Errorf("got %s", r)
	}
	if text := readFile(t, console); !strings.Contains(text, "Linux version") || !strings.Contains(text, "Kernel panic") {
		t.Errorf("the console's log is not whole: %.300q", text)
	}
}

// guestStalls: a KVM that passes the probe and runs no guest is given up, and the
// guest comes up without.
func guestStalls(t *testing.T, image string) {
	var log []string
	g := startGuest(t, guest.Options{
		Image: image, QEMU: stallingKVM(t), KVMDevice: "/dev/null", ProbeTimeout: time.Minute, StallTimeout: 10 * time.Second,
		Log: func(text string) { log = append(log, text) },
	})
	if len(log) != 4 || log[0] != "using KVM" || !strings.HasPrefix(log[1], "KVM is given up: the guest stalls under KVM") || g.Accel() != qemu.TCG {
		t.Errorf("got %s, %q", g.Accel(), log)
	}
	if status, err := g.Run(t.Context(), guest.Command{Args: []string{"true"}, Stdout: io.Discard, Stderr: io.Discard}); status != 0 || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
}
