// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

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
	"TRAP": 5, "BUS": 7, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "SYS": 31,
}

// Run runs a command to its end and returns its exit status, 128 and more for
// one that a signal ended. When ctx ends first, the command is killed and the
// error is that of ctx; when the guest goes away, it is ErrLost. A command that
// left processes behind has ended all the same; their output is waited for a
// little and then ignored. When there is no folder to run in nothing was run, and
// the error is a fault.Configuration.
func (c *Client) Run(ctx context.Context, cmd Command) (int, error) {
	if cmd.Dir != "" { // by itself, so that each status of the other is the command's
		if err := c.output(ctx, "cd -- "+quote(cmd.Dir), strings.NewReader("")); err != nil {
			return 0, noFolder(cmd.Dir, err)
		}
	}
	line := fmt.Sprintf("sh -c %s sh", quote(script(cmd.Dir)))
	for _, arg := range cmd.Args {
		line += " " + quote(arg)
	}
	return c.run(ctx, line, strings.NewReader(exports(cmd.Env)), cmd.Stdout, cmd.Stderr)
}

// noFolder says that a folder cannot be entered, if that is what is wrong.
func noFolder(dir string, err error) error {
	if ended, ok := errors.AsType[*failed](err); ok {
		return fault.New(fault.Configuration, "there is no folder %s in the guest: %s", change.OneLine(dir), ended.reason).
			WithHint("--copy-in makes folders, and --dir names one")
	}
	return err
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

// outputPatience is how long output may still come after a command ended, from
// processes that it left.
const outputPatience = 5 * time.Second

// run runs one line of shell. It does without the library's Session, which tells
// how a command ended only when nobody holds its output any more: a server sends
// the status at the command's end and closes the channel with the output
// (session_exit_message in OpenSSH's session.c).
func (c *Client) run(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	channel, requests, err := c.ssh.OpenChannel("session", nil)
	if err != nil {
		return 0, lost(err)
	}
	defer channel.Close()
	ended := make(chan exit, 1)
	go func() { ended <- await(requests) }()
	out, errOut := &gate{w: stdout}, &gate{w: stderr}
	defer out.close()
	defer errOut.close()
	began, err := channel.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{line}))
	if err == nil && !began {
		err = errors.New("its SSH server does not run commands")
	}
	if err != nil {
		return 0, lost(err)
	}
	var copies sync.WaitGroup
	copies.Go(func() { io.Copy(out, channel) })
	copies.Go(func() { io.Copy(errOut, channel.Stderr()) })
	go func() {
		io.Copy(channel, stdin) // a command need not read it
		channel.CloseWrite()
	}()
	var end exit
	select {
	case end = <-ended:
	case <-ctx.Done():
		channel.SendRequest("signal", false, ssh.Marshal(struct{ Signal string }{string(ssh.SIGKILL)})) // what stays ends with the guest
		return 0, ctx.Err()
	}
	if !end.known {
		return 0, lost(errors.New("it did not say how the command ended"))
	}
	copied := make(chan struct{})
	go func() {
		copies.Wait()
		close(copied)
	}()
	patience := time.NewTimer(outputPatience)
	defer patience.Stop()
	select {
	case <-copied:
	case <-patience.C:
	case <-ctx.Done():
	}
	return end.status, nil
}

// exit is how a command ended, if its server said so.
type exit struct {
	status int
	known  bool
}

// await reads a channel's requests up to the one that tells how the command ended
// (RFC 4254, section 6.10), or to the end of the channel.
func await(requests <-chan *ssh.Request) (end exit) {
	for r := range requests {
		if r.WantReply {
			r.Reply(false, nil) // keep-alives
		}
		var number struct{ Status uint32 }
		var signal struct {
			Name      string
			Core      bool
			Text, Tag string
		}
		switch {
		case r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &number) == nil:
			end = exit{int(min(number.Status, 255)), true}
		case r.Type == "exit-signal" && ssh.Unmarshal(r.Payload, &signal) == nil:
			end = exit{128 + signals[signal.Name], true}
		default:
			continue
		}
		go ssh.DiscardRequests(requests)
		return end
	}
	return end
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
	return fault.Wrap(fault.Guest, &failed{status, reason})
}

// failed is a command of ours that did not do its work in the guest.
type failed struct {
	status int
	reason string
}

func (f *failed) Error() string {
	return fmt.Sprintf("it ended with status %d: %s", f.status, f.reason)
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
