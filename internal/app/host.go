// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/host"
)

// ExitUnavailable says that a host cannot be had now, which is nobody's failure:
// EX_TEMPFAIL of sysexits(3).
const ExitUnavailable = 75

const hostHelp = `Usage: dispatcher host COMMAND [flags]

Keeps order on a host with hardware of its own: one job at a time has it, what a
job that died left behind is cleaned up, and a rig that fails again and again is
left alone.

  lease     take the host for a job, when it is free and healthy
  record    note what must not outlive the lease: a process, a mount, ...
  release   give the host back, cleaned up
  clean     clean up what jobs that died left behind; lift a quarantine
  status    say who has the host, and whether it is healthy

dispatcher host COMMAND --help explains one; docs/hosts.md shows a workflow.

Exit status: 0 done, 1 something failed, 2 the configuration must be changed,
75 the host cannot be had now (busy, quarantined, unhealthy): nobody's failure.
`

// hostCommand is the common part of the commands of host.
type hostCommand struct {
	app   *App
	out   *action.Action
	set   *flag.FlagSet
	state string
	// rest are the arguments behind the flags, if the command takes any.
	rest []string
}

// host is the command of that name.
func (a *App) host(ctx context.Context, args []string) int {
	commands := map[string]func(*hostCommand, context.Context, []string) int{
		"lease": (*hostCommand).lease, "record": (*hostCommand).record, "release": (*hostCommand).release,
		"clean": (*hostCommand).clean, "status": (*hostCommand).status,
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "-h", "--help", "help":
		fmt.Fprint(a.Stdout, hostHelp)
		return ExitDone
	case "":
		fmt.Fprint(a.Stdout, hostHelp)
		return ExitConfiguration
	}
	run, ok := commands[name]
	if !ok {
		fmt.Fprintf(a.Stderr, "dispatcher host: there is no command %q\n    hint: dispatcher host --help lists them\n", change.OneLine(name))
		return ExitConfiguration
	}
	c := &hostCommand{app: a, out: action.New(a.Getenv, a.Stdout), set: flag.NewFlagSet("host "+name, flag.ContinueOnError)}
	defer c.out.Close()
	c.set.StringVar(&c.state, "state", cmp.Or(a.Getenv("DISPATCHER_STATE"), host.DefaultDir), "folder with the state of the host, the same for all its jobs; variable DISPATCHER_STATE")
	return run(c, ctx, args[1:])
}

// parse reads the flags. With takesRest, arguments may stand behind them.
func (c *hostCommand) parse(help string, takesRest bool, args []string) error {
	c.set.SetOutput(io.Discard)
	err := c.set.Parse(args)
	c.rest = c.set.Args()
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.app.Stdout, help)
		c.set.SetOutput(c.app.Stdout)
		c.set.PrintDefaults()
		return err
	case err == nil && len(c.rest) > 0 && !takesRest:
		err = fmt.Errorf("it takes flags only, not %q", c.rest[0])
	}
	if err != nil {
		return c.wrong("%s", change.OneLine(err.Error()))
	}
	return nil
}

// wrong is an error about the command line.
func (c *hostCommand) wrong(format string, args ...any) error {
	return wrong("dispatcher "+c.set.Name()+" --help lists the flags", format, args...)
}

// open opens the host's state.
func (c *hostCommand) open() (*host.Host, error) {
	return host.Open(host.Options{Dir: c.state, Now: c.app.Now, Sleep: c.app.Sleep})
}

// end tells of a failure and returns the exit status for it.
func (c *hostCommand) end(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return ExitDone
	}
	if u, ok := errors.AsType[*host.Unavailable](err); ok {
		return c.unavailable(u)
	}
	c.app.tell(c.out, err)
	if errors.Is(err, fault.Configuration) {
		return ExitConfiguration
	}
	return ExitFailed
}

// unavailable says that the host cannot be had. A workflow reads the outputs.
func (c *hostCommand) unavailable(u *host.Unavailable) int {
	text := u.Error()
	if u.State == host.Quarantined {
		text += "; " + until(u.Until, "dispatcher host clean --lift ends it")
	}
	if c.out.InActions() {
		c.out.Notice(text)
	} else {
		c.out.Println(text)
	}
	c.outputs(map[string]string{"state": string(u.State), "reason": u.Reason, "lease": ""})
	return ExitUnavailable
}

// until says when a quarantine ends.
func until(end time.Time, how string) string {
	if end.IsZero() {
		return how
	}
	return "it ends at " + end.UTC().Format(hostTime) + ", or now: " + how
}

const hostTime = "2006-01-02 15:04 MST"

func (c *hostCommand) outputs(values map[string]string) {
	for _, name := range []string{"state", "reason", "lease", "left"} {
		value, ok := values[name]
		if !ok {
			continue
		}
		if err := c.out.SetOutput(name, value); err != nil {
			fmt.Fprintln(c.app.Stderr, "dispatcher:", err)
		}
	}
}

// showCleaned prints what was cleaned up, and tells what could not be. It
// returns the number of the latter.
func (c *hostCommand) showCleaned(list []host.Cleaned) (left int) {
	for _, r := range list {
		switch {
		case r.Err != nil:
			left++
			c.app.tell(c.out, fault.New(fault.Ours, "failed to clean up %s: %w", r.Resource, r.Err).WithHint("%s", cleanHint(r.Err)))
		case r.Did != "":
			c.out.Println("cleaned up: " + r.Resource.String() + " was " + r.Did)
		}
	}
	return left
}
