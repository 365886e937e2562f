// SPDX-License-Identifier: BSD-3-Clause

package openapi

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// location is the name of the description inside the compiler.
const location = "api.json"

// builder compiles schemas; its first error sticks.
type builder struct {
	compiler *jsonschema.Compiler
	err      error
}

func newBuilder(doc any) (*builder, error) {
	b := &builder{compiler: jsonschema.NewCompiler()}
	b.compiler.DefaultDraft(jsonschema.Draft7)
	b.compiler.AssertFormat() // date-time, uri
	if err := b.compiler.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("failed to read api.json: %w", err)
	}
	return b, nil
}

func (b *builder) compile(fragment string) *jsonschema.Schema {
	schema, err := b.compiler.Compile(location + fragment)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("failed to compile %s: %w", fragment, err)
	}
	return schema
}

// operation compiles the schemas of one operation, "get /repos/{owner}/{repo}".
func (b *builder) operation(name string, o map[string]any) operation {
	method, path, _ := strings.Cut(name, " ")
	out := operation{
		method: strings.ToUpper(method), path: strings.Split(strings.TrimPrefix(path, "/"), "/"),
		query: map[string]*jsonschema.Schema{}, answers: map[string]*jsonschema.Schema{},
	}
	at := "#/operations/" + pointer(name)
	for parameter := range o["query"].(map[string]any) {
		out.query[parameter] = b.compile(at + "/query/" + pointer(parameter))
	}
	if o["body"] != nil {
		out.body = b.compile(at + "/body")
	}
	for status, schema := range o["answers"].(map[string]any) {
		out.answers[status] = nil
		if schema != nil {
			out.answers[status] = b.compile(at + "/answers/" + status)
		}
	}
	return out
}

// pointer escapes a key for a JSON pointer in a URL's fragment.
func pointer(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}
