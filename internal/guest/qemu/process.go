// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrPortTaken is part of the error of a QEMU that could not have its port.
var ErrPortTaken = errors.New("the port for the guest's SSH server was taken by another program")

// Process is a QEMU that ends with us: when it is killed, and also when this
// process is, by whatever signal.
type Process struct {
	cmd    *exec.Cmd
	stderr tail
	done   chan struct{}
	err    error // valid after done
}

// Start runs QEMU as the head of a process group of its own. What the guest
// writes to its serial console goes to console, which must not block.
func Start(c Command, console io.Writer) (*Process, error) {
	return start(exec.Command(c.Program, c.Args()...), console)
}

func start(cmd *exec.Cmd, console io.Writer) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = console, &p.stderr
	cmd.SysProcAttr = group()
	started := make(chan error)
	go func() {
		// The death signal is sent when the *thread* that started the child
		// ends, so this one is kept until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, missing(cmd.Path, err)
	}
	return p, nil
}

// missing says what to do about a program that cannot be started.
func missing(program string, err error) error {
	e := fault.New(fault.Ours, "failed to start %s: %w", program, err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, syscall.ENOENT) {
		e.Kind = fault.Configuration
		return e.WithHint("install QEMU (Debian: qemu-system-x86 and qemu-utils; Fedora: qemu-system-x86-core and qemu-img), or name the program")
	}
	return e
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the number of the process and of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the whole process group and waits for its end.
func (p *Process) Kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // an error means that it is gone
	<-p.done
}

// Err says why a process that has ended did so, in QEMU's own words; nil if it
// was asked to end.
func (p *Process) Err() error {
	<-p.done
	text := p.stderr.lines()
	switch {
	case p.err == nil && text == "":
		return nil
	case strings.Contains(text, "host forwarding rule"):
		return fault.New(fault.Transient, "%w: %s", ErrPortTaken, text)
	case p.err == nil:
		return nil // warnings only
	case text == "":
		return fault.New(fault.Ours, "QEMU ended: %w", p.err)
	}
	return fault.New(fault.Ours, "QEMU ended with %w: %s", p.err, text)
}

// tail keeps the end of what a process wrote. Its zero value is ready.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 4 << 10

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*maxTail {
		t.text = bytes.Clone(t.text[len(t.text)-maxTail:])
		if _, whole, ok := bytes.Cut(t.text, []byte("\n")); ok {
			t.text = whole
		}
	}
	return len(p), nil
}

// lines returns what was written as one line that is fit to print. Warnings
// about processor features, one for each, say nothing.
func (t *tail) lines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for line := range strings.Lines(string(t.text)) {
		if line = change.OneLine(line); line != "" && !strings.Contains(line, "warning: ") {
			all = append(all, line)
		}
	}
	return change.Clip(strings.Join(all, "; "), 400)
}
