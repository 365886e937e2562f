// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// guestRun is one run of a command in a guest.
type guestRun struct {
	app   *App
	out   *action.Action
	flags guestFlags
}

func (r guestRun) say(format string, args ...any) {
	fmt.Fprintln(r.app.Stderr, "dispatcher:", change.OneLine(fmt.Sprintf(format, args...)))
}

// run returns the exit status.
func (r guestRun) run(ctx context.Context) int {
	for _, c := range r.flags.copyIn {
		if _, err := os.Stat(c.from); err != nil { // to boot first would be a waste
			return r.fail(wrong("check the name", "--copy-in: %v", err), 0)
		}
	}
	r.flags.options.Log = func(text string) { r.say("%s", text) }
	g, err := guest.Start(ctx, r.flags.options)
	if err != nil {
		return r.fail(err, 0)
	}
	if r.flags.options.Keep {
		r.say("the guest's files stay in %s", g.Folder())
	}
	status := r.inside(ctx, g)
	if err := g.Close(); err != nil {
		r.say("%v", err)
	}
	return status
}

// inside does everything that is done in the guest.
func (r guestRun) inside(ctx context.Context, g *guest.Guest) int {
	for _, c := range r.flags.copyIn {
		r.say("copying %s to %s", c.from, c.to)
		if err := g.CopyIn(ctx, c.from, c.to); err != nil {
			return r.fail(err, exitGuestCopy)
		}
	}
	status := r.command(ctx, g)
	if status != 0 && ctx.Err() == nil {
		if err := g.DiskFull(ctx); err != nil {
			r.say("%v; --disk-size makes it larger", err)
		}
	}
	if copied := r.copyOut(ctx, g); status == 0 {
		return copied
	}
	return status
}

// command runs the command and passes its output on.
func (r guestRun) command(ctx context.Context, g *guest.Guest) int {
	begin := r.app.Now()
	pass := newPassage(r.app.Stdout, r.app.Stderr, r.out.InActions())
	c := r.flags.command
	c.Stdout, c.Stderr = pass.stdout(), pass.stderr()
	status, err := g.Run(ctx, c)
	pass.end()
	if err != nil {
		return r.fail(err, 0)
	}
	r.say("the command ended with status %d after %s", status, r.app.Now().Sub(begin).Round(100*time.Millisecond))
	return status
}

// copyOut copies what it can and returns the status of the worst failure.
func (r guestRun) copyOut(ctx context.Context, g *guest.Guest) (status int) {
	for _, c := range r.flags.copyOut {
		from := c.from
		if !path.IsAbs(from) {
			from = path.Join(r.flags.command.Dir, from)
		}
		if g.Ended() || ctx.Err() != nil {
			r.say("%s was not copied out: there is no guest, or no time, left for it", from)
			return exitGuestCopy
		}
		leftOut, err := g.CopyOut(ctx, from, c.to, remote.DefaultLimits)
		for _, line := range leftOut {
			r.say("%s", line)
		}
		if err != nil {
			status = r.fail(err, exitGuestCopy)
			continue
		}
		r.say("copied %s to %s", from, c.to)
	}
	return status
}

// fail tells what went wrong and returns the exit status for it; copying is the
// one for failures that leave the guest as it is, or 0.
func (r guestRun) fail(err error, copying int) int {
	r.app.tell(r.out, asConfigProblems(err))
	if details, ok := errors.AsType[*guest.Error](err); ok && copying == 0 {
		r.details(details)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return exitGuestInterrupted
	case errors.Is(err, guest.ErrTimeout):
		return exitGuestTimeout
	case errors.Is(err, guest.ErrNotUp), errors.Is(err, guest.ErrPanic), errors.Is(err, guest.ErrEnded), errors.Is(err, remote.ErrLost):
		return exitGuestFailed
	case copying != 0:
		return copying
	case errors.Is(err, fault.Configuration):
		return exitGuestSetting
	case errors.Is(err, fault.Guest):
		return exitGuestFailed
	}
	return exitGuestHost
}

// details shows the console's end and how to start the guest by hand.
func (r guestRun) details(e *guest.Error) {
	switch {
	case len(e.Console) > 0:
		r.say("the guest's console ended with:")
		for _, line := range e.Console {
			fmt.Fprintln(r.app.Stderr, "  |", line)
		}
	case errors.Is(e, guest.ErrNotUp):
		r.say("the guest's console is empty: the kernel must have console=ttyS0 on its command line")
	}
	again := "to start it by hand, after a run with --keep, which leaves its files:"
	if r.flags.options.Keep {
		again = "to start it by hand:"
	}
	r.say("%s", again)
	fmt.Fprintln(r.app.Stderr, "  "+e.Line)
}
