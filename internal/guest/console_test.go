// SPDX-License-Identifier: BSD-3-Clause

package guest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	c := newConsole(&file)
	text := "\x1b[2J\x1b[0;1;39mgreen\x1b[0m \xff\r\r\n\n::warning::x\r\n" + strings.Repeat("y", 1000) + "\nunfinished"
	for i := range len(text) { // in pieces of one byte
		c.Write([]byte(text[i : i+1]))
	}
	want := []string{"green \uFFFD", ": :warning::x", strings.Repeat("y", maxConsoleLine), "unfinished"}
	if got := c.tail(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if file.String() != text {
		t.Errorf("the file holds %q", file.String())
	}
	if why, _ := c.ending(); why != "" {
		t.Errorf("it ended: %s", why)
	}
	c.Write([]byte("\n[ 1.0] Kernel panic - not syncing: one\n[ 1.1] Kernel panic - not syncing: two\n"))
	<-c.ended
	if why, panicked := c.ending(); why != "[ 1.0] Kernel panic - not syncing: one" || !panicked {
		t.Errorf("got %q, %t", why, panicked)
	}
}

// TestConsoleIsBounded: a guest that prints for ever fills neither disk nor
// memory.
func TestConsoleIsBounded(t *testing.T) {
	t.Parallel()
	var file counter
	c := newConsole(&file)
	c.left = 1000
	for range 100 {
		c.Write(bytes.Repeat([]byte("line\n"), 33))
	}
	if file != 1000 {
		t.Errorf("got a file of %d bytes, want 1000", file)
	}
	if got := len(c.tail()); got != tailLines || len(c.lines) > 2*tailLines {
		t.Errorf("got %d lines of %d", got, len(c.lines))
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// FuzzConsole: what a log is shown of a console is clean, in whatever pieces it
// came.
func FuzzConsole(f *testing.F) {
	f.Add([]byte("\x1b[31m::error::x\r\n##[group]\n\x1b]0;title\x07ok\n"), 3)
	f.Fuzz(func(t *testing.T, text []byte, at int) {
		c := newConsole(nil)
		at = max(0, min(at, len(text)))
		c.Write(text[:at])
		c.Write(text[at:])
		for _, line := range c.tail() {
			if strings.HasPrefix(line, "::") || strings.Contains(line, "##[") || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("got the line %q", line)
			}
		}
	})
}
