// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// name reads a name up to what cannot be part of one.
func (x *xmlReader) name() (string, error) {
	var b []byte
	for {
		c, err := x.byte()
		if err != nil {
			return "", err
		}
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
		if !letter && !strings.ContainsRune("_:.-", rune(c)) {
			x.undo()
			break
		}
		if b = append(b, c); len(b) > maxXName {
			return "", fmt.Errorf("a name is longer than %d bytes", maxXName)
		}
	}
	if len(b) == 0 {
		return "", errors.New("a name is missing in a tag")
	}
	return local(string(b)), nil
}

// skipSpace returns the first byte that is not white space.
func (x *xmlReader) skipSpace() (byte, error) {
	for {
		c, err := x.byte()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
	}
}

func (x *xmlReader) attribute() (attr, error) {
	name, err := x.name()
	if err != nil {
		return attr{}, err
	}
	c, err := x.skipSpace()
	if err != nil || c != '=' {
		return attr{}, orError(err, "the attribute "+name+" has no value")
	}
	quote, err := x.skipSpace()
	if err != nil || quote != '"' && quote != '\'' {
		return attr{}, orError(err, "the value of "+name+" has no quotes")
	}
	value, err := x.run(quote)
	return attr{name, value}, err
}

// text reads up to the next tag or the end of the file.
func (x *xmlReader) text() (string, error) {
	text, err := x.run('<')
	if err == io.EOF {
		return text, nil
	}
	if err == nil {
		x.undo()
	}
	return text, err
}

// run reads up to a byte, which is taken too. References are resolved.
func (x *xmlReader) run(end byte) (string, error) {
	var b keeper
	for !b.full() {
		c, err := x.byte()
		switch {
		case err != nil || c == end:
			return b.String(), err
		case c == '&':
			b.add(x.reference())
		default:
			b.byte(c)
		}
	}
	for {
		if _, done, err := x.slice(end); done || err != nil {
			return b.String(), err
		}
	}
}

// until reads up to a text that ends in '>', which is taken too; nothing in it
// is special.
func (x *xmlReader) until(end string) (string, error) {
	var b keeper
	var held []byte // not kept yet: it may end in a part of end
	for {
		piece, _, err := x.slice('>')
		if held = append(held, piece...); bytes.HasSuffix(held, []byte(end)) {
			b.bytes(held[:len(held)-len(end)])
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		sure := max(0, len(held)-len(end)+1)
		b.bytes(held[:sure])
		held = append(held[:0], held[sure:]...)
	}
}

// slice reads up to a byte, or a part of that where it is long.
func (x *xmlReader) slice(end byte) (piece []byte, done bool, err error) {
	piece, err = x.r.ReadSlice(end)
	x.at += int64(len(piece))
	x.line += bytes.Count(piece, []byte("\n"))
	x.back = end
	if errors.Is(err, bufio.ErrBufferFull) {
		return piece, false, nil
	}
	return piece, err == nil, err
}

// keeper keeps the beginning of a text. A line end is one '\n' in it, however
// it was written.
type keeper struct {
	strings.Builder
	cr bool // the last byte was '\r', and was kept as '\n'
}

func (k *keeper) byte(c byte) {
	follows := k.cr && c == '\n'
	k.cr = c == '\r'
	switch {
	case follows || k.full():
	case k.cr:
		k.WriteByte('\n')
	default:
		k.WriteByte(c)
	}
}

func (k *keeper) bytes(more []byte) {
	for i := 0; i < len(more) && !k.full(); i++ {
		k.byte(more[i])
	}
}

// add keeps a short text as it is.
func (k *keeper) add(s string) {
	k.cr = false
	if !k.full() {
		k.WriteString(s)
	}
}

func (k *keeper) full() bool { return k.Len() >= maxRun }

// references are the five names that XML itself defines.
var references = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// reference reads what follows an '&'. What is no reference, or one that a
// document type would have to define, stays as it is written.
func (x *xmlReader) reference() string {
	var name []byte
	for len(name) < 10 {
		c, err := x.byte()
		if err != nil {
			return "&" + string(name)
		}
		if c == ';' {
			return resolveReference(string(name))
		}
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c != '#' && (c < '0' || c > '9') {
				x.undo()
				break
			}
		}
		name = append(name, c)
	}
	return "&" + string(name)
}

func resolveReference(name string) string {
	if s, ok := references[name]; ok {
		return s
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return "&" + name + ";"
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune {
		return "&" + name + ";"
	}
	return string(rune(n))
}
