// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"iter"

	"go.yaml.in/yaml/v3"
)

// The helpers here read YAML nodes, not values: a node keeps the words as they
// were written ("on" is not a boolean, "1.10" not a number) and knows its line.

// target follows an alias to the node that it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// pairs yields the keys and values of a mapping, aliases followed.
func pairs(m *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !yield(target(m.Content[i]).Value, target(m.Content[i+1])) {
				return
			}
		}
	}
}

// field returns the value of a mapping's key, or nil.
func field(m *yaml.Node, key string) *yaml.Node {
	for name, value := range pairs(m) {
		if name == key {
			return value
		}
	}
	return nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// scalar returns a scalar as it was written; "" for nil, null and anything else.
func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || isNull(n) {
		return ""
	}
	return n.Value
}

// texts returns the scalars of a list.
func texts(list *yaml.Node, what string) ([]string, error) {
	if list.Kind != yaml.SequenceNode {
		return nil, at(list, what+" must be a list")
	}
	var all []string
	for _, n := range list.Content {
		n = target(n)
		if n.Kind != yaml.ScalarNode {
			return nil, at(n, what+" must be plain words")
		}
		all = append(all, n.Value)
	}
	return all, nil
}

// at is an error with its line.
func at(n *yaml.Node, problem string) error { return fmt.Errorf("line %d: %s", n.Line, problem) }
