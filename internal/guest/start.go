// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qmp"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	"github.com/spdk-community-ci/dispatcher/internal/guest/seed"
)

// Tuning.
const (
	bootTimeout = 5 * time.Minute
	// tcgFactor is how much longer a guest may take to boot without KVM.
	tcgFactor = 3
	// portTries is how often another port is tried when somebody else is
	// quicker to take the one that the kernel chose.
	portTries = 5
	// monitorPatience is how long QEMU may take to open its monitor.
	monitorPatience = 30 * time.Second
	bootPoll        = 200 * time.Millisecond
)

// Start boots a guest and returns when commands can be run in it. The caller
// must Close it. Errors about the guest itself are of the type *Error.
//
// A guest that does not come up under a KVM that nobody asked for is started
// once more, without KVM and from fresh disks.
func Start(ctx context.Context, o Options) (*Guest, error) {
	o.Log = cmpLog(o.Log)
	o.User = cmp.Or(o.User, "root")
	if o.Findings == nil {
		o.Findings = new(Findings)
	}
	g := &Guest{o: o, fate: newFate()}
	err := g.start(ctx)
	if err == nil {
		return g, nil
	}
	again := g.withoutKVM(ctx, err)
	err = errors.Join(g.explain(err), g.Close())
	if !again {
		return nil, err
	}
	o.Log(fmt.Sprintf("KVM is given up: %v%s", err, lastWord(g.console)))
	o.Findings.distrust(fault.New(fault.Ours, "a guest did not come up under KVM"))
	g = &Guest{o: o, fate: newFate(), again: true}
	if err := g.start(ctx); err != nil {
		return nil, errors.Join(g.explain(err), g.Close())
	}
	return g, nil
}

// lastWord is what the console said last, for a line of the log.
func lastWord(c *console) string {
	if lines := c.tail(); len(lines) > 0 {
		return fmt.Sprintf(" (the console's last line: %s)", lines[len(lines)-1])
	}
	return " (nothing on the console)"
}

func cmpLog(log func(string)) func(string) {
	if log == nil {
		return func(string) {}
	}
	return log
}

func (g *Guest) start(ctx context.Context) (err error) {
	if g.command.Program, err = find(cmp.Or(g.o.QEMU, "qemu-system-x86_64")); err != nil {
		return err
	}
	images := qemu.Images{Program: cmp.Or(g.o.QEMUImg, "qemu-img")}
	if images.Program, err = find(images.Program); err != nil {
		return err
	}
	info, err := images.Inspect(ctx, g.o.Image)
	if err != nil {
		return err
	}
	if g.folder, err = newFolder(g.o.TempDir); err != nil {
		return err
	}
	if err := g.prepareDisks(ctx, images, info); err != nil {
		return err
	}
	if err := g.prepareSeed(); err != nil {
		return err
	}
	if err := g.chooseAccel(ctx); err != nil {
		return err
	}
	if err := g.openConsole(); err != nil {
		return err
	}
	if err := g.launch(ctx); err != nil {
		return err
	}
	go g.watch()
	if g.o.Accel == "" && g.command.Accel == qemu.KVM {
		up, cancel := context.WithCancel(ctx)
		defer cancel()
		go g.watchBoot(up)
	}
	return g.await(ctx)
}

func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fault.New(fault.Configuration, "failed to find %s: %w", program, err).
			WithHint("install QEMU (Debian: qemu-system-x86 and qemu-utils; Fedora: qemu-system-x86-core and qemu-img)")
	}
	return filepath.Abs(path)
}

