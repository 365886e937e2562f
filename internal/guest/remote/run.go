// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Command is a program to run in the guest.
type Command struct {
	// Args are the program and its arguments; no shell looks at them.
	Args []string
	// Dir is where it runs; "" is the home folder of the account.
	Dir string
	// Env are variables as NAME=VALUE. They stand in no command line.
	Env []string
	// Stdout and Stderr get the output as it comes.
	Stdout, Stderr io.Writer
}

// signals are the numbers behind SSH's names (RFC 4254, section 6.10), for the
// status that a shell would give.
var signals = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9,
	"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}

// Run runs a command to its end and returns its exit status, 128 and more for
// one that a signal ended. When ctx ends first, the command is killed and the
// error is that of ctx; when the guest goes away, it is ErrLost.
func (c *Client) Run(ctx context.Context, cmd Command) (int, error) {
	line := fmt.Sprintf("sh -c %s sh", quote(script(cmd.Dir)))
	for _, arg := range cmd.Args {
		line += " " + quote(arg)
	}
	return c.run(ctx, line, strings.NewReader(exports(cmd.Env)), cmd.Stdout, cmd.Stderr)
}

// script is what goes to the folder, sets the variables that come on its
// standard input and becomes the command.
func script(dir string) string {
	enter := ""
	if dir != "" {
		enter = "cd -- " + quote(dir) + " || exit 125; "
	}
	return enter + `eval "$(cat)"; exec "$@" </dev/null`
}

func exports(env []string) string {
	var b strings.Builder
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	return b.String()
}

// run runs one line of shell.
func (c *Client) run(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	session, err := c.ssh.NewSession()
	if err != nil {
		return 0, lost(err)
	}
	defer session.Close()
	out, errOut := &gate{w: stdout}, &gate{w: stderr}
	defer out.close()
	defer errOut.close()
	session.Stdin, session.Stdout, session.Stderr = stdin, out, errOut
	if err := session.Start(line); err != nil {
		return 0, lost(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		session.Signal(ssh.SIGKILL) // what stays ends with the guest
		return 0, ctx.Err()
	}
	if err == nil {
		return 0, nil
	}
	if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
		if n, known := signals[exit.Signal()]; known {
			return 128 + n, nil
		}
		return exit.ExitStatus(), nil
	}
	return 0, lost(err)
}

// output runs one line of shell for its effect; what it prints is the reason
// when it fails.
func (c *Client) output(ctx context.Context, line string, stdin io.Reader) error {
	var text, ignored head
	status, err := c.run(ctx, line, stdin, &ignored, &text)
	if err != nil || status == 0 {
		return err
	}
	reason := change.OneLine(string(text))
	if strings.Contains(reason, "No space left on device") {
		return fault.New(fault.Guest, "%w: %s", ErrDiskFull, reason)
	}
	return fault.New(fault.Guest, "it ended with status %d: %s", status, reason)
}

func lost(err error) error { return fault.New(fault.Guest, "%w: %w", ErrLost, err) }

// gate passes on what comes before it is closed; a command that is given up may
// go on writing for a while.
type gate struct {
	mu sync.Mutex
	w  io.Writer
}

// Write passes text on.
func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w == nil {
		return len(p), nil
	}
	return g.w.Write(p)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.w = nil
}

// head keeps the beginning of what is written to it.
type head []byte

const maxHead = 2 << 10

// Write never fails.
func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), maxHead-len(*h))]...)
	return len(p), nil
}

// quote writes a word for a POSIX shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
