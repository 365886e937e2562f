// SPDX-License-Identifier: BSD-3-Clause

// Package guest boots a disk image under QEMU, runs commands in it, copies files
// to and from it, and ends it, whatever happens.
//
// The image stays as it is: the guest writes to an overlay that is thrown away
// (unless Options.Writable says otherwise). Every run has keys, a port and a
// private folder of its own, so that many fit on one host. The image must have
// cloud-init and an SSH server.
//
// The package decides nothing about what a test's result means, fetches no
// images and builds none.
package guest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// What becomes of a guest, besides what its commands do. All are fault.Guest.
var (
	// ErrNotUp: the guest did not answer in time after its start.
	ErrNotUp = errors.New("the guest did not come up")
	// ErrPanic: its kernel panicked.
	ErrPanic = errors.New("the guest's kernel panicked")
	// ErrEnded: it switched itself off, restarted, or QEMU ended.
	ErrEnded = errors.New("the guest ended by itself")
	// ErrTimeout: a command did not end in time.
	ErrTimeout = errors.New("the command did not end in time")
)

// ErrHostDiskFull: QEMU stopped the guest since the host has no space left. It
// is a fault.Ours.
var ErrHostDiskFull = errors.New("the host's disk is full")

// Options say which guest to start. Image, Machine, Now and Sleep must be set.
type Options struct {
	// Image is a bootable disk, qcow2 or raw, which is not changed.
	Image string
	// Writable lets the guest write to Image itself; end it with PowerDown then.
	Writable bool
	// DiskSize enlarges the guest's disk; 0 leaves it as large as the image.
	DiskSize machine.Size
	// Machine is the description, filled in by machine.Reader.
	Machine machine.Machine
	// Accel is qemu.KVM, qemu.TCG, or "" for KVM where it works.
	Accel string
	// User is the account that commands run as; "" is root.
	User string
	// BootTimeout is how long the guest may take until its SSH server lets us
	// in; 0 is five minutes, and three times as long without KVM.
	BootTimeout time.Duration
	// Console, if set, is a file that gets everything from the serial console.
	Console string
	// TempDir is where the run's private folder is made; "" is the system's.
	TempDir string
	// Keep leaves that folder, with the overlay, for a person to look at.
	Keep bool
	// QEMU and QEMUImg are the programs; "" is the usual name of each.
	QEMU, QEMUImg string
	// KVMDevice is where the kernel offers KVM; "" is /dev/kvm.
	KVMDevice string
	// ProbeTimeout is how long KVM may take to prove that it works; 0 is five
	// seconds.
	ProbeTimeout time.Duration
	// StallTimeout is how long a guest may give no sign of life while it boots
	// under a KVM that was not asked for, before it is started again without; 0 is
	// a minute.
	StallTimeout time.Duration
	// Findings, if not nil, are shared by the guests of a process.
	Findings *Findings
	// Log, if not nil, is told in one line each what is going on.
	Log   func(text string)
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Error is what went wrong with a guest, with what helps to find out why.
type Error struct {
	// Err is a classified error of this package or of guest/remote.
	Err error
	// Console are the last lines that the guest printed, fit for a log.
	Console []string
	// Line is QEMU's command line for a shell.
	Line string
}

// Error returns what went wrong, without the console.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the classified error.
func (e *Error) Unwrap() error { return e.Err }

// Command is a program to run in the guest.
type Command struct {
	// Args are the program and its arguments; no shell looks at them.
	Args []string
	// Dir is where it runs; "" is the home folder of the account.
	Dir string
	// Env are variables as NAME=VALUE. They stand in no command line.
	Env []string
	// Timeout is how long it may run; 0 is for ever.
	Timeout time.Duration
	// Stdout and Stderr get the output as it comes.
	Stdout, Stderr io.Writer
}

// Limits are what may come out of a guest.
type Limits = remote.Limits
