// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package proctree

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// No test of this package may run beside another one: each looks at all children
// of this process.

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// output is what a program wrote.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run runs a script in a new folder. Nothing may be left of it.
func run(t *testing.T, ctx context.Context, script string) (End, *output, string) {
	t.Helper()
	return runSlow(t, ctx, script, 1)
}

// runSlow is run with all waits so many times as long.
func runSlow(t *testing.T, ctx context.Context, script string, times time.Duration) (End, *output, string) {
	t.Helper()
	out, dir := new(output), t.TempDir()
	end, err := Run(ctx, Command{
		Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH")},
		Stdout: out, Stderr: out, Patience: times * 300 * time.Millisecond,
		Sleep: func(ctx context.Context, d time.Duration) error { return sleep(ctx, times*d) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := remaining(0); len(left) > 0 || len(end.Left) > 0 {
		t.Errorf("%s: left are %v and %v", script, left, end.Left)
	}
	return end, out, dir
}

// TestStatus: a program's status is its own, whatever it is.
func TestStatus(t *testing.T) {
	for script, want := range map[string]int{
		"exit 0": 0, "exit 1": 1, "exit 75": 75, "exit 124": 124, "exit 125": 125, "exit 126": 126, "/dev/null": 126, "/no/such/program": 127,
		"exit 134": 134, "exit 137": 137, "exit 143": 143, "exit 250": 250, "exit 254": 254, "exit 255": 255,
		"kill -ABRT $$": 134, "kill -KILL $$": 137, "kill -SEGV $$": 139, "kill -TERM $$": 143, "kill -INT $$": 130, "kill -0 $$; exit 9": 9,
	} {
		end, _, _ := run(t, t.Context(), script)
		if end.Status != want || end.Stopped || end.Ended != 0 {
			t.Errorf("%s: got %+v, want the status %d", script, end, want)
		}
	}
	if _, err := Run(t.Context(), Command{Path: "/no/such/program", Sleep: sleep}); err == nil {
		t.Error("a program that is not there was run")
	}
}

// TestLeft: what a program leaves is ended, however it tries to stay, and does
// not change how the program ended.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		name, script string
		status       int
		atLeast      int
	}{
		{"holds the output", "(sleep 30) & exit 0", 0, 1},
		{"holds the output of a failure", "(sleep 30) & exit 3", 3, 1},
		{"goes on writing", "(while :; do echo x; done) & sleep 0.1; exit 0", 0, 0},
		{"another session", "setsid sleep 30 >/dev/null 2>&1 </dev/null & sleep 0.2; exit 0", 0, 1},
		{"a daemon's daemon", "(setsid sh -c '(setsid sleep 30 &) ; exec sleep 30' >/dev/null 2>&1 </dev/null &) ; sleep 0.2; exit 5", 5, 2},
		{"does not listen", `setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 0.05; done' >/dev/null 2>&1 & sleep 0.2; exit 0`, 0, 1},
		{"an empty environment", "env -i setsid sleep 30 >/dev/null 2>&1 & sleep 0.2; kill -9 $$", 137, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			end, out, _ := run(t, t.Context(), c.script)
			if end.Status != c.status || end.Stopped || end.Ended < c.atLeast {
				t.Errorf("got %+v", end)
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			before := out.String()
			time.Sleep(50 * time.Millisecond)
			if out.String() != before {
				t.Error("output came after the end")
			}
		})
	}
}

// TestOutputOfPipes: a process that only hands the output on gets the time for it.
func TestOutputOfPipes(t *testing.T) {
	// A machine with other work takes its time.
	end, out, _ := runSlow(t, t.Context(), "mkfifo p; (sleep 0.1; cat p) & exec >p; echo whole; exit 7", 20)
	if end.Status != 7 || end.Ended != 0 || out.String() != "whole\n" {
		t.Errorf("got %+v, %q", end, out)
	}
}

// TestStopped: a program that is stopped ends, also if it does not want to.
func TestStopped(t *testing.T) {
	for _, script := range []string{
		"exec sleep 30", `trap "" TERM INT; while :; do sleep 0.05; done`, "trap 'exit 0' TERM; while :; do sleep 0.05; done", "setsid sleep 30; exit 0",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		end, _, _ := run(t, ctx, script)
		cancel()
		if !end.Stopped || time.Since(begin) > 8*time.Second {
			t.Errorf("%s: got %+v after %v", script, end, time.Since(begin))
		}
	}
}

// TestReaped: a program may start daemons by the hundred.
func TestReaped(t *testing.T) {
	_, _, dir := run(t, t.Context(), `i=0; while [ $i -lt 100 ]; do (setsid true &); i=$((i+1)); done; sleep 2.2; grep -h PPid /proc/[0-9]*/status >all 2>/dev/null; true`)
	text, err := os.ReadFile(filepath.Join(dir, "all"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), fmt.Sprintf("PPid:\t%d\n", os.Getpid())); n > 5 {
		t.Errorf("this process had %d children", n)
	}
}

// TestOwnChildren: what this process starts for itself is left alone.
func TestOwnChildren(t *testing.T) {
	own, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exec sleep 30"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Wait()
	defer own.Kill()
	run(t, t.Context(), "sleep 0.1")
	if err := own.Signal(syscall.Signal(0)); err != nil {
		t.Error("it was ended")
	}
	if !strings.Contains(childState(t, own.Pid), "S") {
		t.Error("it does not sleep any more")
	}
}

func childState(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))[2]
}

// TestShut: what runs in the tree cannot open this process's files. Root may all
// the same.
func TestShut(t *testing.T) {
	end, out, _ := run(t, t.Context(), "cat /proc/sys/fs/suid_dumpable >/dev/null; stat -c %u /proc/$PPID/fd")
	if end.Status != 0 || out.String() != "0\n" {
		t.Errorf("got %+v, %q: the files of a process that is shut are root's", end, out)
	}
	if got := prctl(getDumpable, 0); got != 1 {
		t.Errorf("it is still shut: %d", got)
	}
}

func TestEnded(t *testing.T) {
	for text, want := range map[string]bool{
		"7 (cat) S 1 7 7 0 -1 4194304 9 0 0 0 0 0 0 0 20 0 1 0 500 2777088 90": false,
		"7 (cat) Z 1 7 7 0 -1 4194304 9 0 0 0 0 0 0 0 20 0 1 0 500 0 0":        true,
		"7 (cat) R 1 7 7 0 -1 4194304 9 0 0 0 0 0 0 0 20 0 1 0 500 0 0":        true, // on its way out
		"7 (cat) Z 1 7 7 0 -1 4194304 9 0 0 0 0 0 0 0 20 0 3 0 500 0 0":        false,
	} {
		if p, err := parseStat(text); err != nil || p.ended != want {
			t.Errorf("%s: got %+v, %v", text, p, err)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (a) b) S 1 2 3 0 -1", 12, 1, 3)
	f.Add("7 (x\n9 (y) Z 4 5 6) R 1 7 7", 7, 1, 7)
	f.Add("7 () Z 1 2 3", 7, 1, 3)
	f.Fuzz(func(t *testing.T, text string, pid, parent, session int) {
		if p, err := parseStat(text); err != nil && p.session != 0 {
			t.Errorf("%q: got %+v with %v", text, p, err)
		}
		whole := fmt.Sprintf("%d (%s) S %d 0 %d 0", pid, text, parent, session)
		if p, err := parseStat(whole); err != nil || p != (process{pid: pid, parent: parent, session: session}) {
			t.Errorf("%q: got %+v, %v", whole, p, err)
		}
	})
}
