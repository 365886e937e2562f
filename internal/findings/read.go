// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Read reads a test report or an analyser's log in any of the formats of this
// package; what it is is seen from its beginning, not from its name. It may be in
// UTF-8 or UTF-16. file names it in errors and findings. An error says what was
// wrong and where, or what the file is instead; the report then holds all that
// was read before.
func Read(file string, r io.Reader) (Report, error) {
	text := bufio.NewReader(decoded(r))
	first, err := firstByte(text)
	switch {
	case err == io.EOF:
		return Report{}, wrong(file, "byte 0", errors.New("it is empty"))
	case err != nil:
		return Report{}, wrong(file, "at its beginning", err)
	case first == '<':
		return readXML(file, text, byRoot(file))
	case first == '{' || first == '[':
		return SARIF(file, text)
	}
	return Report{}, wrong(file, "at its beginning", errors.New(other(text)))
}

// decoded turns UTF-16 into UTF-8 and takes byte order marks away. Some tools
// write no mark (XML 1.0, appendix F).
func decoded(r io.Reader) io.Reader {
	raw := bufio.NewReader(r)
	fallback := encoding.Nop.NewDecoder()
	switch head, _ := raw.Peek(4); {
	case bytes.Equal(head, []byte("<\x00?\x00")):
		fallback = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case bytes.Equal(head, []byte("\x00<\x00?")):
		fallback = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return transform.NewReader(raw, unicode.BOMOverride(fallback))
}

// maxBlank bounds the white space before the beginning of a file.
const maxBlank = 64 << 10

// firstByte returns the first byte that is not white space, and leaves it.
func firstByte(r *bufio.Reader) (byte, error) {
	for range maxBlank {
		c, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, r.UnreadByte()
		}
	}
	return ' ', nil
}

// other says what a file is that is neither XML nor JSON.
func other(r *bufio.Reader) string {
	head, _ := r.Peek(5)
	switch {
	case bytes.HasPrefix(head, []byte("TAP v")), bytes.HasPrefix(head, []byte("1..")), bytes.HasPrefix(head, []byte("ok ")), bytes.HasPrefix(head, []byte("not o")):
		return "it is a TAP report, which is not read; most tools that write TAP write JUnit as well"
	case bytes.HasPrefix(head, []byte("PK")), bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "it is packed, and packed reports are not read"
	}
	return "it is neither XML nor JSON"
}

// dialect reads one kind of test report from XML.
type dialect interface {
	start(t token)
	end(name string)
	text(s string)
	// cut keeps what was open when the file broke off.
	cut()
	report() Report
}

// readXML reads XML with the dialect that is chosen by the root's name.
func readXML(file string, r io.Reader, choose func(x *xmlReader, root string) (dialect, error)) (Report, error) {
	x := newXMLReader(r)
	var d dialect
	for {
		t, err := x.next()
		if t.start != "" && d == nil && err == nil {
			d, err = choose(x, t.start)
		}
		switch {
		case err == io.EOF && d != nil:
			return d.report(), nil
		case err == io.EOF:
			return Report{}, wrong(file, x.where(), errors.New("it is no XML: there is no element in it"))
		case err != nil && d == nil:
			return Report{}, wrong(file, x.where(), err)
		case err != nil:
			d.cut()
			return d.report(), wrong(file, x.where(), err)
		case d == nil: // text before the root
		case t.start != "":
			d.start(t)
		case t.end != "":
			d.end(t.end)
		case len(x.open) > 0:
			d.text(t.text)
		}
	}
}

// byRoot chooses a dialect by the first element of a file.
func byRoot(file string) func(*xmlReader, string) (dialect, error) {
	return func(x *xmlReader, root string) (dialect, error) {
		if f, ok := forms[root]; ok {
			return &results{form: f, collector: newCollector(file)}, nil
		}
		switch root {
		case "testsuites", "testsuite", "testcase":
			return newJUnit(file, x), nil
		case "CUNIT_TEST_RUN_REPORT":
			return &cunit{collector: newCollector(file)}, nil
		case "CUNIT_TEST_LIST_REPORT":
			return nil, errors.New("it is CUnit's list of tests, which has no results; the file with them ends in -Results.xml")
		}
		return nil, fmt.Errorf("its first element is <%s>, so it is no report of JUnit, NUnit, xUnit.net, TRX or CUnit", change.OneLine(root))
	}
}
