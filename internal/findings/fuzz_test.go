// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// addSamples adds testdata's files of one kind.
func addSamples(f *testing.F, pattern string) {
	files, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func FuzzJUnit(f *testing.F) {
	addSamples(f, "*.xml")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzReader(t, JUnit, data) })
}

func FuzzSARIF(f *testing.F) {
	addSamples(f, "*.sarif")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzReader(t, SARIF, data) })
}

func FuzzRead(f *testing.F) {
	addSamples(f, "any/*[^n]")
	f.Fuzz(func(t *testing.T, data []byte) { fuzzReader(t, Read, data) })
}

// fuzzReader checks that a report is sound, and that a cut file gives no more
// findings than the whole.
func fuzzReader(t *testing.T, read reader, data []byte) {
	whole, err := read("x", bytes.NewReader(data))
	if err != nil && (len(err.Error()) > 700 || change.OneLine(err.Error()) != err.Error()) {
		t.Errorf("got error %q", err)
	}
	checkFindings(t, whole)
	half, _ := read("x", bytes.NewReader(data[:len(data)/2]))
	checkFindings(t, half)
	if len(half.Findings) > len(whole.Findings)+1 || half.Totals.Tests > whole.Totals.Tests+1 {
		t.Errorf("%q: half of it has %d findings, all of it %d", data, len(half.Findings), len(whole.Findings))
	}
}

// FuzzXML compares with encoding/xml: what that accepts must read the same here.
func FuzzXML(f *testing.F) {
	addSamples(f, "*.xml")
	f.Add([]byte("<a:b c:d='&lt;\r\n'><![CDATA[<>]]>&#65;\r&amp;<e/></a:b>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 || bytes.Contains(data, []byte("&#0")) || bytes.Contains(data, []byte("&#x0")) {
			return // zeros before a number may go on for ever; here they may not
		}
		want, ok := theirs(data)
		if !ok {
			return
		}
		if got := ours(data); got != want {
			t.Errorf("%q:\ngot  %q\nwant %q", data, got, want)
		}
	})
}

// theirs writes what encoding/xml sees; not ok is for what it refuses, and for
// what we refuse on purpose.
func theirs(data []byte) (string, bool) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var b strings.Builder
	depth := 0
	for {
		tok, err := d.Token()
		switch t := tok.(type) {
		case xml.StartElement:
			depth++
			fmt.Fprintf(&b, "\n<%s", t.Name.Local)
			seen := map[string]bool{}
			for _, a := range t.Attr {
				if len(t.Attr) > maxAttrs || len(a.Name.Local) > maxXName/2 {
					return "", false
				}
				if !seen[a.Name.Local] {
					fmt.Fprintf(&b, " %s=%q", a.Name.Local, a.Value)
				}
				seen[a.Name.Local] = true
			}
			b.WriteString(">\n")
			if depth > maxDepth || len(t.Name.Local) > maxXName/2 {
				return "", false
			}
		case xml.EndElement:
			depth--
			fmt.Fprintf(&b, "\n</%s>\n", t.Name.Local)
		case xml.CharData:
			b.Write(t)
		case xml.Directive:
			return "", false
		}
		if err != nil {
			return b.String(), err == io.EOF
		}
	}
}

// ours writes what xmlReader sees in the same way.
func ours(data []byte) string {
	x := newXMLReader(bytes.NewReader(data))
	var b strings.Builder
	for {
		t, err := x.next()
		if t.start != "" {
			fmt.Fprintf(&b, "\n<%s", t.start)
			for _, a := range t.attrs {
				fmt.Fprintf(&b, " %s=%q", a.name, a.value)
			}
			b.WriteString(">\n")
		}
		if t.end != "" {
			fmt.Fprintf(&b, "\n</%s>\n", t.end)
		}
		b.WriteString(t.text)
		if err != nil {
			if err != io.EOF {
				fmt.Fprintf(&b, "error: %v", err)
			}
			return b.String()
		}
	}
}
