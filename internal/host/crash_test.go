// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crashing is the variable that makes the test binary a process of its own:
// "ignore -" ignores SIGTERM, and "POINT STATE ROOT" kills itself at a look at
// the clock or at the kernel.
const crashing = "HOST_TEST_CRASH"

func TestMain(m *testing.M) {
	what := strings.Fields(os.Getenv(crashing))
	if len(what) == 0 {
		os.Exit(m.Run())
	}
	if what[0] == "ignore" {
		signal.Ignore(syscall.SIGTERM)
		os.Stdout.WriteString(".")
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	die(what[0], what[1], what[2])
	os.Exit(0)
}

// die takes a lease, records, releases as failed, and kills itself on the way.
func die(point, dir, root string) {
	now := func(here string) {
		if here == point {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	at := "leasing"
	h, err := Open(Options{
		Dir: dir, Root: root, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Now: func() time.Time { now(at); return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		return
	}
	h.detach = func(string) error { now("detaching"); return os.RemoveAll(root + "/sys/block/loop3") }
	l, _, err := h.Lease(context.Background(), Request{Owner: "the dead", For: time.Hour, PID: 77})
	if err != nil {
		return
	}
	now("leased")
	r, err := h.Describe(LoopKind, "/dev/loop3")
	if err != nil {
		return
	}
	if h.Record(context.Background(), l.ID, r) != nil {
		return
	}
	now("recorded")
	at = "releasing"
	h.Release(context.Background(), l.ID, Outcome{Failed: "it died", After: 5})
}

// TestKilled: wherever a process dies, the host is neither lost nor shared, and
// what was recorded is cleaned up.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		point string
		loop  bool // it is there after the kill
		state State
	}{
		{"leasing", true, Free},
		{"leased", true, Busy},
		{"recorded", true, Busy},
		{"detaching", true, Busy},
		{"releasing", true, Busy},
		{"never", false, Free},
	} {
		b := newBed(t)
		b.process(77, 5000)
		b.kernel("/sys/block/loop3/loop/backing_file", "/of/the/dead")
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashing+"="+c.point+" "+b.o.Dir+" "+b.root)
		err := cmd.Run()
		exit, ok := errors.AsType[*exec.ExitError](err)
		if killed := ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL; killed != (c.point != "never") {
			t.Errorf("%s: got %v", c.point, err)
			continue
		}
		if got := b.backingFile("/dev/loop3") != ""; got != c.loop && c.point != "releasing" {
			t.Errorf("%s: the loop device is there: %t, want %t", c.point, got, c.loop)
		}
		if got := b.state(); got != c.state {
			t.Errorf("%s: got %s, want %s", c.point, got, c.state)
		}
		os.RemoveAll(b.root + "/proc/77") // its job is gone
		b.lease("the next")
		recorded := c.point == "recorded" || c.point == "detaching" || c.point == "releasing" || c.point == "never"
		if got := b.backingFile("/dev/loop3") == ""; got != recorded {
			t.Errorf("%s: the loop device is gone: %t, want %t", c.point, got, recorded)
		}
	}
}
