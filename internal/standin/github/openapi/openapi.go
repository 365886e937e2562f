// SPDX-License-Identifier: BSD-3-Clause

// Package openapi holds what a client asks and what the GitHub stand-in answers
// to GitHub's published OpenAPI description. It checks form only: whether an
// answer is true is for other tests.
package openapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// api is the part of the description that is served; see README.md.
//
//go:embed api.json
var api []byte

// Checker is a description that is ready for use.
type Checker struct {
	operations map[string]operation
	errorBody  *jsonschema.Schema
}

// operation is one method and path.
type operation struct {
	method  string
	path    []string
	query   map[string]*jsonschema.Schema
	body    *jsonschema.Schema            // nil: none
	answers map[string]*jsonschema.Schema // by status; nil: no JSON
}

// New compiles the description.
func New() (*Checker, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(api))
	if err != nil {
		return nil, fmt.Errorf("failed to read api.json: %w", err)
	}
	b, err := newBuilder(doc)
	if err != nil {
		return nil, err
	}
	c := &Checker{operations: map[string]operation{}}
	for name, o := range doc.(map[string]any)["operations"].(map[string]any) {
		c.operations[name] = b.operation(name, o.(map[string]any))
	}
	c.errorBody = b.compile("#/definitions/basic-error")
	return c, b.err
}

// Wrap returns next with a check of each request and its answer. Each finding
// is told in one line. A request that next refuses may have been wrong on
// purpose: only its answer is checked. Paths of git and of a release's downloads
// are left alone.
func (c *Checker) Wrap(next http.Handler, report func(string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isGit(r.URL.Path) || isDownload(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		var asked bytes.Buffer
		r.Body = io.NopCloser(io.TeeReader(r.Body, &asked))
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		io.Copy(io.Discard, r.Body)
		for _, finding := range c.check(r, asked.Bytes(), rec) {
			report(fmt.Sprintf("%s %s: %d: %s", r.Method, r.URL.RequestURI(), rec.Code, finding))
		}
		for field, values := range rec.Header() {
			w.Header()[field] = values
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

func isGit(path string) bool {
	return strings.HasSuffix(path, "/info/refs") || strings.HasSuffix(path, "/git-upload-pack") || strings.HasSuffix(path, "/git-receive-pack")
}

func isDownload(path string) bool { return strings.Contains(path, "/releases/download/") }

func (c *Checker) check(r *http.Request, asked []byte, rec *httptest.ResponseRecorder) []string {
	o, ok := c.find(r)
	if !ok {
		return []string{"the description that is used here has no such operation"}
	}
	findings := c.checkAnswer(o, rec)
	if rec.Code < 300 {
		if r.Header.Get("Content-Type") == "application/octet-stream" {
			asked = nil // a file, of which there is nothing to check
		}
		findings = append(findings, o.checkRequest(r.URL.Query(), asked)...)
	}
	return findings
}

// find returns the operation of a request.
func (c *Checker) find(r *http.Request) (operation, bool) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for _, o := range c.operations {
		if o.method == r.Method && o.matches(path) {
			return o, true
		}
	}
	return operation{}, false
}

// matches compares a path with the operation's; {path} stands for any number of
// segments, other names in braces for one.
func (o operation) matches(path []string) bool {
	for i, want := range o.path {
		if want == "{path}" {
			return len(path) > i
		}
		if i >= len(path) || want != path[i] && !strings.HasPrefix(want, "{") {
			return false
		}
	}
	return len(path) == len(o.path)
}

func (o operation) checkRequest(query url.Values, body []byte) []string {
	var findings []string
	for name, values := range query {
		schema, ok := o.query[name]
		if !ok {
			findings = append(findings, fmt.Sprintf("there is no parameter %q", name))
			continue
		}
		if err := schema.Validate(parameter(values[0])); err != nil {
			findings = append(findings, fmt.Sprintf("parameter %q: %v", name, err))
		}
	}
	if o.body == nil && len(body) > 0 {
		return append(findings, "the request must not have a body")
	}
	if o.body != nil && len(body) > 0 {
		findings = append(findings, validate("the request", o.body, body)...)
	}
	return findings
}

// parameter reads a query parameter as the JSON value that it stands for, or
// else as a text.
func parameter(text string) any {
	if v, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil {
		return v
	}
	return text
}

func (c *Checker) checkAnswer(o operation, rec *httptest.ResponseRecorder) []string {
	schema, documented := o.answers[fmt.Sprint(rec.Code)]
	isJSON := strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json")
	switch {
	case !documented && rec.Code < 400:
		return []string{"the operation has no such status"}
	case !documented, schema == nil && rec.Code >= 400 && rec.Body.Len() > 0: // errors have a body, described or not
		return validate("the answer", c.errorBody, rec.Body.Bytes())
	case !isJSON && strings.Contains(rec.Header().Get("Content-Type"), "raw"):
		return nil // a file's bytes, as asked for with Accept
	case schema == nil && rec.Body.Len() > 0:
		return []string{"the answer must not have a body"}
	case schema != nil && !isJSON:
		return []string{"the answer must be JSON"}
	case schema != nil:
		return validate("the answer", schema, rec.Body.Bytes())
	}
	return nil
}

func validate(what string, schema *jsonschema.Schema, body []byte) []string {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []string{what + " is not JSON: " + err.Error()}
	}
	if err := schema.Validate(v); err != nil {
		return []string{what + ": " + strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	return nil
}
