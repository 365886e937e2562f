// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

const (
	schemaFile  = "../../docs/dispatcher.schema.json"
	exampleFile = "../../docs/dispatcher.example.yml"
)

func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	schema, err := reflectSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "schema.json", string(schema))
	golden.Compare(t, schemaFile, string(schema))
}

// validator returns a function that checks a file against the schema.
func validator(t *testing.T) func(data []byte) error {
	t.Helper()
	text, err := reflectSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("dispatcher.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("dispatcher.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(data []byte) error {
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			return err
		}
		asJSON, err := json.Marshal(v)
		if err != nil {
			return err
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			return err
		}
		return schema.Validate(instance)
	}
}

func TestGoodFilesFitTheSchema(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	for _, name := range append(cases(t, "good/*.yml"), exampleFile) {
		if err := validate(read(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBadFilesAndTheSchema lists the mistakes that an editor cannot show,
// because they concern two values or need more than a pattern.
func TestBadFilesAndTheSchema(t *testing.T) {
	t.Parallel()
	onlyLoad := map[string]bool{
		"accounts": true, "alias-place": true, "branch-names": true, "ca-files": true, "duplicate-projects": true,
		"globs": true, "grace": true, "own-label": true, "mirror-name": true, "missing-env": true, "project-names": true, "query-lines": true,
		"regexps": true, "retry-order": true, "shared-default-mirror": true, "shared-mirror": true, "twice-in-a-list": true, "two-documents": true, "unknown-server": true,
	}
	validate := validator(t)
	for _, name := range cases(t, "bad/*.yml") {
		base := filepath.Base(name[:len(name)-len(".yml")])
		if err := validate(read(t, name)); (err == nil) != onlyLoad[base] {
			t.Errorf("%s: the schema says %v; only Load should find it: %v", name, err, onlyLoad[base])
		}
	}
}

func TestExampleLoads(t *testing.T) {
	t.Parallel()
	c, err := loadFile(exampleFile, read(t, exampleFile), "GERRIT_PASSWORD=p", "CI_TOKEN=c", "MIRROR_TOKEN=m", "APP_PRIVATE_KEY="+privateKey())
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/example.out", describeConfig(c))
}

// TestExampleIsComplete: every key of the format stands in the example, at
// least in a comment.
func TestExampleIsComplete(t *testing.T) {
	t.Parallel()
	example := read(t, exampleFile)
	text, err := reflectSchema()
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(schema, nil) {
		if !bytes.Contains(example, []byte(key+":")) {
			t.Errorf("the example does not show the key %s", key)
		}
	}
}

// keysOf collects the names of all properties in a schema.
func keysOf(node any, keys []string) []string {
	switch v := node.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			for name := range properties {
				keys = append(keys, name)
			}
		}
		for _, child := range v {
			keys = keysOf(child, keys)
		}
	case []any:
		for _, child := range v {
			keys = keysOf(child, keys)
		}
	}
	return keys
}
