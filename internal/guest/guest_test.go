// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package guest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

func TestMain(m *testing.M) {
	standin.Play()
	os.Exit(m.Run())
}

// bed is a place to start guests in, with programs that play QEMU.
type bed struct {
	*testing.T
	dir string
	o   Options

	mu  sync.Mutex
	log []string
}

func newBed(t *testing.T, behaviour ...string) *bed {
	t.Helper()
	// Not t.TempDir: its path may be too long for a socket.
	dir, err := os.MkdirTemp("", "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &bed{T: t, dir: dir}
	program, img, err := standin.Programs(dir, behaviour...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := machine.NewReader("", nil).Machine()
	if err != nil {
		t.Fatal(err)
	}
	b.o = Options{
		Image: b.write("base.qcow2", "QFI\xfb the base"), Machine: m, QEMU: program, QEMUImg: img, TempDir: dir, KVMDevice: "/dev/null",
		BootTimeout: 30 * time.Second, Now: time.Now, Sleep: sleep,
		Log: func(text string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.log = append(b.log, text)
		},
	}
	return b
}

// sleep is the real one, but never long.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(min(d, 10*time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bed) write(name, text string) string {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

func (b *bed) read(name string) string {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

// start boots a guest and checks in the end that nothing is left of it.
func (b *bed) start() *Guest {
	b.Helper()
	g, err := Start(b.Context(), b.o)
	if err != nil {
		b.Fatalf("failed to start: %v (%s)", err, fault.HintOf(err))
	}
	pid := g.process.PID()
	b.Cleanup(func() {
		if err := g.Close(); err != nil {
			b.Error(err)
		}
		b.isGone(pid)
	})
	return g
}

func (b *bed) isGone(pid int) {
	b.Helper()
	if err := syscall.Kill(-pid, 0); !errors.Is(err, syscall.ESRCH) {
		b.Errorf("the process group is still there: %v", err)
	}
	if left := b.folders(); len(left) > 0 {
		b.Errorf("left behind: %q", left)
	}
}

func (b *bed) folders() []string {
	left, _ := filepath.Glob(filepath.Join(b.dir, folderPrefix+"*"))
	return left
}

func (b *bed) sh(g *Guest, script string) (status int, stdout, stderr string, err error) {
	var out, errOut bytes.Buffer
	status, err = g.Run(b.Context(), Command{Args: []string{"sh", "-c", script}, Stdout: &out, Stderr: &errOut})
	return status, out.String(), errOut.String(), err
}

// TestRun: a command's output and exit status are what it gave.
func TestRun(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	for _, c := range []struct {
		script         string
		status         int
		stdout, stderr string
	}{
		{"echo out; echo err >&2", 0, "out\n", "err\n"},
		{"exit 3", 3, "", ""},
		{"exit 255", 255, "", ""},
		{"kill -SEGV $$", 128 + 11, "", "Segmentation fault\n"},
		{"kill -KILL $$", 128 + 9, "", "Killed\n"},
		{"read x; echo \"got $x\"", 0, "got \n", ""},
		{"printf '%s' \"it's $(echo ok) \\\\ end\"", 0, `it's ok \ end`, ""},
	} {
		status, stdout, stderr, err := b.sh(g, c.script)
		if err != nil || status != c.status || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%s: got %d %q %q %v, want %d %q %q", c.script, status, stdout, stderr, err, c.status, c.stdout, c.stderr)
		}
	}
	status, err := g.Run(t.Context(), Command{Args: []string{"no-such-program"}, Stdout: io.Discard, Stderr: io.Discard})
	if status != 127 || err != nil {
		t.Errorf("a program that is not there: got %d, %v", status, err)
	}
}

// TestEnvironment: variables arrive as they are, and in no command line.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	var out bytes.Buffer
	const secret = "it's $(a) \"secret\"\nof two lines"
	status, err := g.Run(t.Context(), Command{
		Args: []string{"sh", "-c", `printf '%s|%s' "$TOKEN" "$EMPTY"; pwd`}, Dir: "/tmp",
		Env: []string{"TOKEN=" + secret, "EMPTY="}, Stdout: &out, Stderr: io.Discard,
	})
	if status != 0 || err != nil || out.String() != secret+"|/tmp\n" {
		t.Errorf("got %d, %v, %q", status, err, out.String())
	}
	if commands := b.read("commands"); strings.Contains(commands, "secret") {
		t.Errorf("a command line holds the secret: %s", commands)
	}
	if status, err = g.Run(t.Context(), Command{Args: []string{"true"}, Dir: "/no/such/folder", Stdout: io.Discard, Stderr: io.Discard}); status != 0 || !errors.Is(err, fault.Configuration) {
		t.Errorf("a folder that is not there: got %d, %v", status, err)
	}
}

// TestStatusIsTheCommands: no status of a command is taken for anything of ours,
// and what it leaves behind does not keep it from ending.
func TestStatusIsTheCommands(t *testing.T) {
	t.Parallel()
	g := newBed(t).start()
	for script, want := range map[string]int{
		"exit 125": 125, "exit 126": 126, "exit 137": 137, "exit 251": 251, "exit 255": 255, "kill -ABRT $$": 134, "kill -SEGV $$": 139, "kill -KILL $$": 137,
		"(exec sleep 60) & echo begun; exit 0": 0, "(exec sleep 60) & echo begun; exit 3": 3,
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			status, err := g.Run(t.Context(), Command{Args: []string{"sh", "-c", script}, Dir: "/tmp", Timeout: 30 * time.Second, Stdout: &out, Stderr: io.Discard})
			if status != want || err != nil || strings.Contains(script, "begun") != (out.String() == "begun\n") {
				t.Errorf("got %d, %v, %q", status, err, out.String())
			}
		})
	}
}

