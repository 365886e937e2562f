// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

// Package proctree runs a program that is not trusted, and everything that it
// starts: how it ends is what its first process ended with, and nothing of it
// runs any more when Run returns, as far as this account may end it.
//
// On Linux that holds for daemons as well, since this process adopts what loses
// its parent. Processes that somebody else was asked to start (systemd, at, cron,
// sudo) are out of reach; they need a machine, a container or a cgroup.
package proctree

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// Tuning. A cancelled job has 10 seconds before GitHub's runner kills it
// (ProcessInvoker.cs in actions/runner: SIGINT, 7.5 s, SIGTERM, 2.5 s).
const (
	// DefaultPatience is how long output may still come once the program has ended
	// or was asked to.
	DefaultPatience = 5 * time.Second
	// settle is what processes get that are ending anyway: many close their output
	// before they exit. grace is what those that are left get to end once they were
	// asked, and patience what the kernel gets to end them.
	settle   = 200 * time.Millisecond
	grace    = settle + time.Second
	patience = 5 * time.Second
	poll     = 20 * time.Millisecond
	// reapEvery is how often adopted processes that have ended are collected, so
	// that a test which starts many daemons does not use up the process ids.
	reapEvery = time.Second
)

// Command is a program to run.
type Command struct {
	// Path is the program, Args its arguments without its name.
	Path string
	Args []string
	Dir  string
	// Env is its whole environment.
	Env []string
	// Stdout and Stderr get the output as it comes, and nothing once Run returned.
	Stdout, Stderr io.Writer
	// Patience is how long output may come after the end of the program, from
	// processes that it left; 0 is DefaultPatience.
	Patience time.Duration
	Sleep    func(context.Context, time.Duration) error
}

// End is how a program ended.
type End struct {
	// Status is its exit status, or 128 and the number of the signal.
	Status int
	// Stopped says that ctx ended before the program did.
	Stopped bool
	// Ended is the number of processes that it left and that were ended, Left are
	// those that could not be.
	Ended int
	Left  []int
}

// Run runs a program to its end, or until ctx ends: then it and what it started
// get SIGTERM, and what is left after a while SIGKILL. The error says why it could
// not be started. Meanwhile this process must start no other session.
func Run(ctx context.Context, c Command) (End, error) {
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	var stopped atomic.Bool
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, c.Stdout, c.Stderr
	// A session, and not a group alone: no process can join another session, so
	// what is in one is the program's.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		stopped.Store(true)
		return err
	}
	cmd.WaitDelay = c.Patience
	defer guard()()
	if err := cmd.Start(); err != nil {
		return End{}, err
	}
	done := make(chan struct{})
	reaped := make(chan struct{})
	go func() {
		defer close(reaped)
		for tick := time.NewTicker(reapEvery); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				reap(cmd.Process.Pid)
			}
		}
	}()
	// Its errors are about the output or repeat how the program ended. A program
	// that left somebody who holds the output open (exec.ErrWaitDelay) has ended all
	// the same.
	_ = cmd.Wait()
	close(done)
	<-reaped
	end := End{Status: status(cmd.ProcessState), Stopped: stopped.Load()}
	end.Ended, end.Left = endAll(context.WithoutCancel(ctx), cmd.Process.Pid, c.Sleep)
	return end, nil
}

// status is what a shell would say.
func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// endAll ends what the program left.
func endAll(ctx context.Context, first int, sleep func(context.Context, time.Duration) error) (ended int, left []int) {
	asked, all := map[int]bool{}, map[int]bool{}
	for waited := time.Duration(0); ; waited += poll {
		reap(0)
		if left = remaining(first); len(left) == 0 || waited > grace+patience {
			return len(all) - len(left), left
		}
		if waited < settle {
			_ = sleep(ctx, poll)
			continue
		}
		for _, pid := range left {
			all[pid] = true
			switch {
			case waited >= grace:
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone, or another account's
			case !asked[pid]:
				asked[pid] = true
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		_ = sleep(ctx, poll)
	}
}
