// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/host"
)

// hostBench is a host with a state of its own.
type hostBench struct {
	*testing.T
	clock  *clock
	env    map[string]string
	stdout string
	stderr string
}

func newHostBench(t *testing.T) *hostBench {
	return &hostBench{T: t, clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}, env: map[string]string{"DISPATCHER_STATE": t.TempDir()}}
}

// run runs a command of host and checks the exit status.
func (l *hostBench) run(want int, args ...string) {
	l.Helper()
	var out, errOut bytes.Buffer
	a := &App{Stdout: &out, Stderr: &errOut, Getenv: func(name string) string { return l.env[name] }, Now: l.clock.Now, Sleep: l.clock.Sleep}
	got := a.Main(l.Context(), append([]string{"host"}, args...))
	l.stdout, l.stderr = out.String(), errOut.String()
	if got != want {
		l.Errorf("host %q: got status %d, want %d\n%s%s", args, got, want, l.stdout, l.stderr)
	}
}

// says fails the test unless the last command printed this, ids and folders left
// out.
func (l *hostBench) says(want ...string) {
	l.Helper()
	text := regexp.MustCompile(`[a-z2-7]{26}`).ReplaceAllString(l.stdout+l.stderr, "ID")
	text = strings.ReplaceAll(text, l.env["DISPATCHER_STATE"], "STATE")
	if diff := cmp.Diff(want, strings.Split(strings.TrimRight(text, "\n"), "\n")); diff != "" {
		l.Errorf("(-want +got):\n%s", diff)
	}
}

// lease takes the host and returns the id.
func (l *hostBench) lease(args ...string) string {
	l.Helper()
	l.run(ExitDone, append([]string{"lease", "--owner", "ann", "--pid", "0"}, args...)...)
	return regexp.MustCompile(`[a-z2-7]{26}`).FindString(l.stdout)
}

func TestHost(t *testing.T) {
	t.Parallel()
	l := newHostBench(t)
	l.run(ExitDone, "status")
	l.says("the host is free")
	id := l.lease("--for", "1h")
	l.says("leased to ann until 2026-01-05 09:00 UTC: ID")
	l.run(ExitUnavailable, "status")
	l.says("the host is busy: ann has it since 2026-01-05 08:00 UTC, until 2026-01-05 09:00 UTC at the latest")
	l.run(ExitUnavailable, "lease", "--owner", "bob", "--wait", "30m")
	l.says("waiting: the host is busy: ann has it since 2026-01-05 08:00 UTC, until 2026-01-05 09:00 UTC at the latest",
		"the host is busy: ann has it since 2026-01-05 08:00 UTC, until 2026-01-05 09:00 UTC at the latest")
	work := filepath.Join(t.TempDir(), "work")
	l.run(ExitDone, "record", "--lease", id, "path", work)
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	l.run(ExitDone, "clean") // what is held stays
	l.says("nothing was left behind")
	l.run(ExitDone, "release", "--lease", id)
	l.says("cleaned up: path "+work+" was deleted", "released")
	l.run(ExitDone, "release", "--lease", id)
	l.says("warning: the lease had ended before it was released: another job may have had the host meanwhile. Is --for of host lease long enough?")
	l.run(ExitDone, "release")
	l.says("no lease was taken: there is nothing to release")
}

func TestHostQuarantine(t *testing.T) {
	t.Parallel()
	l := newHostBench(t)
	for range 2 {
		id := l.lease()
		l.run(ExitDone, "release", "--lease", id, "--failed", "no drive", "--quarantine-after", "2")
	}
	const why = "the host is quarantined: its rig failed 2 times in a row, the last time at 2026-01-05 08:00 UTC for ann: no drive"
	const end = "it ends at 2026-01-06 08:00 UTC, or now: dispatcher host clean --lift ends it"
	l.says("released", "warning: "+why+"; "+end)
	l.run(ExitUnavailable, "lease")
	l.says(why + "; " + end)
	l.run(ExitUnavailable, "status")
	l.says(why, "  "+end)
	l.run(ExitDone, "clean", "--lift")
	l.says("the quarantine is lifted", "nothing was left behind")
	l.lease()
}

