// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"encoding"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// decode fills v from a node and remembers the place of every value. It goes
// on after a mistake, so that all of them are found.
func (l *loader) decode(n *yaml.Node, v reflect.Value) {
	if l.values++; l.values > maxValues {
		if l.values == maxValues+1 {
			l.fail(l.place(n), "use defaults instead of aliases", "the file has more than %d values", maxValues)
		}
		return
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	l.places[v.Addr().Interface()] = l.place(n)
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		l.fail(l.place(n), "give a value, or remove the key", "there is no value")
	case !strings.HasPrefix(n.ShortTag(), "!!"):
		l.fail(l.place(n), "remove it", "the file must not use the tag %s", quote(n.Tag))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		l.decode(n, v.Elem())
	case n.Kind == yaml.ScalarNode:
		l.decodeScalar(n, v)
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		l.decodeList(n, v)
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Struct:
		l.decodeStruct(n, v)
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		l.decodeMap(n, v)
	default:
		l.wrongType(n, v)
	}
}

func (l *loader) decodeScalar(n *yaml.Node, v reflect.Value) {
	if v.Kind() == reflect.Struct {
		// mirror, ci and workflow may be a string alone: their first field.
		if first := v.Field(0); isShort(v.Type()) && n.ShortTag() == "!!str" {
			l.decode(n, first)
			return
		}
		l.wrongType(n, v)
		return
	}
	wantText := v.Kind() == reflect.String || v.Type() == reflect.TypeFor[duration]()
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		if !wantText {
			l.wrongType(n, v)
			return
		}
	case "!!int", "!!float", "!!bool": // a branch 8.0 or a duration 0 is taken as written
		if v.Kind() == reflect.Slice || v.Kind() == reflect.Map || (v.Kind() == reflect.Bool) != (n.ShortTag() == "!!bool") && !wantText {
			l.wrongType(n, v)
			return
		}
	default:
		l.wrongType(n, v)
		return
	}
	if err := setText(v, n.Value); err != nil {
		l.report(l.place(n), err)
	}
}

// setText sets a value that is written as text, in a file or in an input.
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch strings.ToLower(text) {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		return bad("write true or false", "%s is neither true nor false", quote(text))
	}
	return nil
}

func (l *loader) decodeList(n *yaml.Node, v reflect.Value) {
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		l.decode(item, v.Index(i))
	}
	l.refuseTwice(v)
}

// refuseTwice complains about texts that stand in a list twice.
func (l *loader) refuseTwice(list reflect.Value) {
	if list.Type().Elem().Kind() != reflect.String {
		return
	}
	seen := map[string]bool{"": true} // what failed its own check is empty
	for i := range list.Len() {
		item := list.Index(i)
		if seen[item.String()] {
			if item.String() != "" {
				l.fail(l.near(item.Addr().Interface()), "remove one of the two", "%s stands in the list twice", quote(item.String()))
			}
			continue
		}
		seen[item.String()] = true
	}
}

func (l *loader) decodeStruct(n *yaml.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	names := collect(v, fields, nil)
	l.eachPair(n, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			l.report(l.place(key), unknownKey(key.Value, names))
			return
		}
		l.decode(value, field)
	})
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && options == "" && !l.given(v.Field(i).Addr().Interface()) {
			l.fail(l.place(n), "add it", "the key %s is missing", name)
		}
	}
}

// collect finds a struct's keys, those of embedded structs included.
func collect(v reflect.Value, fields map[string]reflect.Value, names []string) []string {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			names = collect(v.Field(i), fields, names)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	return names
}

func (l *loader) decodeMap(n *yaml.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	l.eachPair(n, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		l.decode(value, element)
		v.SetMapIndex(reflect.ValueOf(key.Value), element)
		l.places[mapKey{v.Pointer(), key.Value}] = l.place(key)
	})
}

// mapKey is what the place of a map's key is stored under.
type mapKey struct {
	m   uintptr
	key string
}

// eachPair visits a mapping's pairs and refuses keys that are no plain text,
// that occur twice, or that merge another mapping.
func (l *loader) eachPair(n *yaml.Node, visit func(key, value *yaml.Node)) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch first := seen[key.Value]; {
		case key.ShortTag() == "!!merge":
			l.fail(l.place(key), "use defaults for what projects have in common; an alias (*name) as a value is fine", "merge keys (<<) are not supported")
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			l.fail(l.place(key), "write the name of a setting", "this is not a key")
		case first != nil:
			l.fail(l.place(key), "remove one of the two", "the key %s stands here twice; the first is on line %d", quote(key.Value), first.Line)
		default:
			seen[key.Value] = key
			visit(key, n.Content[i+1])
		}
	}
}

// unknownKey says what was probably meant. Values are never shown here.
func unknownKey(key string, names []string) error {
	switch key {
	case "password", "token", "private-key", "gerrit-password", "mirror-token", "ci-token":
		return bad("put the secret into the environment and name the variable: password-env, token-env or private-key-env", "secrets must not stand in the file: %s", key)
	}
	if near := strictyaml.Nearest(key, names); near != "" {
		return bad("did you mean "+near+"?", "there is no key %s here", quote(key))
	}
	return bad("the keys here are "+strings.Join(names, ", "), "there is no key %s here", quote(key))
}

// isShort reports whether a string alone may stand for the struct.
func isShort(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[mirror](), reflect.TypeFor[ci](), reflect.TypeFor[workflow]():
		return true
	}
	return false
}

func (l *loader) wrongType(n *yaml.Node, v reflect.Value) {
	want, hint := "text", "write one value"
	switch {
	case isShort(v.Type()):
		want, hint = "text, or keys and values", "write the name alone, or one 'key: value' per line"
	case v.Kind() == reflect.Slice:
		want, hint = "a list", "write [one, two], or one item per line with '- ' in front"
	case v.Kind() == reflect.Map || v.Kind() == reflect.Struct:
		want, hint = "keys and values", "write one 'key: value' per line, each further in than the line above them"
	case v.Kind() == reflect.Bool:
		want, hint = "true or false", "write true or false, without quotes"
	case v.Kind() == reflect.Int || v.Kind() == reflect.Int64 && v.Type() != reflect.TypeFor[duration]():
		want, hint = "a number", "write a whole number, without quotes"
	}
	l.fail(l.place(n), hint, "this must be %s, but it is %s", want, strictyaml.Describe(n))
}
