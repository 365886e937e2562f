// SPDX-License-Identifier: BSD-3-Clause

package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Limits of one file; a description that is larger is none.
const (
	maxFile   = 1 << 20
	maxValues = 20_000
)

// Document knows where the values of a struct were given and what is wrong
// with them. The zero value is one without a file.
type Document struct {
	file     string
	values   int
	places   map[string]place
	problems []located
}

type located struct {
	at         place
	text, hint string
}

// Decode reads a file's text into the struct that into points to. It goes on
// after a mistake; Err tells all of them.
func Decode(file string, data []byte, into any) *Document {
	d := &Document{file: file, places: map[string]place{}}
	if root := d.parse(data); root != nil {
		d.decode(root, "", reflect.ValueOf(into).Elem())
	}
	return d
}

// Name gives a value that does not come from the file a place of its own, such
// as the flag that it comes from.
func (d *Document) Name(path, name string) {
	if d.places == nil {
		d.places = map[string]place{}
	}
	d.places[path] = place{name: name}
}

// Given reports whether a value was given, right or wrong.
func (d *Document) Given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Fail notes that something is wrong with a value; the hint may be empty. A
// path is written like nvme[0].size. What was not given is complained about
// where the value around it stands. A value that could not be read at all is
// not complained about a second time.
func (d *Document) Fail(path, hint, format string, args ...any) {
	where, given := d.places[path]
	for around := path; !given && around != ""; where, given = d.places[around] {
		around = around[:max(0, strings.LastIndexAny(around, ".["))]
	}
	if where.line == 0 && where.name == "" {
		where.name = path
	}
	d.fail(where, hint, fmt.Sprintf(format, args...))
}

// Err returns Problems, or nil if nothing is wrong.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	var all Problems
	for _, p := range d.problems {
		all = append(all, Problem{Place: d.text(p.at), Text: p.text, Hint: p.hint})
	}
	return fault.Wrap(fault.Configuration, all)
}

func (d *Document) fail(at place, hint, text string) {
	taken := func(p located) bool { return p.at == at && (p.text == text || at != place{}) }
	if len(d.problems) < maxProblems && !slices.ContainsFunc(d.problems, taken) {
		d.problems = append(d.problems, located{at, text, hint})
	}
}

// parse returns the root of the one document in data, or nil.
func (d *Document) parse(data []byte) *yaml.Node {
	if len(data) > maxFile {
		d.fail(place{}, "", "the file has more than "+strconv.Itoa(maxFile)+" bytes")
		return nil
	}
	if !utf8.Valid(data) {
		d.fail(place{}, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		d.fail(place{}, "", "the file is empty")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			d.fail(at(second.Content[0]), "remove the '---' line and what follows it", "the file must hold one document only")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		d.syntaxError(err)
		return nil
	}
	return doc.Content[0]
}

// yamlLine finds the line in the YAML package's errors, which have no field for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

func (d *Document) syntaxError(err error) {
	where, text := place{}, change.OneLine(change.Clip(err.Error(), 200))
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			where = place{line: n, column: 1}
		}
		text = m[2]
	}
	d.fail(where, "look at the lines around it: indentation, quotes and colons", "the file is not YAML: "+text)
}

func at(n *yaml.Node) place { return place{line: n.Line, column: n.Column} }
