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
	// lenient says that results which cannot be copied out are a warning: they do
	// not change how the command ended.
	lenient bool
}

func (r guestRun) say(format string, args ...any) {
	fmt.Fprintln(r.app.Stderr, "dispatcher:", change.OneLine(fmt.Sprintf(format, args...)))
}

// run says how the command ended, or what kept it from ending.
func (r guestRun) run(ctx context.Context) ending {
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
	end := r.inside(ctx, g)
	if err := g.Close(); err != nil {
		r.say("%v", err)
	}
	return end
}

// inside does everything that is done in the guest.
func (r guestRun) inside(ctx context.Context, g *guest.Guest) ending {
	for _, c := range r.flags.copyIn {
		r.say("copying %s to %s", c.from, c.to)
		if err := g.CopyIn(ctx, c.from, c.to); err != nil {
			return r.fail(err, exitGuestCopy)
		}
	}
	end := r.command(ctx, g)
	if end.status != 0 && ctx.Err() == nil {
		if err := g.DiskFull(ctx); err != nil {
			r.say("%v; --disk-size makes it larger", err)
		}
	}
	if copied := r.copyOut(ctx, g); end.status == 0 && !r.lenient {
		return copied
	}
	return end
}

// command runs the command and passes its output on.
func (r guestRun) command(ctx context.Context, g *guest.Guest) ending {
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
	return ending{status: status}
}

// copyOut copies what it can and returns the worst failure.
func (r guestRun) copyOut(ctx context.Context, g *guest.Guest) (worst ending) {
	for _, c := range r.flags.copyOut {
		from := c.from
		if !path.IsAbs(from) {
			from = path.Join(r.flags.command.Dir, from)
		}
		if g.Ended() || ctx.Err() != nil {
			text := from + " was not copied out: there is no guest, or no time, left for it"
			r.say("%s", text)
			return ending{status: exitGuestCopy, rig: fault.New(fault.Guest, "%s", text)}
		}
		leftOut, err := g.CopyOut(ctx, from, c.to, remote.DefaultLimits)
		for _, line := range leftOut {
			r.say("%s", line)
		}
		switch {
		case err != nil && r.lenient:
			r.out.Warning(fmt.Sprintf("%s was not kept: %v", from, err))
		case err != nil:
			worst = r.fail(err, exitGuestCopy)
		default:
			r.say("copied %s to %s", from, c.to)
		}
	}
	return worst
}

// fail tells what went wrong and returns how that ends the run; copying is the
// status for failures that leave the guest as it is, or 0.
func (r guestRun) fail(err error, copying int) ending {
	r.app.tell(r.out, asConfigProblems(err))
	if details, ok := errors.AsType[*guest.Error](err); ok && copying == 0 {
		r.details(details)
	}
	end := ending{rig: err, status: exitGuestHost}
	switch {
	case errors.Is(err, context.Canceled):
		end.status, end.interrupted = exitGuestInterrupted, true
	case errors.Is(err, guest.ErrTimeout):
		return ending{status: exitGuestTimeout, timedOut: true} // it had its time, and so it has failed
	case errors.Is(err, guest.ErrNotUp), errors.Is(err, guest.ErrPanic), errors.Is(err, guest.ErrEnded), errors.Is(err, remote.ErrLost):
		end.status = exitGuestFailed
	case copying != 0:
		end.status = copying
	case errors.Is(err, fault.Configuration):
		end.status = exitGuestSetting
	case errors.Is(err, fault.Guest):
		end.status = exitGuestFailed
	}
	return end
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
