// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package guest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qmp"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// Guest is a machine that runs. It ends with this process, at the latest.
type Guest struct {
	o       Options
	folder  *folder
	command qemu.Command
	keys    *remote.Keys
	process *qemu.Process
	monitor *qmp.Client
	fate    *fate
	client  *remote.Client
	// again says that this is the second start, without KVM.
	again bool
	// answered is set when the SSH server has turned us away.
	answered atomic.Bool

	console     *console
	consoleFile *os.File
}

// watch learns what becomes of the guest.
func (g *Guest) watch() {
	select {
	case <-g.console.ended:
		g.sealByConsole()
	case <-g.fate.panicked:
		// The console's last lines may come a moment after the event.
		for range 20 {
			if why, _ := g.console.ending(); why != "" {
				break
			}
			g.o.Sleep(context.Background(), 50*time.Millisecond)
		}
		g.sealByConsole()
	case <-g.process.Done():
		<-g.monitor.Done() // its last event says more
		g.fate.seal(cmp.Or(g.process.Err(), error(fault.New(fault.Guest, "%w", ErrEnded))))
	case <-g.fate.sealed:
	}
}

// sealByConsole takes the console's word for what happened; without one it was a
// panic.
func (g *Guest) sealByConsole() {
	switch why, panicked := g.console.ending(); {
	case why == "":
		g.fate.seal(fault.New(fault.Guest, "%w", ErrPanic))
	case panicked:
		g.fate.seal(fault.New(fault.Guest, "%w: %s", ErrPanic, why))
	default:
		g.fate.seal(fault.New(fault.Guest, "%w: %s", ErrNotUp, why))
	}
}

// await tries to log in until it succeeds, the guest ends, or its time is up.
func (g *Guest) await(ctx context.Context) error {
	limit := cmp.Or(g.o.BootTimeout, bootTimeout)
	if g.command.Accel == qemu.TCG && g.o.BootTimeout == 0 {
		limit *= tcgFactor
	}
	begin := g.o.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrNotUp)
	defer cancel()
	ctx, stop := g.untilEnd(ctx)
	defer stop()
	var last error
	for {
		client, err := remote.Dial(ctx, fmt.Sprintf("127.0.0.1:%d", g.command.Port), g.o.User, g.keys)
		if err == nil {
			g.client = client
			g.o.Log(fmt.Sprintf("the guest is up after %s", g.o.Now().Sub(begin).Round(100*time.Millisecond)))
			return nil
		}
		if answers(err) {
			g.answered.Store(true)
		}
		if last == nil || ctx.Err() == nil && !timeUp(err) {
			last = err
		}
		if g.o.Sleep(ctx, bootPoll) == nil {
			continue
		}
		if cause := context.Cause(ctx); !errors.Is(cause, ErrNotUp) || errors.Is(cause, fault.Guest) {
			return cause // interrupted, or the guest ended
		}
		return fault.New(fault.Guest, "%w within %s: %w", ErrNotUp, limit, last).WithHint("%s", bootHint(last))
	}
}

// timeUp recognizes our own time limit, which says less than what failed before.
// The network may notice it before the context does, and has an error of its own.
func timeUp(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// answers reports whether an attempt to log in failed at an SSH server that runs.
func answers(err error) bool {
	return errors.Is(err, remote.ErrHostKey) || errors.Is(err, remote.ErrLogin)
}

// bootHint says what is missing in an image that boots but cannot be used.
func bootHint(err error) string {
	if answers(err) {
		return "the image must have cloud-init, enabled, which takes over the keys of this run"
	}
	return "look at the console: the image must have cloud-init, an SSH server and DHCP on its first network card; --boot-timeout gives it more time"
}

// untilEnd returns a context that ends with the guest, with the guest's fate as
// its cause.
func (g *Guest) untilEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		select {
		case <-g.fate.sealed:
			cancel(g.fate.err)
		case <-ended:
		}
	}()
	return ctx, func() {
		close(ended)
		cancel(nil)
	}
}

// Run runs a command and returns its exit status, 128 and more for one that a
// signal ended. A command that does not end in time is killed.
func (g *Guest) Run(ctx context.Context, c Command) (status int, err error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, fault.New(fault.Guest, "%w: it had %s", ErrTimeout, c.Timeout))
		defer cancel()
	}
	err = g.do(ctx, func(ctx context.Context) error {
		status, err = g.client.Run(ctx, remote.Command{Args: c.Args, Dir: c.Dir, Env: c.Env, Stdout: c.Stdout, Stderr: c.Stderr})
		return err
	})
	return status, err
}

// CopyIn copies a file, a folder or a tarball into the guest. The contents of a
// folder or tarball become those of the folder target.
func (g *Guest) CopyIn(ctx context.Context, source, target string) error {
	return g.do(ctx, func(ctx context.Context) error { return g.client.Send(ctx, source, target) })
}

// CopyOut copies a file or a folder out of the guest and returns a line for each
// thing that was left out.
func (g *Guest) CopyOut(ctx context.Context, source, target string, limits Limits) (leftOut []string, err error) {
	err = g.do(ctx, func(ctx context.Context) error {
		leftOut, err = g.client.Fetch(ctx, source, target, limits)
		return err
	})
	return leftOut, err
}

// do does something that the guest's end ends, too, and then says what became
// of the guest instead of what that did to the connection.
func (g *Guest) do(ctx context.Context, work func(context.Context) error) error {
	inner, stop := g.untilEnd(ctx)
	defer stop()
	err := work(inner)
	if err == nil {
		return nil
	}
	if errors.Is(err, remote.ErrLost) {
		// A panic or a shutdown is told a moment later than its effect.
		for range 30 {
			if g.o.Sleep(inner, 100*time.Millisecond) != nil {
				break
			}
		}
	}
	if cause := context.Cause(inner); cause != nil {
		err = cause
	}
	return g.explain(err)
}

// explain adds what helps to find out why.
func (g *Guest) explain(err error) error {
	if g.process == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &Error{Err: err, Console: g.console.tail(), Line: g.command.Line()}
}

// DiskFull returns remote.ErrDiskFull if the guest has no space left, else nil.
func (g *Guest) DiskFull(ctx context.Context) error { return g.client.Full(ctx) }

// Ended reports whether the guest is gone.
func (g *Guest) Ended() bool {
	select {
	case <-g.fate.sealed:
		return true
	default:
		return false
	}
}

// Accel is qemu.KVM or qemu.TCG.
func (g *Guest) Accel() string { return g.command.Accel }

// Folder is where the guest's files are.
func (g *Guest) Folder() string { return g.folder.path }