// prepareDisks makes the overlay and the files behind the namespaces.
func (g *Guest) prepareDisks(ctx context.Context, images qemu.Images, info qemu.Info) error {
	image, err := filepath.Abs(g.o.Image)
	if err != nil {
		return fault.New(fault.Ours, "failed to find the image: %w", err)
	}
	c := &g.command
	c.Machine, c.Monitor = g.o.Machine, g.folder.file("monitor")
	c.Disk, c.Format = image, info.Format
	if !g.o.Writable {
		c.Disk, c.Format = g.folder.file("disk.qcow2"), "qcow2"
		if err := images.Overlay(ctx, image, info, c.Disk, g.o.DiskSize); err != nil {
			return err
		}
	}
	for i, s := range c.Machine.NVMe {
		for _, ns := range s.Namespaces {
			file := g.folder.file(fmt.Sprintf("nvme%d-%d.raw", i, ns.ID))
			if err := sparse(file, ns.FileSize()); err != nil {
				return fault.New(fault.Ours, "failed to make a namespace of %s: %w", ns.Size, err).
					WithHint("the file system of %s may not take a file of that size; set TMPDIR to another one", g.folder.path)
			}
			c.Namespaces = append(c.Namespaces, file)
		}
	}
	return nil
}

// sparse makes a file that takes no space until it is written to.
func sparse(path string, size machine.Size) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(size)), f.Close())
}

func (g *Guest) prepareSeed() (err error) {
	if g.keys, err = remote.NewKeys(); err != nil {
		return err
	}
	s := seed.Seed{
		// The name of the folder is another one in each run.
		Instance: filepath.Base(g.folder.path), Hostname: "guest", User: g.o.User,
		AuthorizedKey: g.keys.AuthorizedKey, HostKey: g.keys.HostKey, HostPublicKey: g.keys.HostPublicKey,
	}
	g.command.Seed = g.folder.file("seed.iso")
	f, err := os.OpenFile(g.command.Seed, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.New(fault.Ours, "failed to write the guest's seed: %w", err)
	}
	return errors.Join(s.WriteImage(f), fault.Wrap(fault.Ours, f.Close()))
}

func (g *Guest) openConsole() error {
	if g.o.Console == "" {
		g.console = newConsole(nil)
		return nil
	}
	mode := os.O_TRUNC
	if g.again {
		mode = os.O_APPEND
	}
	f, err := os.OpenFile(g.o.Console, os.O_CREATE|os.O_WRONLY|mode, 0o666)
	if err != nil {
		return fault.New(fault.Configuration, "failed to write the console's log: %w", err).WithHint("name another file")
	}
	g.consoleFile, g.console = f, newConsole(f)
	return nil
}

// launch starts QEMU, again with another port if somebody else took it.
func (g *Guest) launch(ctx context.Context) error {
	var err error
	for range portTries {
		if g.command.Port, err = freePort(); err != nil {
			return err
		}
		if g.process, err = qemu.Start(g.command, g.console); err != nil {
			return err
		}
		if g.monitor, err = g.connect(ctx); err == nil {
			return nil
		}
		g.process.Kill()
		if !errors.Is(err, qemu.ErrPortTaken) {
			return err
		}
		g.o.Log(fmt.Sprintf("port %d was taken meanwhile, trying another one", g.command.Port))
	}
	return err
}

// freePort lets the kernel choose. Another program may take the port before
// QEMU does, so the caller must be ready to try again.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fault.New(fault.Ours, "failed to find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// connect opens QEMU's monitor as soon as it is there.
func (g *Guest) connect(ctx context.Context) (*qmp.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, monitorPatience)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", g.command.Monitor)
		if err == nil {
			var monitor *qmp.Client
			if monitor, err = qmp.Open(ctx, conn, g.fate.event); err == nil {
				return monitor, nil
			}
			// QEMU opens its monitor before it looks at its devices.
			g.o.Sleep(ctx, 100*time.Millisecond)
		}
		select {
		case <-g.process.Done():
			return nil, cmp.Or(g.process.Err(), err)
		default:
		}
		if err := g.o.Sleep(ctx, 5*time.Millisecond); err != nil {
			return nil, fault.New(fault.Ours, "QEMU did not open its monitor: %w", err)
		}
	}
}
