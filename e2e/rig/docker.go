// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// StartDocker starts a daemon unless one runs; stop ends the one that it started.
func StartDocker(ctx context.Context) (stop func(), err error) {
	works := func() bool { return exec.Command("docker", "version").Run() == nil }
	if works() {
		return func() {}, nil
	}
	cmd := exec.Command("dockerd", "--log-level", "error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the death signal is that of the thread
		defer runtime.UnlockOSThread()
		started <- cmd.Start()
		if cmd.Process != nil {
			cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("failed to start dockerd: %w (%s)", err, installHint)
	}
	stop = func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}
	for deadline := time.Now().Add(time.Minute); !works(); time.Sleep(200 * time.Millisecond) {
		select {
		case <-ended:
			return nil, errors.New("dockerd ended before it was ready")
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		default:
		}
		if time.Now().After(deadline) {
			stop()
			return nil, errors.New("dockerd was not ready within a minute")
		}
	}
	return stop, nil
}

// MakeBase makes an image with a Debian from its packages, unless it is there: no
// registry can be asked here.
func MakeBase(ctx context.Context, name string) error {
	if imageExists(ctx, name) {
		return nil
	}
	bootstrap := exec.CommandContext(ctx, "mmdebstrap", "--quiet", "--variant=minbase", "bookworm", "-")
	load := exec.CommandContext(ctx, "docker", "import", "-", name)
	var said bytes.Buffer
	bootstrap.Stderr, load.Stderr = &said, &said
	pipe, err := bootstrap.StdoutPipe()
	if err != nil {
		return err
	}
	load.Stdin = pipe
	if err := bootstrap.Start(); err != nil {
		return err
	}
	if err := errors.Join(load.Run(), bootstrap.Wait()); err != nil {
		return fmt.Errorf("failed to make the base image: %w\n%s", err, said.String())
	}
	return nil
}
