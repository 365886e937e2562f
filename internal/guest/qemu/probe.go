// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// kvmDevice is where the kernel offers KVM.
const kvmDevice = "/dev/kvm"

// probePatience is how long the firmware may take to start the probe. It takes
// a tenth of a second; a KVM that needs seconds is slower than emulation (seen: a
// machine in a machine whose probe took four, and whose guest never came up).
const probePatience = 3 * time.Second

// probeExit is QEMU's exit status when the probe ran: isa-debug-exit makes
// 2*n+1 of the byte n that is written to its port.
const probeExit = 2*0x10 + 1

// bootSector is a whole disk whose program reports that it runs.
func bootSector() []byte {
	sector := make([]byte, 512)
	copy(sector, []byte{
		0xba, 0xf4, 0x00, // mov dx, 0xf4
		0xb0, 0x10, //       mov al, 0x10
		0xee,       //       out dx, al
		0xf4,       // stop: hlt
		0xeb, 0xfd, //       jmp stop
	})
	sector[510], sector[511] = 0x55, 0xaa
	return sector
}

// Prober finds out whether KVM works here.
type Prober struct {
	// Program is QEMU's, Device KVM's ("" is /dev/kvm), TempDir where the disk
	// of the probe may be written.
	Program, Device, TempDir string
	// Patience is how long the probe may take; 0 is three seconds.
	Patience time.Duration
}

// KVM starts a tiny machine: its firmware and one disk sector. The file
// /dev/kvm says little, since a KVM inside of another virtual machine may be
// there and hang. The error says why KVM cannot be used.
func (p Prober) KVM(ctx context.Context) error {
	device, patience := p.Device, p.Patience
	if device == "" {
		device = kvmDevice
	}
	if patience == 0 {
		patience = probePatience
	}
	if err := usable(device); err != nil {
		return err
	}
	disk := filepath.Join(p.TempDir, "probe.img")
	if err := os.WriteFile(disk, bootSector(), 0o600); err != nil {
		return fault.New(fault.Ours, "failed to write the probe for KVM: %w", err)
	}
	defer os.Remove(disk)
	process, err := start(exec.Command(p.Program, "-no-user-config", "-nodefaults",
		"-machine", "q35", "-accel", KVM, "-cpu", "host", "-smp", "2", "-m", "64M", "-display", "none",
		"-drive", "if=floppy,format=raw,readonly=on,file="+escape(disk), "-boot", "a",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-no-reboot"), io.Discard)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		return fault.New(fault.Ours, "KVM hangs: %s is there, but a tiny machine did not start within %s", device, patience).
			WithHint("if this host is a virtual machine, nested virtualization must work on the machine below it")
	}
	if exit, ok := errors.AsType[*exec.ExitError](process.err); ok && exit.ExitCode() == probeExit {
		return nil
	}
	err = process.Err()
	if err == nil {
		err = errors.New("QEMU ended without running it")
	}
	return fault.New(fault.Ours, "KVM does not work: %w", err)
}

// usable looks at the device file alone.
func usable(device string) error {
	f, err := os.OpenFile(device, os.O_RDWR|syscall.O_NONBLOCK, 0)
	switch {
	case err == nil:
		f.Close()
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Ours, "there is no %s", device).
			WithHint("load the module kvm_intel or kvm_amd; in a container, pass --device /dev/kvm; in a virtual machine, switch nested virtualization on")
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Ours, "no right to open %s", device).WithHint("add the account to the group kvm")
	}
	return fault.New(fault.Ours, "failed to open %s: %w", device, err)
}
