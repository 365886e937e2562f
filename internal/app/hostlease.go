// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/host"
)

const leaseHelp = `Usage: dispatcher host lease [flags] [-- CHECK [ARGUMENT...]]

Takes the host for a job: waits until nobody else has it, cleans up what earlier
jobs left, and checks that it is healthy. The program CHECK, if there is one, must
end with status 0; no shell looks at it. The output lease is the lease's id, for
record and release; state is leased, busy, quarantined or unhealthy.

The lease ends with release, when its time is over, when the host restarts, or
when the process --pid is gone, whichever comes first.

`

// lease is "host lease".
func (c *hostCommand) lease(ctx context.Context, args []string) int {
	var (
		r            = host.Request{Owner: c.owner(), PID: -1}
		checks       host.Checks
		disk, memory machine.Size
	)
	c.set.StringVar(&r.Owner, "owner", r.Owner, "who takes it, shown to others")
	c.set.DurationVar(&r.For, "for", 6*time.Hour, "how long the lease lasts at most")
	c.set.DurationVar(&r.Wait, "wait", 0, "how long to wait for a busy host")
	c.set.IntVar(&r.PID, "pid", r.PID, "process whose end ends the lease; 0 is none, -1 GitHub's runner while it works on this job, if there is one")
	c.checkFlags(&checks, &disk, &memory)
	if err := c.parse(leaseHelp, true, args); err != nil {
		return c.end(err)
	}
	if r.For <= 0 || r.Wait < 0 || checks.Timeout <= 0 {
		return c.end(c.wrong("--for and --check-timeout must be above 0, and --wait must not be below"))
	}
	checks.Disk, checks.Memory, checks.Command = int64(disk), int64(memory), c.rest
	h, err := c.open()
	if err != nil {
		return c.end(err)
	}
	if r.PID < 0 {
		r.PID = h.Runner()
	}
	r.Waiting = func(u *host.Unavailable) { c.out.Println("waiting: " + u.Error()) }
	l, cleaned, err := h.Lease(ctx, r)
	c.showCleaned(cleaned)
	if err != nil {
		return c.end(err)
	}
	wrong, err := h.Check(ctx, checks)
	if err == nil && len(wrong) > 0 {
		err = &host.Unavailable{State: host.Unhealthy, Reason: strings.Join(wrong, "; ")}
	}
	if err != nil { // nobody will release it
		_, releaseErr := h.Release(context.WithoutCancel(ctx), l.ID, host.Outcome{})
		if releaseErr != nil {
			c.end(releaseErr)
		}
		return c.end(err)
	}
	c.out.Println(fmt.Sprintf("leased to %s until %s: %s", l.Owner, l.Expires.Format(hostTime), l.ID))
	c.outputs(map[string]string{"state": string(host.Leased), "reason": "", "lease": l.ID})
	return ExitDone
}

// checkFlags are those of commands that look at the host's health.
func (c *hostCommand) checkFlags(checks *host.Checks, disk, memory *machine.Size) {
	c.set.Var(disk, "min-disk", "free space that the host must have: 20G")
	c.set.StringVar(&checks.DiskPath, "disk-path", ".", "where that space must be free")
	c.set.Var(memory, "min-memory", "available memory that the host must have: 4G")
	c.set.BoolVar(&checks.KVM, "kvm", false, "the host must have a usable /dev/kvm")
	c.set.DurationVar(&checks.Timeout, "check-timeout", time.Minute, "how long CHECK may take")
}

// owner is how others see this job.
func (c *hostCommand) owner() string {
	env := c.app.Getenv
	if env("GITHUB_RUN_ID") != "" {
		return fmt.Sprintf("%s, run %s, attempt %s, job %s", env("GITHUB_REPOSITORY"), env("GITHUB_RUN_ID"), env("GITHUB_RUN_ATTEMPT"), env("GITHUB_JOB"))
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "somebody"
}

const recordHelp = `Usage: dispatcher host record --lease LEASE KIND [NAME]

Notes something that must not outlive the lease. It is cleaned up when the lease
is released, or before the next one if the job dies.

  process PID        ended: SIGTERM, after 10 s SIGKILL
  mount DIR          unmounted, with what is mounted below; record it before mounting
  loop /dev/loopN    detached; record it after losetup
  path PATH          deleted: a file, or a folder with all that is in it
  hugepages [FILE]   set to what it is now: /proc/sys/vm/nr_hugepages or one of
                     those below /sys; record it before you change it

`

// record is "host record".
func (c *hostCommand) record(ctx context.Context, args []string) int {
	lease := ""
	c.set.StringVar(&lease, "lease", c.app.Getenv("DISPATCHER_LEASE"), "the lease, as host lease printed it; variable DISPATCHER_LEASE")
	if err := c.parse(recordHelp, true, args); err != nil {
		return c.end(err)
	}
	if len(c.rest) == 1 && c.rest[0] == string(host.HugepagesKind) {
		c.rest = append(c.rest, host.DefaultHugepages)
	}
	if len(c.rest) != 2 || !slices.Contains(host.Kinds(), host.Kind(c.rest[0])) {
		return c.end(c.wrong("it takes a kind (process, mount, loop, path, hugepages) and a name"))
	}
	h, err := c.open()
	if err != nil {
		return c.end(err)
	}
	r, err := h.Describe(host.Kind(c.rest[0]), c.rest[1])
	if err == nil {
		err = h.Record(ctx, lease, r)
	}
	if err != nil {
		return c.end(err)
	}
	c.out.Println("recorded: " + r.String())
	return ExitDone
}

// cleanHint says what to do about something that cannot be cleaned up.
func cleanHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "let this account use sudo without a password, or run it as root"
	case errors.Is(err, syscall.EBUSY):
		return "something still uses it: fuser -vm shows what"
	}
	return "the host gets no lease until it is gone; see dispatcher host status"
}
