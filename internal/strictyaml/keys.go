// SPDX-License-Identifier: BSD-3-Clause

package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decodeStruct fills a struct. The json tags of its fields are the keys; one
// without "omitempty" must be there, and a field with "-" has none.
func (d *Document) decodeStruct(n *yaml.Node, path string, v reflect.Value) {
	fields, names, missing := map[string]reflect.Value{}, []string{}, map[string]bool{}
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		fields[name], missing[name] = v.Field(i), options == ""
		names = append(names, name)
	}
	d.eachPair(n, func(key, value *yaml.Node) {
		name := key.Value
		field, known := fields[name]
		if known {
			d.decode(value, join(path, name), field)
		} else if name = d.unknownKey(key, names); name != "" {
			d.mark(join(path, name)) // it is not missing, too
		}
		missing[name] = false
	})
	for _, name := range names {
		if missing[name] {
			d.note(at(n), "add it", "the key "+name+" is missing")
			d.mark(join(path, name))
		}
	}
}

// unknownKey complains about a key, and returns the one that was probably
// meant. Comparing takes time, so it ends with the list of problems.
func (d *Document) unknownKey(key *yaml.Node, names []string) string {
	if len(d.problems) == maxProblems {
		return ""
	}
	meant := Nearest(key.Value, names)
	hint := "the keys here are " + strings.Join(names, ", ")
	if meant != "" && d.format.Manual != "" {
		hint = "did you mean " + meant + "?"
	}
	d.note(at(key), hint, "there is no key "+Quote(key.Value)+" here")
	return meant
}

// decodeMap fills a map; a key is a value, too, and is checked like one.
func (d *Document) decodeMap(n *yaml.Node, path string, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.eachPair(n, func(key, value *yaml.Node) {
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.decode(key, join(path, key.Value), k)
		d.decode(value, join(path, key.Value), e)
		v.SetMapIndex(k, e)
	})
}

// eachPair visits a mapping's pairs, less those whose key is no text or a
// second one.
func (d *Document) eachPair(n *yaml.Node, visit func(key, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch line, twice := first[key.Value]; {
		case !isKey(key):
			d.note(at(key), "write the name of a setting", "this is not a key")
		case twice:
			d.note(at(key), "remove one of the two", fmt.Sprintf("the key %s stands here twice; the first is on line %d", Quote(key.Value), line))
		default:
			first[key.Value] = key.Line
			visit(key, n.Content[i+1])
		}
	}
}

// isKey accepts one word of any built-in type, since people write on: and 1:
// without quotes, but no merge key.
func isKey(n *yaml.Node) bool {
	tag := n.ShortTag()
	return n.Kind == yaml.ScalarNode && strings.HasPrefix(tag, "!!") && tag != "!!merge" && tag != "!!null"
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
