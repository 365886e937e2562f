// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// walker goes through JSON piece by piece. Decoding into a struct would hold
// whole lists, and a hostile file of a few MiB can hold lists of millions.
// A value of another type than expected is passed over.
type walker struct {
	dec   *json.Decoder
	depth int
}

func newWalker(r io.Reader) *walker {
	dec := json.NewDecoder(&steady{r: &limited{r, MaxSize}})
	dec.UseNumber() // one that no float64 holds is not worth an error
	return &walker{dec: dec}
}

// where names the current place.
func (w *walker) where() string { return fmt.Sprintf("byte %d", w.dec.InputOffset()) }

// token reads a token. One that begins an object or a list enters it.
func (w *walker) token() (t json.Token, entered json.Delim, err error) {
	if t, err = w.dec.Token(); err != nil {
		return nil, 0, err
	}
	if entered, _ = t.(json.Delim); entered != 0 {
		w.depth++
	}
	if w.depth > maxDepth {
		return nil, 0, fmt.Errorf("its values are nested deeper than %d", maxDepth)
	}
	return t, entered, nil
}

// begin enters a value of the wanted kind ('{' or '['), or passes over another.
func (w *walker) begin(kind json.Delim) (bool, error) {
	_, entered, err := w.token()
	switch {
	case err != nil || entered == 0:
		return false, err
	case entered == kind:
		return true, nil
	default:
		return false, w.leave()
	}
}

// leave passes over the rest of the value that was entered last.
func (w *walker) leave() error {
	for w.dec.More() {
		if err := w.skip(); err != nil {
			return err
		}
	}
	w.depth--
	_, err := w.dec.Token()
	return err
}

// skip passes over a value; over a name of an object, too.
func (w *walker) skip() error {
	_, err := w.begin(0)
	return err
}

// object calls each for every name of an object; each must take the value.
func (w *walker) object(each func(name string) error) error {
	in, err := w.begin('{')
	if !in || err != nil {
		return err
	}
	for w.dec.More() {
		t, err := w.dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		if err := each(name); err != nil {
			return err
		}
	}
	return w.leave()
}

// array calls each for every element of a list; each must take it.
func (w *walker) array(each func(i int) error) error {
	in, err := w.begin('[')
	if !in || err != nil {
		return err
	}
	for i := 0; w.dec.More(); i++ {
		if err := each(i); err != nil {
			return err
		}
	}
	return w.leave()
}

// scalar takes a value that is neither object nor list, or passes over one.
func (w *walker) scalar() (json.Token, error) {
	t, entered, err := w.token()
	if err != nil || entered == 0 {
		return t, err
	}
	return nil, w.leave()
}

// text takes a string, of which at most so many bytes are kept.
func (w *walker) text(to *string) error {
	v, err := w.scalar()
	if s, ok := v.(string); ok {
		*to = string([]byte(s[:min(len(s), maxRun)])) // a copy: the rest is let go
	}
	return err
}

// number takes a whole number that is not negative.
func (w *walker) number(to *int) error {
	v, err := w.scalar()
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil && i >= 0 && i <= math.MaxInt32 {
			*to = int(i)
		}
	}
	return err
}

// maxPiece is the longest string, number or stretch of white space that a
// decoder is given: it would hold it whole.
const maxPiece = 8 << 20

var errLongPiece = fmt.Errorf("a single value is longer than %d MiB", maxPiece>>20)

// steady fills what it is given as far as it can: the decoder looks again at all
// white space each time it gets a little more. It skips the byte order mark that
// some tools put before UTF-8, and stops at what is too long.
type steady struct {
	r       io.Reader
	begun   bool
	quoted  bool // within a string
	escaped bool // after a backslash in it
	piece   int  // bytes since something began
}

func (s *steady) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = s.r.Read(p[n:])
		n += more
	}
	if !s.begun {
		s.begun = true
		n = copy(p, bytes.TrimPrefix(p[:n], []byte("\xef\xbb\xbf")))
	}
	for i, c := range p[:n] {
		if s.measure(c); s.piece > maxPiece {
			return i, errLongPiece
		}
	}
	return n, err
}

// measure follows strings, and counts since the last sign of JSON's structure.
func (s *steady) measure(c byte) {
	s.piece++
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted && c == '\\':
		s.escaped = true
	case c == '"':
		s.quoted, s.piece = !s.quoted, 0
	case !s.quoted && (c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']'):
		s.piece = 0
	}
}
