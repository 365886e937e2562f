// SPDX-License-Identifier: BSD-3-Clause

package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// decode fills v from a node and remembers the place of every value.
func (d *Document) decode(n *yaml.Node, path string, v reflect.Value) {
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.note(at(n), "", fmt.Sprintf("the file has more than %d values", maxValues))
		}
		return
	}
	d.places[path] = at(n)
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.unreadable(n, path, "write the value itself", "anchors and aliases (&name, *name) are not supported")
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		d.unreadable(n, path, "give a value, or remove the key", "there is no value")
	case !strings.HasPrefix(n.ShortTag(), "!!"):
		d.unreadable(n, path, "remove it, or put quotes around text that begins with !", "the file must not use the tag "+Quote(n.Tag))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Elem())
	case n.Kind == yaml.ScalarNode:
		d.decodeScalar(n, path, v)
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.decode(item, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Struct:
		d.decodeStruct(n, path, v)
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		d.decodeMap(n, path, v)
	default:
		d.wrongType(n, path, v)
	}
}

func (d *Document) decodeScalar(n *yaml.Node, path string, v reflect.Value) {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			d.unreadable(n, path, fault.HintOf(err), err.Error())
		}
		return
	}
	switch {
	case v.Kind() == reflect.String && n.ShortTag() != "!!binary":
		v.SetString(n.Value)
	case v.Kind() == reflect.Bool && n.ShortTag() == "!!bool":
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case v.Kind() == reflect.Int && n.ShortTag() == "!!int":
		number, err := strconv.ParseInt(n.Value, 10, 32)
		if err != nil {
			d.unreadable(n, path, "write a whole number in decimal digits", Quote(n.Value)+" is not a number that this setting can have")
			return
		}
		v.SetInt(number)
	default:
		d.wrongType(n, path, v)
	}
}

func (d *Document) wrongType(n *yaml.Node, path string, v reflect.Value) {
	want, hint := "text", "write one value"
	switch v.Kind() {
	case reflect.Slice:
		want, hint = "a list", "write [one, two], or one item per line with '- ' in front"
	case reflect.Struct, reflect.Map:
		want, hint = "keys and values", "write one 'key: value' per line, each further in than the line above them"
	case reflect.Bool:
		want, hint = "true or false", "write true or false, without quotes"
	case reflect.Int:
		want, hint = "a number", "write a whole number, without quotes"
	}
	d.unreadable(n, path, hint, "this must be "+want+", but it is "+Describe(n))
}

// Describe says what kind of value a node is, for a message.
func Describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a group of keys"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return n.Value
	}
	return "text"
}

// Quote makes outside text fit for a message.
func Quote(s string) string { return strconv.Quote(change.OneLine(change.Clip(s, 80))) }
