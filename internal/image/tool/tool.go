// SPDX-License-Identifier: BSD-3-Clause

// Package tool runs the programs that images are made with: docker, qemu-img,
// mke2fs and others. Arguments are lists and never pass a shell; what a program
// wrote last is part of the error; it dies with its context, and so do its
// children.
//
// It does not know what the programs do.
package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// maxTail is how much of a program's last words an error repeats.
	maxTail = 2 << 10
	// maxOutput bounds what Output returns: the longest is a JSON document.
	maxOutput = 4 << 20
	// killDelay is how long a program may take to clean up after ctx ended.
	killDelay = 10 * time.Second
)

// Tools runs programs. The zero value runs those of this machine.
type Tools struct {
	// Path finds a program; nil is exec.LookPath.
	Path func(name string) (string, error)
	// Env is the programs' environment; nil is this process's own.
	Env []string
	// Log, if not nil, gets what programs write while they run.
	Log io.Writer
}

// Command is one run of a program.
type Command struct {
	// Doing ends "failed to ..." in errors.
	Doing string
	// Name is the program, and Args its arguments.
	Name string
	Args []string
	// Dir is its working folder; empty is ours.
	Dir string
	// Env is added to the environment.
	Env []string
	// Stdin and Stdout may be nil; without Stdout the log gets it.
	Stdin  io.Reader
	Stdout io.Writer
}

// Find returns where a program is. The error is a fault.Configuration that names
// the Debian package which has it.
func (t Tools) Find(name, debianPackage string) (string, error) {
	find := t.Path
	if find == nil {
		find = exec.LookPath
	}
	path, err := find(name)
	if err != nil {
		return "", fault.New(fault.Configuration, "the program %s was not found", name).
			WithHint("install it (Debian: apt-get install %s)", debianPackage)
	}
	return path, nil
}

// ExitError is a program that ended with a status other than 0.
type ExitError struct {
	Name   string
	Status int
	// Tail is what it wrote last, without control characters.
	Tail string
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s ended with status %d", e.Name, e.Status)
	if e.Tail != "" {
		text += ":\n      " + strings.ReplaceAll(e.Tail, "\n", "\n      ")
	}
	return text
}

// Run runs a command to its end.
func (t Tools) Run(ctx context.Context, c Command) error {
	tail := &tail{}
	out := io.Writer(tail)
	if t.Log != nil {
		out = io.MultiWriter(tail, t.Log)
	}
	path, err := t.Find(c.Name, c.Name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdin, out, out
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	env := t.Env
	if env == nil {
		env = os.Environ()
	}
	cmd.Env = slices.Concat(env, []string{"LC_ALL=C.UTF-8"}, c.Env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killDelay
	if err = cmd.Run(); err == nil {
		return nil
	}
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // children that stayed; none is fine
	}
	return explain(ctx, c, tail.String(), err)
}

// Output runs a command and returns what it wrote to its standard output.
func (t Tools) Output(ctx context.Context, c Command) (string, error) {
	buf := &limited{}
	c.Stdout = buf
	err := t.Run(ctx, c)
	return buf.String(), err
}

// explain classifies a failed run.
func explain(ctx context.Context, c Command, tail string, err error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Unknown, "failed to %s: %w", c.Doing, context.Cause(ctx))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = &ExitError{Name: c.Name, Status: exit.ExitCode(), Tail: tail}
	}
	f := fault.New(fault.Ours, "failed to %s: %w", c.Doing, err)
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(tail, "o space left on device") {
		f.Hint = "make room: a build needs about three times the image's size in the output folder, and the container engine its own"
	}
	return f
}

// tail keeps the last bytes that were written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if n := len(t.data) - maxTail; n > 0 {
		t.data = append(t.data[:0], t.data[n:]...)
	}
	return len(p), nil
}

// String returns whole lines that are safe to print.
func (t *tail) String() string { return Clean(string(t.data), maxTail) }

// Clean makes outside text safe to print: no control characters but line ends,
// and at most max bytes, the last ones, from the beginning of a line.
func Clean(s string, max int) string {
	cut := len(s) >= max
	s = strings.ToValidUTF8(s[len(s)-min(len(s), max):], "")
	if _, rest, ok := strings.Cut(s, "\n"); cut && ok {
		s = rest
	}
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// limited is a buffer that refuses more than maxOutput.
type limited struct{ data []byte }

func (l *limited) Write(p []byte) (int, error) {
	if len(l.data)+len(p) > maxOutput {
		return 0, fmt.Errorf("the output is longer than %d MiB", maxOutput>>20)
	}
	l.data = append(l.data, p...)
	return len(p), nil
}

func (l *limited) String() string { return string(l.data) }
