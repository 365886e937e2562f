// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxDepth = 64       // of elements
	maxAttrs = 64       // of one element that are kept
	maxRun   = 64 << 10 // bytes that are kept of one text or value
	maxXName = 256      // bytes of a name

	doctype = "DOCTYPE"
)

// token is a start tag, an end tag or a piece of text: the other fields are
// empty. An empty element gives both tags.
type token struct {
	start, end string
	attrs      []attr
	text       string
}

type attr struct{ name, value string }

// get returns an attribute's value, or "".
func (t token) get(name string) string {
	for _, a := range t.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// xmlReader splits XML into tokens. It differs from encoding/xml on purpose:
// test output is full of what XML does not allow (escape characters, lone
// ampersands, broken UTF-8) and as long as a log; so such bytes pass, and of
// each text only the beginning is kept. The name of a document type is passed
// over (CUnit has one) and its file never read; one that defines something is
// refused: there is nothing that could expand.
type xmlReader struct {
	r    *bufio.Reader
	line int
	at   int64
	back byte     // the last byte read, for undo
	open []string // the elements around the current place
	both bool     // the last start tag also ends its element
}

func newXMLReader(r io.Reader) *xmlReader {
	return &xmlReader{r: bufio.NewReaderSize(&limited{r, MaxSize}, 64<<10), line: 1}
}

// where names the current place.
func (x *xmlReader) where() string { return fmt.Sprintf("line %d (byte %d)", x.line, x.at) }

func (x *xmlReader) byte() (byte, error) {
	c, err := x.r.ReadByte()
	if err != nil {
		return 0, err
	}
	x.at++
	if x.back = c; c == '\n' {
		x.line++
	}
	return c, nil
}

// undo puts the last byte back.
func (x *xmlReader) undo() {
	if x.r.UnreadByte() != nil {
		return
	}
	x.at--
	if x.back == '\n' {
		x.line--
	}
}

// next returns the next token; io.EOF comes only after all elements ended.
func (x *xmlReader) next() (token, error) {
	if x.both {
		x.both = false
		return token{end: x.pop()}, nil
	}
	for {
		c, err := x.byte()
		if err == io.EOF && len(x.open) > 0 {
			return token{}, fmt.Errorf("it ends within <%s>", x.open[len(x.open)-1])
		}
		if err != nil {
			return token{}, err
		}
		if c != '<' {
			x.undo()
			text, err := x.text()
			return token{text: text}, err
		}
		t, err := x.markup()
		if err != nil || t.start != "" || t.end != "" || t.text != "" {
			return t, noEOF(err)
		}
	}
}

// noEOF turns the end of the file into an error where it is too early.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (x *xmlReader) pop() string {
	name := x.open[len(x.open)-1]
	x.open = x.open[:len(x.open)-1]
	return name
}

// markup reads what follows a '<'. Comments and instructions give an empty token.
func (x *xmlReader) markup() (token, error) {
	c, err := x.byte()
	if err != nil {
		return token{}, err
	}
	switch c {
	case '?':
		_, err := x.until("?>")
		return token{}, err
	case '!':
		return x.declaration()
	case '/':
		return x.endTag()
	}
	x.undo()
	return x.startTag()
}

// declaration reads a comment, a CDATA section or a document type.
func (x *xmlReader) declaration() (token, error) {
	for _, d := range []struct {
		begin, end string
		keep       bool
	}{{"--", "-->", false}, {"[CDATA[", "]]>", true}} {
		head, err := x.r.Peek(len(d.begin))
		if string(head) != d.begin {
			if err != nil && err != io.EOF {
				return token{}, err
			}
			continue
		}
		for range len(d.begin) {
			if _, err := x.byte(); err != nil {
				return token{}, err
			}
		}
		text, err := x.until(d.end)
		if !d.keep {
			text = ""
		}
		return token{text: text}, err
	}
	if head, err := x.r.Peek(len(doctype)); string(head) != doctype || len(x.open) > 0 {
		if err != nil && err != io.EOF {
			return token{}, err
		}
		return token{}, errors.New("it has a declaration that no report needs")
	}
	name, err := x.until(">")
	if strings.ContainsRune(name, '[') {
		return token{}, errors.New("its document type defines something, which no report needs")
	}
	return token{}, err
}

func (x *xmlReader) endTag() (token, error) {
	name, err := x.name()
	if err != nil {
		return token{}, err
	}
	c, err := x.skipSpace()
	if err != nil {
		return token{}, err
	}
	if c != '>' || len(x.open) == 0 || x.open[len(x.open)-1] != name {
		want := "no end tag"
		if len(x.open) > 0 {
			want = "</" + x.open[len(x.open)-1] + ">"
		}
		return token{}, fmt.Errorf("</%s> stands where %s belongs", name, want)
	}
	return token{end: x.pop()}, nil
}

func (x *xmlReader) startTag() (token, error) {
	name, err := x.name()
	if err != nil {
		return token{}, err
	}
	if len(x.open) == maxDepth {
		return token{}, fmt.Errorf("its elements are nested deeper than %d", maxDepth)
	}
	t := token{start: name}
	for {
		c, err := x.skipSpace()
		if err != nil {
			return token{}, err
		}
		switch c {
		case '/':
			if c, err = x.byte(); err != nil || c != '>' {
				return token{}, orError(err, "a '/' stands alone in a tag")
			}
			x.both = true
			fallthrough
		case '>':
			x.open = append(x.open, name)
			return t, nil
		}
		x.undo()
		a, err := x.attribute()
		if err != nil {
			return token{}, err
		}
		if len(t.attrs) < maxAttrs && !slices.ContainsFunc(t.attrs, func(o attr) bool { return o.name == a.name }) {
			t.attrs = append(t.attrs, a)
		}
	}
}

func orError(err error, text string) error {
	if err == nil {
		return errors.New(text)
	}
	return err
}

// local cuts a name's prefix.
func local(name string) string {
	if prefix, rest, ok := strings.Cut(name, ":"); ok && prefix != "" && rest != "" {
		return rest
	}
	return name
}
