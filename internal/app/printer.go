// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// printer is standard output that remembers its first failure. Commands print
// without a look at errors, and go on with their work: Main tells in the end.
type printer struct {
	mu  sync.Mutex
	out io.Writer
	err error
}

// Write never fails; after a failure it drops everything, because half of a
// result in the middle of another is worse than none.
func (p *printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		_, p.err = p.out.Write(text)
	}
	return len(text), nil
}

// lost returns the first failure.
func (p *printer) lost() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// ifLost is the exit status of a command that did its work, but whose output was
// lost. A test's own status is handed on by two commands: theirs must be one
// that no test ends with, or a full disk would be a failed test.
func (c command) ifLost() int {
	switch c.name {
	case "guest":
		return 250 // exitGuestHost, which the action is built without
	case "environments":
		return 125 // exitRig
	}
	return ExitFailed
}

// perform runs the command, and tells if its output was lost.
func (c command) perform(ctx context.Context, a *App, args []string) int {
	out := &printer{out: a.Stdout}
	inner := *a
	inner.Stdout = out
	status := c.run(&inner, ctx, args)
	if err := out.lost(); err != nil {
		fmt.Fprintf(a.Stderr, "dispatcher %s: failed to print the result: %v\n    hint: make room where standard output goes; what the command did stands\n", c.name, err)
		if status == ExitDone {
			status = c.ifLost()
		}
	}
	return status
}
