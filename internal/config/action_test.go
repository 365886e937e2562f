// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

const actionFile = "../../action.yml"

// section renders one block of action.yml.
func section(t *testing.T, name string, items *yaml.Node) string {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# This block is made from internal/config: go test ./internal/config -update\n")
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	block := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: name}, items}}
	if err := encoder.Encode(block); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mapping makes a YAML mapping of "key", "value" pairs; empty values are left out.
func mapping(pairs ...string) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m.Content = append(m.Content, text(pairs[i]), text(pairs[i+1]))
		}
	}
	return m
}

// text makes a YAML string; what could be read as something else is quoted.
func text(s string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(s)
	return n
}

// TestActionFile holds action.yml to the tables of inputs and outputs.
func TestActionFile(t *testing.T) {
	t.Parallel()
	head, rest, ok := strings.Cut(string(read(t, actionFile)), "\n# This block")
	_, tail, ok2 := strings.Cut(rest, "\nruns:")
	if !ok || !ok2 {
		t.Fatal("action.yml has no blocks to compare")
	}
	inputs, outputs := &yaml.Node{Kind: yaml.MappingNode}, &yaml.Node{Kind: yaml.MappingNode}
	for _, in := range Inputs() {
		inputs.Content = append(inputs.Content, text(in.Name), mapping("description", in.Description, "default", in.Default))
	}
	for _, out := range Outputs() {
		outputs.Content = append(outputs.Content, text(out.Name), mapping("description", out.Description))
	}
	golden.Compare(t, actionFile, head+"\n"+section(t, "inputs", inputs)+"\n"+section(t, "outputs", outputs)+"\nruns:"+tail)
}

// TestActionFileMeaning reads action.yml as GitHub does: any scalar is text.
func TestActionFileMeaning(t *testing.T) {
	t.Parallel()
	var action struct {
		Name, Description string
		Branding          struct{ Icon, Color string }
		Inputs            map[string]struct{ Description, Default string }
		Outputs           map[string]struct{ Description string }
		Runs              struct {
			Using, Image string
			Args         []string
		}
	}
	if err := yaml.Unmarshal(read(t, actionFile), &action); err != nil {
		t.Fatal(err)
	}
	if action.Name == "" || action.Description == "" || action.Branding.Icon == "" || action.Runs.Using != "docker" || action.Runs.Image == "" || action.Runs.Args != nil {
		t.Errorf("got %+v", action)
	}
	if len(action.Inputs) != len(Inputs()) || len(action.Outputs) != len(Outputs()) {
		t.Errorf("got %d inputs and %d outputs, want %d and %d", len(action.Inputs), len(action.Outputs), len(Inputs()), len(Outputs()))
	}
	for _, in := range Inputs() {
		if got := action.Inputs[in.Name]; got.Default != in.Default || got.Description != in.Description {
			t.Errorf("%s: got %+v", in.Name, got)
		}
	}
}

// TestInputsTable keeps the table fit for people and for the runner.
func TestInputsTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, in := range Inputs() {
		if seen[in.Name] || !inputName.MatchString(in.Name) || strings.ToLower(in.Name) != in.Name {
			t.Errorf("%q is no good name, or stands twice", in.Name)
		}
		seen[in.Name] = true
		if !strings.HasSuffix(in.Description, ".") || strings.ContainsFunc(in.Description, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: the description must be ASCII sentences: %q", in.Name, in.Description)
		}
		if in.Secret && in.Env == "" {
			t.Errorf("%s: a secret needs a variable, as it cannot be a flag", in.Name)
		}
	}
}
