// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// reflectSchema makes Schema of the types. What concerns two values, and whether
// a glob or a regular expression is one, only Load knows.
func reflectSchema() ([]byte, error) {
	r := &jsonschema.Reflector{Anonymous: true, ExpandedStruct: true}
	s := r.Reflect(&file{})
	s.Title = "Dispatcher configuration"
	s.Description = "Gerrit projects that GitHub Actions tests: " + defaultFile + " in the repository that runs the dispatcher."
	std := reflect.ValueOf(builtin())
	for _, name := range []string{"settings", "project"} {
		addDefaults(s.Definitions, s.Definitions[name], std)
	}
	if gerrits, ok := s.Properties.Get("gerrits"); ok {
		gerrits.PropertyNames = textSchema(serverRegexp)
	}
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

// addDefaults tells a schema what holds where nothing is said.
func addDefaults(all jsonschema.Definitions, s *jsonschema.Schema, v reflect.Value) {
	if s.Properties == nil { // a string alone, or this
		s = s.OneOf[len(s.OneOf)-1]
	}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		property, ok := s.Properties.Get(name)
		switch field := v.Field(i); {
		case !ok || field.IsZero():
		case field.Kind() == reflect.Struct:
			addDefaults(all, all[field.Type().Name()], field)
		case field.Kind() == reflect.Slice:
			var items []any
			for j := range field.Len() {
				items = append(items, plainValue(field.Index(j)))
			}
			property.Default = items
		default:
			property.Default = plainValue(field)
		}
	}
}

// plainValue is a setting as it is written in the file.
func plainValue(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Struct: // the short form of a workflow
		return v.Field(0).String()
	case v.Type() == reflect.TypeFor[duration]():
		return fmt.Sprint(v.Interface())
	case v.Kind() == reflect.Int:
		return v.Int()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	}
	return v.String()
}

func textSchema(pattern string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern}
}

func choiceSchema(values []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, v)
	}
	return s
}

// orText lets a string stand for an object.
func orText(s, text *jsonschema.Schema) {
	object := *s
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{text, &object}}
}

// JSONSchema and JSONSchemaExtend are called by the jsonschema package.

func (webURL) JSONSchema() *jsonschema.Schema       { return textSchema(`^https?://[^@?#]+$`) }
func (repository) JSONSchema() *jsonschema.Schema   { return textSchema(repositoryRegexp) }
func (serverName) JSONSchema() *jsonschema.Schema   { return textSchema(serverRegexp) }
func (workflowFile) JSONSchema() *jsonschema.Schema { return textSchema(workflowRegexp) }
func (labelName) JSONSchema() *jsonschema.Schema    { return textSchema(labelRegexp) }
func (account) JSONSchema() *jsonschema.Schema      { return textSchema(accountRegexp) }
func (envName) JSONSchema() *jsonschema.Schema      { return textSchema(envRegexp) }
func (keyName) JSONSchema() *jsonschema.Schema      { return textSchema(`^$|` + serverRegexp) }
func (namespace) JSONSchema() *jsonschema.Schema    { return choiceSchema(namespaces) }
func (ledger) JSONSchema() *jsonschema.Schema       { return choiceSchema(ledgers) }
func (pathStyle) JSONSchema() *jsonschema.Schema    { return choiceSchema(pathStyles) }
func (kindPolicy) JSONSchema() *jsonschema.Schema   { return choiceSchema(policies) }
func (parentPolicy) JSONSchema() *jsonschema.Schema { return choiceSchema(parentPolicies) }
func (inputGroup) JSONSchema() *jsonschema.Schema   { return choiceSchema(inputGroups) }

func (startedPolicy) JSONSchema() *jsonschema.Schema { return choiceSchema(startedPolicies) }
func (nothingPolicy) JSONSchema() *jsonschema.Schema { return choiceSchema(nothingPolicies) }

func (duration) JSONSchema() *jsonschema.Schema {
	zero := &jsonschema.Schema{Enum: []any{0}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{textSchema(durationRegexp), zero}}
}

func (count) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: json.Number(fmt.Sprint(maxCount))}
}

func (number) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: "1"}
}

func (vote) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: json.Number(fmt.Sprint(-maxVote)), Maximum: json.Number(fmt.Sprint(maxVote))}
}

func (mirror) JSONSchemaExtend(s *jsonschema.Schema) { orText(s, textSchema(repositoryRegexp)) }
func (ci) JSONSchemaExtend(s *jsonschema.Schema)     { orText(s, textSchema(repositoryRegexp)) }
func (workflow) JSONSchemaExtend(s *jsonschema.Schema) {
	s.OneOf = []*jsonschema.Schema{{Required: []string{"file"}}, {Required: []string{"event"}}}
	if with, ok := s.Properties.Get("with"); ok {
		with.AdditionalProperties = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	}
	orText(s, textSchema(workflowRegexp))
}
