// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package guest

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

// newKVMBed is a bed whose KVM passes the probe, with little patience.
func newKVMBed(t *testing.T, behaviour ...string) *bed {
	t.Helper()
	b := newBed(t, behaviour...)
	b.o.StallTimeout, b.o.BootTimeout = 300*time.Millisecond, 3*time.Second
	return b
}

// accels are the accelerators that QEMU was started with, probes as such.
func (b *bed) accels() (list []string) {
	b.Helper()
	for line := range strings.Lines(b.read("starts")) {
		accel := regexp.MustCompile(`-accel (\w+)`).FindStringSubmatch(line)[1]
		if strings.Contains(line, "isa-debug-exit") {
			accel = "probe"
		}
		list = append(list, accel)
	}
	return list
}

// TestKVMGivenUp: a guest that does not come up under KVM is started once more
// without, with a line that says so, whatever KVM did to it.
func TestKVMGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour []string
		edit      func(*Options)
		log       string
	}{
		"stalls": {[]string{standin.KVMStalls}, nil, "KVM is given up: the guest stalls under KVM: it printed nothing and hardly read its disk for 300ms (the console's last line: Welcome to GRUB!)"},
		"is too slow": {[]string{standin.KVMStalls, standin.Reads}, func(o *Options) { o.BootTimeout = time.Second },
			"KVM is given up: the guest did not come up within 1s"},
		"QEMU ends": {[]string{standin.KVMDies}, nil, "KVM is given up: QEMU ended with exit status 1: qemu-system-x86_64: ../../target/i386/kvm/kvm.c:3183: kvm_buf_set_msrs: Assertion `ret == cpu->kvm_msr_buf->nmsrs' failed. (nothing on the console)"},
		"untouched": {[]string{standin.KVMStalls}, func(o *Options) { o.Writable = true }, "KVM is given up: the guest stalls under KVM: it printed nothing and hardly read its disk for 300ms (the console's last line: Welcome to GRUB!)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newKVMBed(t, c.behaviour...)
			b.o.Console = filepath.Join(b.dir, "console")
			if c.edit != nil {
				c.edit(&b.o)
			}
			g := b.start()
			if g.Accel() != qemu.TCG {
				t.Errorf("got %s", g.Accel())
			}
			want := []string{"using KVM", c.log, "using TCG, which is slow: a guest did not come up under KVM"}
			if len(b.log) != 4 || !slices.EqualFunc(b.log[:3], want, strings.HasPrefix) {
				t.Errorf("got the log %q, want %q", b.log, want)
			}
			if got := b.accels(); !slices.Equal(got, []string{"probe", "kvm", "tcg"}) {
				t.Errorf("QEMU was started with %q", got)
			}
			console := b.read("console")
			if got := strings.Count(console, "SeaBIOS"); got != 2 && name != "QEMU ends" {
				t.Errorf("the console's file has %d boots:\n%s", got, console)
			}
			disks := regexp.MustCompile(`id=disk,[^ ]*file=(\S+)`).FindAllStringSubmatch(b.read("starts"), -1)
			if len(disks) != 3 || disks[1][1] == disks[2][1] != b.o.Writable {
				t.Errorf("the disks are %q", disks)
			}
		})
	}
}

// TestKVMIsKept: what KVM is not to blame for, or what a person asked for, is
// what it always was, and no guest gets a disk on which another one wrote.
func TestKVMIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour []string
		edit      func(*Options)
		is        error
		text      string
	}{
		"asked":       {[]string{standin.KVMStalls}, func(o *Options) { o.Accel = qemu.KVM }, ErrNotUp, "the guest did not come up within 1s"},
		"locked":      {[]string{standin.KVMWorks, standin.Locked}, nil, remote.ErrLogin, "the guest did not come up within 1s"},
		"stranger":    {[]string{standin.KVMWorks, standin.Stranger}, nil, remote.ErrHostKey, "the guest did not come up within 1s"},
		"prompt":      {[]string{standin.KVMWorks, standin.Prompt}, nil, ErrNotUp, "the guest did not come up within 1s"},
		"panics":      {[]string{standin.KVMWorks, standin.Panics}, nil, ErrPanic, "the guest's kernel panicked"},
		"unbootable":  {[]string{standin.KVMWorks, standin.Unbootable}, nil, ErrNotUp, "the guest did not come up: the firmware found nothing"},
		"broken":      {[]string{standin.KVMWorks, standin.Broken}, nil, nil, "QEMU ended with exit status 1"},
		"has written": {[]string{standin.KVMStalls, standin.Writes}, func(o *Options) { o.Writable = true }, errStalled, "the guest stalls under KVM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newKVMBed(t, c.behaviour...)
			b.o.BootTimeout = time.Second
			if c.edit != nil {
				c.edit(&b.o)
			}
			_, err := Start(t.Context(), b.o)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.HasPrefix(err.Error(), c.text) {
				t.Errorf("got %v, want %s", err, c.text)
			}
			if got := b.accels(); !slices.Equal(got, []string{"probe", "kvm"}) {
				t.Errorf("QEMU was started with %q", got)
			}
			if left := b.folders(); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestFindings: the guests of a process look at KVM once, and lose time with one
// that does not work once.
func TestFindings(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[string]string{
		standin.KVMWorks:  "[probe kvm kvm]",
		standin.KVMStalls: "[probe kvm tcg tcg]",
		standin.Deaf:      "[probe tcg tcg]",
	} {
		t.Run(behaviour, func(t *testing.T) {
			t.Parallel()
			b := newKVMBed(t, behaviour)
			b.o.Findings = new(Findings)
			for range 2 {
				g, err := Start(t.Context(), b.o)
				if err != nil {
					t.Fatal(err)
				}
				if err := g.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if got := fmt.Sprint(b.accels()); got != want {
				t.Errorf("QEMU was started with %s, want %s", got, want)
			}
		})
	}
}
