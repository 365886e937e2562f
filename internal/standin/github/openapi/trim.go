// SPDX-License-Identifier: BSD-3-Clause

//go:build ignore

// Trim writes the part of GitHub's OpenAPI description that the stand-in
// serves, as plain JSON Schema, to api.json. The whole description, 13 MB, is
// generated/api.github.com.json of the npm package @octokit/openapi:
//
//	npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
//	go run trim.go package/generated/api.github.com.json > api.json
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
)

// operations are the requests that the stand-in serves.
var operations = []string{
	"get /orgs/{org}/repos",
	"get /users/{username}/repos",
	"get /orgs/{org}/packages/{package_type}/{package_name}/versions",
	"get /users/{username}/packages/{package_type}/{package_name}/versions",
	"delete /orgs/{org}/packages/{package_type}/{package_name}/versions/{package_version_id}",
	"delete /users/{username}/packages/{package_type}/{package_name}/versions/{package_version_id}",
	"get /repos/{owner}/{repo}",
	"get /repos/{owner}/{repo}/contents/{path}",
	"get /repos/{owner}/{repo}/installation",
	"get /repos/{owner}/{repo}/actions/runs",
	"get /repos/{owner}/{repo}/actions/runs/{run_id}",
	"get /repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
	"get /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
	"get /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts",
	"get /repos/{owner}/{repo}/actions/jobs/{job_id}",
	"get /repos/{owner}/{repo}/actions/jobs/{job_id}/logs",
	"get /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}",
	"get /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
	"get /repos/{owner}/{repo}/issues/{issue_number}",
	"get /repos/{owner}/{repo}/issues/{issue_number}/comments",
	"get /repos/{owner}/{repo}/releases",
	"post /repos/{owner}/{repo}/releases",
	"patch /repos/{owner}/{repo}/releases/{release_id}",
	"post /repos/{owner}/{repo}/releases/{release_id}/assets",
	"delete /repos/{owner}/{repo}/releases/assets/{asset_id}",
	"post /repos/{owner}/{repo}/actions/runs/{run_id}/cancel",
	"post /repos/{owner}/{repo}/actions/runs/{run_id}/force-cancel",
	"post /repos/{owner}/{repo}/actions/runs/{run_id}/rerun",
	"post /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs",
	"post /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
	"post /repos/{owner}/{repo}/dispatches",
	"post /repos/{owner}/{repo}/issues/{issue_number}/comments",
	"post /app/installations/{installation_id}/access_tokens",
}

// extra are schemas of error answers that the description does not list for an
// operation but that every operation can give.
var extra = []string{"basic-error", "validation-error", "validation-error-simple"}

type object = map[string]any

type trimmer struct {
	whole   object
	schemas object // by name; the ones that are used
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	t := trimmer{schemas: object{}}
	if err := json.Unmarshal(data, &t.whole); err != nil {
		log.Fatal(err)
	}
	out := object{
		"x-source":    fmt.Sprintf("%s %v", "@octokit/openapi", t.at("info", "version")),
		"definitions": t.schemas,
	}
	list := object{}
	for _, name := range operations {
		method, path, _ := strings.Cut(name, " ")
		list[name] = t.operation(t.at("paths", path, method))
	}
	for _, name := range extra {
		t.schema(object{"$ref": "#/components/schemas/" + name})
	}
	out["operations"] = list
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		log.Fatal(err)
	}
}

func (t *trimmer) at(keys ...string) any {
	var v any = t.whole
	for _, key := range keys {
		next, ok := v.(object)[key]
		if !ok {
			log.Fatalf("the description has no %s", strings.Join(keys, " "))
		}
		v = next
	}
	return v
}

// resolve follows a reference to something else than a schema.
func (t *trimmer) resolve(v any) object {
	o := v.(object)
	if ref, ok := o["$ref"].(string); ok {
		return t.resolve(t.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...))
	}
	return o
}

// operation keeps the schemas of an operation's query, body and answers.
func (t *trimmer) operation(v any) object {
	o := v.(object)
	query := object{}
	for _, p := range o["parameters"].([]any) {
		p := t.resolve(p)
		if p["in"] != "query" {
			continue
		}
		schema := t.schema(p["schema"]).(object)
		delete(schema, "format") // "created" is a search expression, not a date-time
		query[p["name"].(string)] = schema
	}
	out := object{"query": query}
	if body, ok := o["requestBody"]; ok {
		out["body"] = t.content(t.resolve(body))
	}
	answers := object{}
	for status, answer := range o["responses"].(object) {
		answers[status] = t.content(t.resolve(answer))
	}
	out["answers"] = answers
	return out
}

// content returns the schema of a JSON body, or null where there is no body.
func (t *trimmer) content(o object) any {
	types, _ := o["content"].(object)
	body, ok := types["application/json"].(object)
	if !ok {
		return nil
	}
	return t.schema(body["schema"])
}

// dropped are keywords that say nothing about validity in JSON Schema.
var dropped = map[string]bool{"description": true, "example": true, "examples": true, "title": true, "deprecated": true, "externalDocs": true, "nullable": true, "readOnly": true, "default": true}

// schema rewrites an OpenAPI 3.0 schema as JSON Schema: "nullable" becomes a
// second type, references point into "definitions", prose goes.
func (t *trimmer) schema(v any) any {
	s, ok := v.(object)
	if !ok {
		return v
	}
	if ref, ok := s["$ref"].(string); ok {
		return t.reference(strings.TrimPrefix(ref, "#/components/schemas/"))
	}
	out := object{}
	for key, value := range s {
		switch {
		case dropped[key] || strings.HasPrefix(key, "x-"):
		case key == "properties" || key == "patternProperties":
			out[key] = t.each(value.(object))
		case key == "items" || key == "additionalProperties" || key == "not":
			out[key] = t.schema(value)
		case key == "oneOf" || key == "anyOf" || key == "allOf":
			var list []any
			for _, one := range value.([]any) {
				list = append(list, t.schema(one))
			}
			out[key] = list
		default:
			out[key] = value
		}
	}
	if s["nullable"] == true {
		return nullable(out)
	}
	return out
}

func (t *trimmer) each(properties object) object {
	out := object{}
	for name, s := range properties {
		out[name] = t.schema(s)
	}
	return out
}

// nullable lets a schema be null too.
func nullable(s object) any {
	if name, ok := s["type"].(string); ok {
		s["type"] = []string{name, "null"}
		if values, ok := s["enum"].([]any); ok {
			s["enum"] = append(values, nil)
		}
		return s
	}
	return object{"anyOf": []any{s, object{"type": "null"}}}
}

func (t *trimmer) reference(name string) object {
	if _, ok := t.schemas[name]; !ok {
		t.schemas[name] = nil // ends recursion
		t.schemas[name] = t.schema(t.at("components", "schemas", name))
	}
	return object{"$ref": "#/definitions/" + name}
}
