// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// full takes some bytes and then has no room, like a disk.
type full struct{ room int }

func (f *full) Write(text []byte) (int, error) {
	if f.room -= len(text); f.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(text), nil
}

// TestOutputThatIsLost: a program that reads the result must not take half of it,
// or none, for all.
func TestOutputThatIsLost(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.push("ann", "nvme: split the probe loop", nil)
	for _, args := range [][]string{{"sync", "--json"}, {"sync"}, {"sync", "--dry-run"}, {"sync", "--help"}, {"report", "--key="}, {"schema"}, {"version"}, {"help"}} {
		for _, room := range []int{0, 7} {
			var errs bytes.Buffer
			a := s.app("test", nil, &errs)
			a.Stdout = &full{room: room}
			if status := a.Main(t.Context(), args); status != ExitFailed || strings.Count(errs.String(), "no space left on device") != 1 {
				t.Errorf("%q, room for %d bytes: got exit status %d, want 1, and\n%s", args, room, status, errs.String())
			}
		}
	}
	if n := len(s.github.Runs()); n != 1 {
		t.Errorf("got %d runs: the work is done although nobody can hear of it", n)
	}
}

// TestOutputOfTestsThatIsLost: what was lost is no failed test, and no other
// failure is hidden.
func TestOutputOfTestsThatIsLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command           string
		status, room, end int
	}{
		{"guest", 0, 0, exitGuestHost}, {"environments", 0, 0, exitRig}, {"host", 0, 0, ExitFailed},
		{"guest", 3, 0, 3}, {"host", ExitUnavailable, 0, ExitUnavailable}, {"sync", ExitConfiguration, 0, ExitConfiguration}, {"guest", 0, 99, 0},
	} {
		var errs bytes.Buffer
		c := command{name: tt.command, run: func(a *App, _ context.Context, _ []string) int {
			n, err := fmt.Fprintln(a.Stdout, "ok 1 - bdev")
			if n != 12 || err != nil {
				t.Errorf("a command sees %d, %v", n, err)
			}
			return tt.status
		}}
		got := c.perform(t.Context(), &App{Stdout: &full{room: tt.room}, Stderr: &errs}, nil)
		if got != tt.end || (errs.Len() > 0) != (tt.room == 0) {
			t.Errorf("%s with status %d: got %d, want %d: %s", tt.command, tt.status, got, tt.end, errs.String())
		}
	}
}

// TestPrinterDropsTheRest: what comes after a failure would stand in the middle
// of something.
func TestPrinterDropsTheRest(t *testing.T) {
	t.Parallel()
	f := &full{room: 3}
	p := &printer{out: f}
	for _, text := range []string{"abc", "defg", "h"} {
		if n, err := p.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	if !errors.Is(p.lost(), syscall.ENOSPC) || f.room != -4 {
		t.Errorf("got %v with room for %d", p.lost(), f.room)
	}
}

// TestOutputsThatAreLost: the next step of a job would go on without them.
func TestOutputsThatAreLost(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_OUTPUT"] = "true", t.TempDir()
	if status := s.run(t.Context(), "sync"); status != ExitFailed || !strings.Contains(s.stdout, "::error::failed to open the file in GITHUB_OUTPUT") {
		t.Errorf("got exit status %d, want 1:\n%s", status, s.stdout)
	}
}
