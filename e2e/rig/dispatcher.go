// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// module is the path of the program under test.
const module = "github.com/spdk-community-ci/dispatcher"

// Build compiles the dispatcher as it is released into dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "dispatcher")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("failed to build the dispatcher: %w\n%s", err, out)
	}
	return bin, nil
}

// Result is what one run of the dispatcher left.
type Result struct {
	// Code is the exit status; -1 when it was killed.
	Code           int
	Killed         bool
	Stdout, Stderr string
	Wall           time.Duration
	// Peak is the most memory that it had, in bytes (VmHWM).
	Peak int64
}

// String returns all that a failed test needs to show.
func (r Result) String() string {
	return fmt.Sprintf("exit status %d after %s\n--- stdout\n%s--- stderr\n%s", r.Code, r.Wall.Round(time.Millisecond), r.Stdout, r.Stderr)
}

// Run starts the program with exactly the environment env and waits for its
// end. It gets SIGKILL when something comes from kill, which may be nil.
func Run(ctx context.Context, bin string, env []string, kill <-chan time.Time, args ...string) (Result, error) {
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, errOut bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &errOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watchPeak(cmd.Process.Pid, stop) }()
	go func() {
		select {
		case <-kill:
			cmd.Process.Kill() // an error means that it has ended
		case <-stop:
		}
	}()
	err := cmd.Wait()
	close(stop)
	r := Result{
		Code: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errOut.String(),
		Wall: time.Since(begin), Peak: <-peak,
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		r.Killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && (exit.Exited() || r.Killed) {
		err = nil
	}
	return r, err
}

// watchPeak reads the process's high-water mark every few milliseconds until
// stop is closed. The kernel's rusage cannot be used: it begins with what the
// parent had when it forked.
func watchPeak(pid int, stop <-chan struct{}) int64 {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var peak int64
	for {
		peak = max(peak, highWater(pid))
		select {
		case <-stop:
			return peak
		case <-tick.C:
		}
	}
}

func highWater(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, found := bytes.Cut(data, []byte("VmHWM:"))
	if !found {
		return 0 // ended, not yet waited for
	}
	kB, _ := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
	return kB << 10
}
