// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/guest/seed"
)

// guestBoot is how long it takes from the start of the program to the end of
// the first command in a guest, and the same by hand.
type guestBoot struct{ byHand, ours sample }

// TestGuestBoot measures that part alone.
func TestGuestBoot(t *testing.T) {
	bin, err := rig.Build(t.Context(), t.TempDir())
	must(t, err)
	var b strings.Builder
	measureGuest(t, bin, *rounds).row(&b)
	t.Log("\n" + b.String())
}

func (g guestBoot) row(b *strings.Builder) {
	fmt.Fprintf(b, "| from start to the end of the first command in a guest, without KVM; by hand: %s | %s, ratio %.2f | at most 1.1 times |\n",
		g.byHand, g.ours, ratio(g.ours.median(), g.byHand.median()))
}

// measureGuest boots the test guest in both ways, in turns: under emulation the
// machine's mood matters more than the difference.
func measureGuest(t *testing.T, bin string, times int) guestBoot {
	t.Helper()
	image, err := rig.GuestImage(t.Context(), "..")
	must(t, err)
	var g guestBoot
	for range times {
		g.byHand = append(g.byHand, repeat(t, 1, func() error { return bootByHand(t, image) })...)
		g.ours = append(g.ours, repeat(t, 1, func() error {
			r, err := rig.Run(t.Context(), bin, os.Environ(), nil, "guest", "run", "--image", image, "--accel", "tcg", "--", "true")
			if err == nil && r.Code != 0 {
				err = errors.New(r.String())
			}
			return err
		})...)
	}
	return g
}

// bootByHand is what somebody writes into a shell: an overlay, one line of QEMU,
// and ssh until it answers.
func bootByHand(t *testing.T, image string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := makeSeed(ctx, dir); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, in("disk")).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	vm := exec.CommandContext(ctx, "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2G", "-nographic",
		"-drive", "if=virtio,cache=unsafe,format=qcow2,file="+in("disk"), "-drive", "if=virtio,readonly=on,format=raw,file="+in("seed"),
		"-nic", "user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:"+port+"-:22", "-device", "virtio-rng-pci")
	vm.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := vm.Start(); err != nil {
		return err
	}
	defer vm.Wait()
	defer vm.Process.Kill()
	for {
		ssh := exec.CommandContext(ctx, "ssh", "-i", in("key"), "-p", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
			"-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "root@127.0.0.1", "true")
		if ssh.Run() == nil {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// makeSeed writes two keys and the disk that hands them to the guest.
func makeSeed(ctx context.Context, dir string) error {
	s := seed.Seed{Instance: filepath.Base(dir), Hostname: "guest", User: "root"}
	for name, into := range map[string][2]*string{"key": {nil, &s.AuthorizedKey}, "host": {&s.HostKey, &s.HostPublicKey}} {
		path := filepath.Join(dir, name)
		if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		for i, suffix := range []string{"", ".pub"} {
			text, err := os.ReadFile(path + suffix)
			if err != nil {
				return err
			}
			if into[i] != nil {
				*into[i] = string(text)
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, "seed"))
	if err != nil {
		return err
	}
	return errors.Join(s.WriteImage(f), f.Close())
}