// TestHostChecks: an unhealthy host is not held, and a failed check is no failure
// of the rig.
func TestHostChecks(t *testing.T) {
	t.Parallel()
	l := newHostBench(t)
	l.run(ExitUnavailable, "lease", "--min-disk", "1000000T")
	if !strings.Contains(l.stdout, "the host is unhealthy: the disk of . has") {
		t.Errorf("got %q", l.stdout)
	}
	l.run(ExitUnavailable, "lease", "--", "/no/such/check")
	l.says(`the host is unhealthy: the check "/no/such/check" failed: fork/exec /no/such/check: no such file or directory`)
	l.run(ExitDone, "status", "--json")
	var s host.Status
	if err := json.Unmarshal([]byte(l.stdout), &s); err != nil || s.State != host.Free || s.Failures != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
	l.run(ExitUnavailable, "status", "--min-memory", "1000000T")
}

// TestHostInActions: a workflow reads outputs, and nothing that others wrote is a
// command to the runner.
func TestHostInActions(t *testing.T) {
	t.Parallel()
	l := newHostBench(t)
	output := filepath.Join(t.TempDir(), "output")
	l.env["GITHUB_ACTIONS"], l.env["GITHUB_OUTPUT"] = "true", output
	l.env["GITHUB_REPOSITORY"], l.env["GITHUB_RUN_ID"], l.env["GITHUB_RUN_ATTEMPT"], l.env["GITHUB_JOB"] = "example/ci", "7", "1", "nvme"
	l.run(ExitDone, "lease", "--pid", "0")
	l.says("leased to example/ci, run 7, attempt 1, job nvme until 2026-01-05 14:00 UTC: ID")
	id := regexp.MustCompile(`[a-z2-7]{26}`).FindString(l.stdout)
	l.run(ExitUnavailable, "lease", "--owner", "bob")
	if !strings.HasPrefix(l.stdout, "::notice::the host is busy") {
		t.Errorf("got %q", l.stdout)
	}
	l.run(ExitDone, "release", "--lease", id, "--failed", "x\n::error::y", "--quarantine-after", "1")
	for line := range strings.Lines(l.stdout) {
		if strings.HasPrefix(line, "::error") {
			t.Errorf("got the command %q", line)
		}
	}
	data, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`dispatcher-[A-Z2-7]+`).ReplaceAllString(strings.ReplaceAll(string(data), id, "ID"), "E")
	want := "state<<E\nleased\nE\nreason<<E\n\nE\nlease<<E\nID\nE\n" +
		"state<<E\nbusy\nE\nreason<<E\nexample/ci, run 7, attempt 1, job nvme has it since 2026-01-05 08:00 UTC, until 2026-01-05 14:00 UTC at the latest\nE\nlease<<E\n\nE\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestHostMistakes(t *testing.T) {
	t.Parallel()
	l := newHostBench(t)
	for _, c := range []struct {
		args       string
		text, hint string
	}{
		{"take", `there is no command "take"`, "host --help"},
		{"lease --for", "flag needs an argument", "host lease --help"},
		{"lease --for 0s", "must be above 0", "host lease --help"},
		{"lease --min-disk much", "not a size", "host lease --help"},
		{"release --lease x y", "it takes flags only", "host release --help"},
		{"release --lease ../x", `"../x" is no lease`, "host lease printed"},
		{"record process", "it takes a kind", "host record --help"},
		{"record device 1", "it takes a kind", "host record --help"},
		{"record path relative", "absolute path", ""},
		{"record path /home/x", `"" is no lease`, "host lease printed"},
		{"status --state /dev/null/x", "failed to open the state folder", "--state"},
	} {
		l.run(ExitConfiguration, strings.Fields(c.args)...)
		if !strings.Contains(l.stderr, c.text) || !strings.Contains(l.stderr, c.hint) {
			t.Errorf("host %s: got %q, want %q and %q", c.args, l.stderr, c.text, c.hint)
		}
	}
	l.run(ExitConfiguration)
	l.run(ExitDone, "--help")
	for _, name := range []string{"lease", "record", "release", "clean", "status"} {
		if !strings.Contains(l.stdout, "\n  "+name+" ") {
			t.Errorf("the help lacks %s", name)
		}
	}
	l.run(ExitDone, "record", "--help")
	for _, kind := range host.Kinds() {
		if !strings.Contains(l.stdout, "\n  "+string(kind)+" ") {
			t.Errorf("the help of record lacks %s", kind)
		}
	}
}