// TestTimeout: a command that hangs is given up, and the guest can still be used.
func TestTimeout(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	var out bytes.Buffer
	_, err := g.Run(t.Context(), Command{Args: []string{"sh", "-c", "echo begun; exec sleep 20"}, Timeout: 300 * time.Millisecond, Stdout: &out, Stderr: io.Discard})
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, fault.Guest) || out.String() != "begun\n" {
		t.Fatalf("got %v, %q", err, out.String())
	}
	details, ok := errors.AsType[*Error](err)
	if !ok || !slices.Contains(details.Console, "[    0.000000] Linux version 6.1 (stand-in)") || !strings.Contains(details.Line, " -machine ") {
		t.Errorf("got %+v", details)
	}
	if slices.Contains(details.Console, "::error::a hostile line") {
		t.Error("the console could give the runner a command")
	}
	if status, _, _, err := b.sh(g, "exit 4"); status != 4 || err != nil {
		t.Errorf("afterwards: got %d, %v", status, err)
	}
}

// TestInterrupt: when the run is cancelled, everything ends.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	go func() {
		io.ReadFull(r, make([]byte, 6))
		cancel()
	}()
	_, err := g.Run(ctx, Command{Args: []string{"sh", "-c", "echo begun; exec sleep 20"}, Stdout: w, Stderr: io.Discard})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Start(ctx, b.o); !errors.Is(err, context.Canceled) {
		t.Errorf("a start that is cancelled: got %v", err)
	}
}

// TestEnds: what happens to the machine is told as what it is.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal string
		is     error
		kind   error
		text   string
	}{
		"panic":     {"USR1", ErrPanic, fault.Guest, "the guest's kernel panicked"},
		"reset":     {"USR2", ErrEnded, fault.Guest, "the guest ended by itself: it restarted"},
		"disk full": {"HUP", ErrHostDiskFull, fault.Ours, "the host's disk is full"},
		"killed":    {"KILL", nil, fault.Ours, "QEMU ended: signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			g := b.start()
			_, _, _, err := b.sh(g, "kill -"+c.signal+" $QEMU_PID; exec sleep 20")
			if c.is != nil && !errors.Is(err, c.is) || !errors.Is(err, c.kind) || !strings.HasPrefix(err.Error(), c.text) {
				t.Errorf("got %v (%v), want %s", err, fault.KindOf(err), c.text)
			}
			if !g.Ended() {
				t.Error("it does not say that the guest has ended")
			}
			if _, _, _, err := b.sh(g, "true"); err == nil {
				t.Error("a command ran after the end")
			}
		})
	}
}

