// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"bufio"
	"io"
)

// plain takes out of a log what only a terminal understands: escape sequences
// (ECMA-48), control characters other than line ends and tabs, and the mark of
// byte order that GitHub puts in front. A browser would show them as rubbish, and
// a terminal that shows what curl read would obey them. Everything else stays as
// it is, broken UTF-8 included.
type plain struct {
	in     *bufio.Reader
	begun  bool
	mode   mode
	last   byte // given before the next one
	length int  // of the current string sequence
	buf    [16 << 10]byte
	space  []byte
	out    []byte // what is left to give
	err    error
}

// mode is what the bytes before the next one were.
type mode int

const (
	inText   mode = iota
	afterCR       // whether it is a line end of its own is not known yet
	afterC2       // the first byte of a C1 control character in UTF-8, maybe
	afterEsc      // ESC
	inCSI         // ESC [ and parameters
	inString      // ESC ] and the like, up to BEL or ESC \
)

// maxString ends a string that nobody ends.
const maxString = 4096

func newPlain(r io.Reader) *plain { return &plain{in: bufio.NewReader(r)} }

// Read implements io.Reader.
func (p *plain) Read(b []byte) (int, error) {
	if !p.begun {
		p.begun = true
		if head, _ := p.in.Peek(3); string(head) == "\ufeff" {
			p.in.Discard(3)
		}
	}
	for len(p.out) == 0 && p.err == nil {
		var n int
		n, p.err = p.in.Read(p.buf[:])
		p.space = p.space[:0]
		for _, c := range p.buf[:n] {
			p.step(c)
		}
		if p.err != nil {
			p.finish()
		}
		p.out = p.space
	}
	n := copy(b, p.out)
	if p.out = p.out[n:]; n > 0 || len(p.out) > 0 {
		return n, nil
	}
	return 0, p.err
}

func (p *plain) emit(c byte) {
	p.space = append(p.space, c)
	p.last = c
}

// finish gives what was held back.
func (p *plain) finish() {
	switch p.mode {
	case afterCR:
		p.emit('\n')
	case afterC2:
		p.emit(0xc2)
	}
	p.mode = inText
}

func (p *plain) step(c byte) {
	switch p.mode {
	case inText:
		p.text(c)
	case afterCR:
		p.finish()
		if c != '\n' {
			p.text(c)
		}
	case afterC2:
		p.second(c)
	case afterEsc:
		p.escaped(c)
	case inCSI:
		switch {
		case c >= 0x40 && c <= 0x7e:
			p.mode = inText
		case c < 0x20 || c > 0x7e: // no sequence after all
			p.mode = inText
			p.text(c)
		}
	case inString:
		p.length++
		switch {
		case c == 0x1b:
			p.mode = afterEsc
		case c == 0x07 || p.length == maxString:
			p.mode = inText
		case c == '\n':
			p.mode = inText
			p.emit(c)
		}
	}
}

func (p *plain) text(c byte) {
	switch {
	case c == 0x1b:
		p.mode = afterEsc
	case c == 0xc2:
		p.mode = afterC2
	case c == '\r':
		p.mode = afterCR
	case c >= 0x80 && c <= 0x9f && p.last == 0xc2: // what stood between them is gone
	case c >= 0x20 && c != 0x7f, c == '\n', c == '\t':
		p.emit(c)
	}
}

// second reads the byte after 0xc2: U+0080 to U+009F are control characters.
func (p *plain) second(c byte) {
	p.mode = inText
	switch {
	case c == 0x9b:
		p.mode = inCSI
	case c == 0x9d, c == 0x90, c == 0x98, c == 0x9e, c == 0x9f:
		p.mode, p.length = inString, 0
	case c >= 0x80 && c <= 0x9f:
	default:
		p.emit(0xc2)
		p.text(c)
	}
}

// escaped reads what follows ESC.
func (p *plain) escaped(c byte) {
	p.mode = inText
	switch {
	case c == '[':
		p.mode = inCSI
	case c == ']', c == 'P', c == 'X', c == '^', c == '_':
		p.mode, p.length = inString, 0
	case c >= 0x20 && c <= 0x2f: // there is more of it
		p.mode = afterEsc
	case c < 0x20 || c > 0x7e:
		p.text(c)
	}
}
