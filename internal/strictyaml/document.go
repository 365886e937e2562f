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

// MaxFile is how many bytes a file may have; one that is larger describes
// nothing that a person wrote.
const MaxFile = 1 << 20

// maxValues bounds the work that one file can make.
const maxValues = 20_000

// Document knows where the values of a struct were given and what is wrong
// with them. The zero value is one without a file.
type Document struct {
	format Format
	file   string
	values int
	places map[string]place
	// unread are the paths that were complained about, so that nobody does so
	// a second time.
	unread   map[string]bool
	problems []located
}

type located struct {
	at         place
	text, hint string
}

// Format is what is to be said about one kind of file.
type Format struct {
	// Manual is the page that explains the keys. Hints name it in place of
	// what it lists: a mistyped key brings up the one that was probably meant,
	// instead of all that there are.
	Manual string
}

// Decode reads a file's text into the struct that into points to. It goes on
// after a mistake; Err tells all of them.
func (f Format) Decode(file string, data []byte, into any) *Document {
	d := &Document{format: f, file: file, places: map[string]place{}, unread: map[string]bool{}}
	if root := d.parse(data); root != nil {
		d.decode(root, "", reflect.ValueOf(into).Elem())
	}
	return d
}

// Decode is that of a Format without a manual.
func Decode(file string, data []byte, into any) *Document { return Format{}.Decode(file, data, into) }

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
// path is written like nvme[0].size, and "" is the file as a whole. What was
// not given is complained about where the value around it stands. A value that
// could not be read, or that was complained about before, is not complained
// about again.
func (d *Document) Fail(path, hint, format string, args ...any) {
	around := path
	where, given := d.places[path]
	for !given && around != "" && !d.unread[around] {
		around = around[:max(0, strings.LastIndexAny(around, ".["))]
		where, given = d.places[around]
	}
	if d.unread[around] {
		return
	}
	if where == (place{}) {
		where.name = path
	}
	if path != "" {
		d.mark(path)
	}
	d.note(where, hint, fmt.Sprintf(format, args...))
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

func (d *Document) mark(path string) {
	if d.unread == nil {
		d.unread = map[string]bool{}
	}
	d.unread[path] = true
}

// unreadable notes what is wrong with the value of a node.
func (d *Document) unreadable(n *yaml.Node, path, hint, text string) {
	d.mark(path)
	d.note(at(n), hint, text)
}

func (d *Document) note(at place, hint, text string) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, located{at, text, hint})
	}
}

// parse returns the root of the one document in data, or nil.
func (d *Document) parse(data []byte) *yaml.Node {
	if len(data) > MaxFile {
		d.note(place{}, "", "the file has more than "+strconv.Itoa(MaxFile)+" bytes")
		return nil
	}
	if !utf8.Valid(data) {
		d.note(place{}, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		hint := ""
		if d.format.Manual != "" {
			hint = d.format.Manual + " shows what it can hold"
		}
		d.note(place{}, hint, "the file is empty")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			d.note(at(second.Content[0]), "remove the '---' line and what follows it", "the file must hold one document only")
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
	d.note(where, "look at the lines around it: indentation, quotes and colons", "the file is not YAML: "+text)
}

func at(n *yaml.Node) place { return place{line: n.Line, column: n.Column} }
