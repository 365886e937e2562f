// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// kvmDevice is where the kernel offers KVM.
const kvmDevice = "/dev/kvm"

// probePatience is how long the probe may take on a busy machine. TCG does it in
// one second on a slow one, so a KVM that needs several is worth nothing.
const probePatience = 5 * time.Second

// probeExit is QEMU's exit status when the probe has passed: isa-debug-exit makes
// 2*n+1 of the byte n that is written to its port.
const probeExit = 2*0x10 + 1

// probeSize is how large the disk of the probe is: a BIOS takes no disk for one
// that has not a whole cylinder.
const probeSize = 2 << 20

// probeSteps is what the probe does, in the order of the letters that it writes.
var probeSteps = []string{
	"its firmware", "reads of its disk", "a timer", "switches between real and protected mode", "protected mode", "long mode",
	"its page tables", "user mode", "interrupts", "accesses to devices",
}

//go:embed testdata/probe.hex
var probeHex string

// probeProgram is the beginning of the probe's disk. testdata/probe.asm says what
// it does.
func probeProgram() ([]byte, error) {
	return hex.DecodeString(strings.Join(strings.Fields(probeHex), ""))
}

// Prober finds out whether KVM works here.
type Prober struct {
	// Program is QEMU's, Device KVM's ("" is /dev/kvm), TempDir where the disk
	// of the probe may be written.
	Program, Device, TempDir string
	// Patience is how long the probe may take; 0 is five seconds.
	Patience time.Duration
}

// KVM starts a tiny machine that does what a boot does, for half a second: its
// firmware reads a disk, a processor changes its modes and its page tables,
// computes, takes interrupts and speaks to devices. The file /dev/kvm says
// little, and neither does a first instruction: a KVM inside of another virtual
// machine may emulate some modes so slowly that a boot never ends. GitHub gives
// no promise for that on its runners (actions/runner-images#183, #8882), and
// the module kvm_pvm, which needs no virtualization of the hardware, runs no
// other kernels than those made for it, and not SeaBIOS
// (virt-pvm/misc, pvm-get-started-with-kata.md; virt-pvm/linux#22).
//
// The error says why KVM cannot be used.
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
	if err := writeProbe(disk); err != nil {
		return fault.New(fault.Ours, "failed to write the probe for KVM: %w", err)
	}
	defer os.Remove(disk)
	var steps tail
	process, err := start(exec.Command(p.Program, probeArgs(KVM, "host", disk)...), &steps)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		return fault.New(fault.Ours, "KVM hangs: %s is there, but within %s a tiny machine did not get past %s", device, patience, reached(steps.lines())).
			WithHint("if this host is a virtual machine, nested virtualization must work on the machine below it")
	}
	if exit, ok := errors.AsType[*exec.ExitError](process.err); ok && exit.ExitCode() == probeExit {
		return nil
	}
	err = process.Err()
	if exit, ok := errors.AsType[*exec.ExitError](process.err); err == nil || ok && exit.ExitCode() == probeExit+2 {
		err = errors.New("a tiny machine failed at " + reached(steps.lines()))
	}
	return fault.New(fault.Ours, "KVM does not work: %w", err)
}

// probeArgs returns QEMU's arguments for the probe.
func probeArgs(accel, cpu, disk string) []string {
	return []string{
		"-no-user-config", "-nodefaults", "-machine", "q35,graphics=off", "-accel", accel, "-cpu", cpu, "-smp", "2", "-m", "64M", "-display", "none",
		"-drive", "if=none,id=disk,format=raw,readonly=on,file=" + escape(disk), "-device", "virtio-blk-pci,drive=disk,bootindex=0",
		"-chardev", "stdio,id=steps", "-device", "isa-debugcon,chardev=steps,iobase=0xe9",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-no-reboot",
	}
}

func writeProbe(path string) error {
	program, err := probeProgram()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, program, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, probeSize)
}

// reached names the step behind those that are done.
func reached(done string) string { return probeSteps[min(len(done), len(probeSteps)-1)] }

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