// TestDoesNotCome: a guest that cannot be used is told for what it is.
func TestDoesNotCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour  string
		is         error
		kind       fault.Kind
		text, hint string
	}{
		"silent":       {standin.Silent, ErrNotUp, fault.Guest, "the guest did not come up within 1s", "cloud-init, an SSH server and DHCP"},
		"stranger":     {standin.Stranger, remote.ErrHostKey, fault.Guest, "the guest did not come up within 1s: the SSH server does not have the key", "must have cloud-init"},
		"locked":       {standin.Locked, remote.ErrLogin, fault.Guest, "the guest did not come up within 1s: the guest's SSH server does not accept", "must have cloud-init"},
		"panics":       {standin.Panics, ErrPanic, fault.Guest, "the guest's kernel panicked", ""},
		"unbootable":   {standin.Unbootable, ErrNotUp, fault.Guest, "the guest did not come up: the firmware found nothing to boot on the disk", ""},
		"broken":       {standin.Broken, nil, fault.Ours, "QEMU ended with exit status 1: qemu-system-x86_64: -device edu: Property 'edu.x' not found", ""},
		"bad image":    {standin.BadImage, nil, fault.Configuration, "", "a download may have ended early"},
		"truncated":    {standin.Truncated, nil, fault.Configuration, "", "a download may have ended early"},
		"other format": {standin.Foreign, nil, fault.Configuration, "", "qemu-img convert"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, c.behaviour)
			b.o.BootTimeout = time.Second
			_, err := Start(t.Context(), b.o)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !errors.Is(err, c.kind) || !strings.HasPrefix(err.Error(), c.text) || len(err.Error()) > 1500 {
				t.Fatalf("got %v (%v), want %s", err, fault.KindOf(err), c.text)
			}
			if got := fault.HintOf(err); !strings.Contains(got, c.hint) {
				t.Errorf("got the hint %q, want %q", got, c.hint)
			}
			if left := b.folders(); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestSettings: what a person must change is told before anything is started.
func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change     func(*bed)
		text, hint string
	}{
		"no QEMU":     {func(b *bed) { b.o.QEMU = "/no/qemu" }, "failed to find /no/qemu", "install QEMU"},
		"no qemu-img": {func(b *bed) { b.o.QEMUImg = "no-qemu-img" }, "failed to find no-qemu-img", "install QEMU"},
		"no image":    {func(b *bed) { b.o.Image = "/no/image" }, "failed to find the image", "qcow2"},
		"empty image": {func(b *bed) { b.o.Image = b.write("empty", "") }, "is no disk image", "qcow2"},
		"a folder":    {func(b *bed) { b.o.Image = b.dir }, "is no disk image", "qcow2"},
		"small disk":  {func(b *bed) { b.o.DiskSize = machine.MiB }, "a disk of 1M is smaller than the image, which has 1G", "at least 1G"},
		"long path":   {func(b *bed) { b.o.TempDir = filepath.Dir(b.write(strings.Repeat("x", 90)+"/y", "")) }, "too long for sockets", "TMPDIR"},
		"console":     {func(b *bed) { b.o.Console = "/no/folder/console" }, "failed to write the console's log", "another file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			c.change(b)
			_, err := Start(t.Context(), b.o)
			if !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
				t.Errorf("got %v (%v, %q), want %s", err, fault.KindOf(err), fault.HintOf(err), c.text)
			}
		})
	}
}

// TestAccel: KVM is used where it truly works, and the reason is told where not.
func TestAccel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behaviour, accel, device string
		want, log                string
	}{
		"works":     {standin.KVMWorks, "", "/dev/null", qemu.KVM, "using KVM"},
		"fails":     {"", "", "/dev/null", qemu.TCG, "using TCG, which is slow: KVM does not work: QEMU ended with exit status 1: qemu-system-x86_64: failed to initialize kvm"},
		"hangs":     {standin.KVMHangs, "", "/dev/null", qemu.TCG, "using TCG, which is slow: KVM hangs"},
		"no device": {standin.KVMWorks, "", "/no/kvm", qemu.TCG, "using TCG, which is slow: there is no /no/kvm"},
		"asked":     {standin.KVMWorks, qemu.TCG, "/dev/null", qemu.TCG, "using TCG, as asked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, c.behaviour)
			b.o.Accel, b.o.KVMDevice, b.o.ProbeTimeout = c.accel, c.device, 500*time.Millisecond
			if name == "works" {
				b.o.ProbeTimeout = 0
			}
			g := b.start()
			if g.Accel() != c.want || len(b.log) == 0 || !strings.HasPrefix(b.log[0], c.log) {
				t.Errorf("got %s, %q", g.Accel(), b.log)
			}
		})
	}
	b := newBed(t)
	b.o.Accel = qemu.KVM
	if _, err := Start(t.Context(), b.o); !errors.Is(err, fault.Ours) || !strings.HasPrefix(err.Error(), "KVM does not work") {
		t.Errorf("KVM that was asked for: got %v", err)
	}
}
