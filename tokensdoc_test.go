// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGitHubApp: the link and the manifest register the same App, with the rights
// that the table of tokens has for Apps.
func TestGitHubApp(t *testing.T) {
	t.Parallel()
	doc := readText(t, "docs/adopt.md")
	link, err := url.Parse(regexp.MustCompile(`https://github\.com/organizations/example/settings/apps/new\S+`).FindString(doc))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for name, values := range link.Query() {
		fields[name] = strings.Join(values, "|")
	}
	_, text, _ := strings.Cut(readText(t, "docs/github-app.html"), `cols="90">`)
	text, _, _ = strings.Cut(text, "</textarea>")
	var manifest struct {
		Name, URL, Description string
		RedirectURL            string `json:"redirect_url"`
		Public                 bool
		Hook                   struct {
			URL    string
			Active bool
		} `json:"hook_attributes"`
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"name": manifest.Name, "url": manifest.URL, "public": "false", "webhook_active": "false"}
	maps.Copy(want, manifest.Permissions)
	if diff := cmp.Diff(want, fields); diff != "" || manifest.Public || manifest.Hook.Active || len(manifest.Events) > 0 {
		t.Errorf("manifest and link (-manifest +link):\n%s%+v", diff, manifest)
	}
	rights := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| \*(\w+): (\w+)\* \|[^|]*\|[^|]*\| yes \|`).FindAllStringSubmatch(doc, -1) {
		if name := strings.ToLower(m[1]); rights[name] != "write" {
			rights[name] = m[2]
		}
	}
	if diff := cmp.Diff(manifest.Permissions, rights); diff != "" {
		t.Errorf("manifest and table (-manifest +table):\n%s", diff)
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
