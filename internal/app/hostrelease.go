// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/host"
)

const releaseHelp = `Usage: dispatcher host release --lease LEASE [--failed REASON] [flags]

Cleans up what was recorded for the lease and gives the host back: in the last
step of a job, with "if: always()". Without a lease there is nothing to do.
--failed says that the rig failed, not the tests; after some failures in a row the
host is left alone for a while. A release without it ends the row.

`

// release is "host release".
func (c *hostCommand) release(ctx context.Context, args []string) int {
	lease, o := "", host.Outcome{}
	c.set.StringVar(&lease, "lease", c.app.Getenv("DISPATCHER_LEASE"), "the lease, as host lease printed it; variable DISPATCHER_LEASE")
	c.set.StringVar(&o.Failed, "failed", "", "the rig failed, and why")
	c.set.IntVar(&o.After, "quarantine-after", 3, "failures in a row that lead to quarantine; 0 is never")
	c.set.DurationVar(&o.For, "quarantine-for", 24*time.Hour, "how long quarantine lasts; 0 is until it is lifted")
	if err := c.parse(releaseHelp, false, args); err != nil {
		return c.end(err)
	}
	if o.After < 0 || o.For < 0 {
		return c.end(c.wrong("--quarantine-after and --quarantine-for must not be below 0"))
	}
	if lease == "" {
		c.out.Println("no lease was taken: there is nothing to release")
		return ExitDone
	}
	o.Worked = o.Failed == ""
	h, err := c.open()
	if err != nil {
		return c.end(err)
	}
	done, err := h.Release(ctx, lease, o)
	left := c.showCleaned(done.Cleaned)
	if err != nil {
		return c.end(err)
	}
	if done.Held {
		c.out.Println("released")
	} else {
		c.out.Warning("the lease had ended before it was released: another job may have had the host meanwhile. Is --for of host lease long enough?")
	}
	if q := done.Quarantined; q != nil {
		c.out.Warning(q.Error() + "; " + until(q.Until, "dispatcher host clean --lift ends it"))
	}
	if left > 0 {
		return ExitFailed
	}
	return ExitDone
}

const cleanHelp = `Usage: dispatcher host clean [flags]

Cleans up what jobs that died left behind, as far as it was recorded for their
leases, and nothing else. What belongs to a job that has the host stays, unless
its lease is given.

`

// clean is "host clean".
func (c *hostCommand) clean(ctx context.Context, args []string) int {
	lease, lift := "", false
	c.set.StringVar(&lease, "lease", "", "clean up what was recorded for this lease as well, although it is held")
	c.set.BoolVar(&lift, "lift", false, "end a quarantine, and forget the failures that led to it")
	if err := c.parse(cleanHelp, false, args); err != nil {
		return c.end(err)
	}
	h, err := c.open()
	if err != nil {
		return c.end(err)
	}
	list, lifted, err := h.Clean(ctx, lease, lift)
	left := c.showCleaned(list)
	if lifted {
		c.out.Println("the quarantine is lifted")
	}
	if err != nil {
		return c.end(err)
	}
	if len(list) == 0 {
		c.out.Println("nothing was left behind")
	}
	c.outputs(map[string]string{"left": strconv.Itoa(left)})
	if left > 0 {
		return ExitFailed
	}
	return ExitDone
}

const statusHelp = `Usage: dispatcher host status [flags] [-- CHECK [ARGUMENT...]]

Says who has the host, and with the flags of host lease whether it is healthy.
It changes nothing. Exit status: 0 it can be had, 75 it cannot.

`

// status is "host status".
func (c *hostCommand) status(ctx context.Context, args []string) int {
	var (
		asJSON       bool
		checks       host.Checks
		disk, memory machine.Size
	)
	c.set.BoolVar(&asJSON, "json", false, "print it as JSON")
	c.checkFlags(&checks, &disk, &memory)
	if err := c.parse(statusHelp, true, args); err != nil {
		return c.end(err)
	}
	checks.Disk, checks.Memory, checks.Command = int64(disk), int64(memory), c.rest
	h, err := c.open()
	if err != nil {
		return c.end(err)
	}
	s, err := h.Status()
	if err != nil {
		return c.end(err)
	}
	wrong, err := h.Check(ctx, checks)
	if err != nil {
		return c.end(err)
	}
	if s.State == host.Free && len(wrong) > 0 {
		s.State, s.Reason = host.Unhealthy, strings.Join(wrong, "; ")
	}
	if asJSON {
		if err := printJSON(c.app.Stdout, s); err != nil {
			return c.end(err)
		}
	} else {
		c.showStatus(s)
	}
	c.outputs(map[string]string{"state": string(s.State), "reason": s.Reason, "left": strconv.Itoa(len(s.Left))})
	if s.State != host.Free {
		return ExitUnavailable
	}
	return ExitDone
}

func (c *hostCommand) showStatus(s host.Status) {
	text := "the host is " + string(s.State)
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	c.out.Println(text)
	if s.State == host.Quarantined {
		c.out.Println("  " + until(s.Until, "dispatcher host clean --lift ends it"))
	} else if s.Failures > 0 {
		c.out.Println(fmt.Sprintf("  its rig failed the last %d times", s.Failures))
	}
	for _, r := range s.Left {
		c.out.Println("  left behind: " + r.String())
	}
	if len(s.Left) > 0 {
		c.out.Println("  dispatcher host clean cleans this up; so does the next lease")
	}
}
