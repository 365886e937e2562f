// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"crypto/rand"
	"fmt"
	"io"
	"sync"
)

// passage hands the output of a guest's command on as it is. GitHub's runner
// obeys lines that look like its commands, and a patch under test could print
// such lines, so there the runner is told to obey nothing until it hears a word
// that the guest cannot know.
type passage struct {
	mu       sync.Mutex
	out, err io.Writer
	token    string
	last     byte // written to out
}

func newPassage(stdout, stderr io.Writer, inActions bool) *passage {
	p := &passage{out: stdout, err: stderr, last: '\n'}
	if inActions {
		// The runner reads both streams, each at its own pace: with one of them
		// nothing is read after the word that was written before.
		p.err = stdout
		p.token = "dispatcher-" + rand.Text()
		fmt.Fprintf(stdout, "::stop-commands::%s\n", p.token)
	}
	return p
}

// passageStream is one of the two.
type passageStream struct {
	p  *passage
	to func(*passage) io.Writer
}

// Write passes text on.
func (s passageStream) Write(text []byte) (int, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if len(text) > 0 {
		s.p.last = text[len(text)-1]
	}
	return s.to(s.p).Write(text)
}

func (p *passage) stdout() io.Writer {
	return passageStream{p, func(p *passage) io.Writer { return p.out }}
}

func (p *passage) stderr() io.Writer {
	return passageStream{p, func(p *passage) io.Writer { return p.err }}
}

// end lets the runner obey again.
func (p *passage) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == "" {
		return
	}
	if p.last != '\n' {
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "::%s::\n", p.token)
}
