// SPDX-License-Identifier: BSD-3-Clause

package guest

import (
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// How much of a console is kept: in a file, and in an error.
const (
	maxConsole     = 64 << 20
	maxConsoleLine = 300
	tailLines      = 25
)

// escapes are a terminal's sequences (ECMA-48: CSI, OSC and the short ones).
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_=>78cM])`)

// endings are what a console says when there is nothing to wait for.
var endings = []struct{ mark, why string }{
	{"Kernel panic - not syncing", ""},
	{"No bootable device", "the firmware found nothing to boot on the disk"},
	{"You are in emergency mode", "the guest's system did not start and fell into emergency mode"},
	{"Give root password for maintenance", "the guest's system did not start and fell into emergency mode"},
}

// console reads what the guest prints on its serial line. A guest is not
// trusted: what leaves this type towards a log is clean.
type console struct {
	mu    sync.Mutex
	file  io.Writer // nil if nobody wants it
	left  int       // bytes that the file may still get
	err   error     // why the file is not whole
	line  []byte
	lines []string
	all   int64 // bytes that came
	// ended is closed when an ending was seen, why is its line.
	ended chan struct{}
	why   string
	panic bool
}

func newConsole(file io.Writer) *console {
	return &console{file: file, left: maxConsole, ended: make(chan struct{})}
}

// Write takes a piece of the console's text. It never fails: QEMU would stop.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all += int64(len(p))
	if c.file != nil && c.left > 0 && c.err == nil {
		n, err := c.file.Write(p[:min(len(p), c.left)])
		c.left, c.err = c.left-n, err
	}
	for _, b := range p {
		switch {
		case b == '\n':
			c.endLine()
		case len(c.line) < maxConsoleLine:
			c.line = append(c.line, b)
		}
	}
	return len(p), nil
}

func (c *console) endLine() {
	text := printable(string(c.line))
	c.line = c.line[:0]
	if text == "" {
		return
	}
	if c.lines = append(c.lines, text); len(c.lines) > 2*tailLines {
		c.lines = append([]string(nil), c.lines[tailLines:]...)
	}
	if c.why != "" {
		return
	}
	for i, e := range endings {
		if strings.Contains(text, e.mark) {
			c.why, c.panic = e.why, i == 0
			if c.why == "" {
				c.why = text
			}
			close(c.ended)
			return
		}
	}
}

// tail returns the last lines.
func (c *console) tail() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := append([]string(nil), c.lines...)
	if last := printable(string(c.line)); last != "" {
		lines = append(lines, last)
	}
	return lines[max(0, len(lines)-tailLines):]
}

// size is how many bytes came.
func (c *console) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// atLogin reports whether the last line asks for an account (agetty's prompt).
func (c *console) atLogin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.HasSuffix(printable(string(c.line)), "login:")
}

// ending returns the line that was the last one of a guest.
func (c *console) ending() (why string, panicked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why, c.panic
}

// printable makes a line fit for a log: terminals' escape sequences are taken
// out as a whole, since their remains say nothing.
func printable(line string) string {
	return change.OneLine(escapes.ReplaceAllString(strings.ToValidUTF8(line, "\uFFFD"), ""))
}
