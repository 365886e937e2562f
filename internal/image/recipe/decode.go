// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"bytes"
	"encoding"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxProblems ends a list that nobody would read; maxFile bounds recipe.yml.
const (
	maxProblems = 50
	maxFile     = 64 << 10
)

// decoder fills a recipe and goes on after a mistake, so that all are found.
type decoder struct {
	file     string
	problems Problems
	// places are the nodes of values, by the address of their field.
	places map[any]*yaml.Node
}

func (d *decoder) fail(n *yaml.Node, hint, format string, args ...any) {
	d.report(n, bad(hint, format, args...))
}

func (d *decoder) report(n *yaml.Node, err error) {
	if len(d.problems) == maxProblems {
		return
	}
	p := Problem{File: d.file, Text: err.Error(), Hint: fault.HintOf(err)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	d.problems = append(d.problems, p)
}

// yamlLine finds the line in the YAML package's errors, which have no field for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

// decode reads recipe.yml.
func (d *decoder) decode(data []byte, r *Recipe) {
	if len(data) > maxFile || !utf8.Valid(data) {
		d.fail(nil, "write it as UTF-8 text", "it is no text of at most %d KiB", maxFile>>10)
		return
	}
	var doc, second yaml.Node
	from := yaml.NewDecoder(bytes.NewReader(data))
	err := from.Decode(&doc)
	if err == nil {
		if err = from.Decode(&second); err == nil {
			d.fail(second.Content[0], "remove the '---' line and what follows it", "the file must hold one document only")
			return
		}
	} else if errors.Is(err, io.EOF) {
		d.fail(nil, "docs/images.md shows what it can hold", "the file is empty")
		return
	}
	if !errors.Is(err, io.EOF) {
		at, text := &yaml.Node{Column: 1}, quote(err.Error())
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			at.Line, _ = strconv.Atoi(m[1])
			text = m[2]
		}
		d.fail(at, "look at the lines around it: indentation, quotes and colons", "the file is not YAML: %s", text)
		return
	}
	d.value(doc.Content[0], reflect.ValueOf(r).Elem())
}

func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.AliasNode && n.ShortTag() == "!!null" {
		d.fail(n, "give a value, or remove the key", "there is no value")
		return
	}
	d.places[v.Addr().Interface()] = n
	text, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fail(n, "write the value itself", "anchors and aliases (&name, *name) are not supported")
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem())
	case isText && n.Kind == yaml.ScalarNode:
		if err := text.UnmarshalText([]byte(n.Value)); err != nil {
			v.SetZero() // so that no other check looks at it
			d.report(n, err)
		}
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.value(item, v.Index(i))
		}
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Struct:
		d.structure(n, v)
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		d.mapping(n, v)
	default:
		d.wrongType(n, v)
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	fields, names := map[string]int{}, []string{}
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); name != "-" {
			fields[name] = i
			names = append(names, name)
		}
	}
	given := map[string]bool{}
	d.pairs(n, func(key, value *yaml.Node) {
		given[key.Value] = true
		if i, ok := fields[key.Value]; ok {
			d.value(value, v.Field(i))
			return
		}
		hint := "the keys here are " + strings.Join(names, ", ")
		if near := nearest(key.Value, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		d.fail(key, hint, "there is no key %s here", quote(key.Value))
	})
	for _, name := range names {
		if tag := v.Type().Field(fields[name]).Tag.Get("json"); tag == name && !given[name] {
			d.fail(n, "add it", "the key %s is missing", name)
		}
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, func(key, value *yaml.Node) {
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.value(key, k)
		d.value(value, e)
		v.SetMapIndex(k, e)
	})
}

// pairs visits a mapping's pairs, less those whose key is no text or a second one.
func (d *decoder) pairs(n *yaml.Node, visit func(key, value *yaml.Node)) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch first := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" || key.ShortTag() == "!!null":
			d.fail(key, "write the name of a setting", "this is not a key")
		case first != nil:
			d.fail(key, "remove one of the two", "the key %s stands here twice; the first is on line %d", quote(key.Value), first.Line)
		default:
			seen[key.Value] = key
			visit(key, n.Content[i+1])
		}
	}
}

func (d *decoder) wrongType(n *yaml.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		d.fail(n, "write [one, two], or one item per line with '- ' in front", "this must be a list")
	case reflect.Map, reflect.Struct:
		d.fail(n, "write one 'key: value' per line, each further in than the line above them", "this must be keys and values")
	default:
		d.fail(n, "write one value", "this must be text or a number")
	}
}

// nearest returns the name that differs from word by two letters at most, or
// by what stands at its end, or "".
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if n := edits(word, name); n < least && n < len(name) {
			best, least = name, n
		}
	}
	return best
}

// edits counts the letters to add, drop or replace to make b of a.
func edits(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0]++
		for j := range len(b) {
			above := row[j+1]
			if row[j+1] = 1 + min(row[j], above, corner); a[i] == b[j] {
				row[j+1] = corner
			}
			corner = above
		}
	}
	return row[len(b)]
}
