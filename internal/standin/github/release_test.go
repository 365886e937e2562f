// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestRelease goes from a draft to what a browser downloads.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{ImmutableReleases: true, Tokens: map[string]Access{"full": FullAccess, "reader": {Contents: Read}}})
	r := repository(s)
	made := ask(t, s, "POST", "/repos/org/ci/releases", map[string]any{"tag_name": "v1.0.0", "body": "notes", "draft": true})
	release := decode[struct {
		ID    int64
		Draft bool
	}](t, made)
	path := fmt.Sprintf("/repos/org/ci/releases/%d", release.ID)
	if made.status != http.StatusCreated || !release.Draft || r.Refs()["refs/tags/v1.0.0"] != "" {
		t.Fatalf("got %+v with refs %v, want a draft and no tag", made, r.Refs())
	}
	upload := func(want int) {
		t.Helper()
		a := ask(t, s, "POST", path+"/assets?name=program", "bytes", "Authorization", "Bearer full", "Content-Type", "application/octet-stream")
		if a.status != want {
			t.Errorf("upload: got %d %s, want %d", a.status, a.body, want)
		}
	}
	upload(http.StatusCreated)
	upload(http.StatusUnprocessableEntity)
	const download = "/org/ci/releases/download/v1.0.0/program"
	if a := ask(t, s, "GET", download, nil); a.status != http.StatusNotFound {
		t.Errorf("a draft was downloaded: %d", a.status)
	}
	for token, want := range map[string]int{"full": 1, "reader": 0} {
		list := decode[[]any](t, ask(t, s, "GET", "/repos/org/ci/releases", nil, "Authorization", "Bearer "+token))
		if len(list) != want {
			t.Errorf("%s sees %d releases, want %d", token, len(list), want)
		}
	}
	if a := ask(t, s, "PATCH", path, map[string]any{"draft": false, "make_latest": "true"}); a.status != http.StatusOK {
		t.Errorf("publish: %d %s", a.status, a.body)
	}
	if got, want := r.Refs()["refs/tags/v1.0.0"], r.Refs()["refs/heads/main"]; got != want {
		t.Errorf("the tag is at %q, want the tip of main", got)
	}
	if a := ask(t, s, "GET", download, nil, "Accept", "*/*"); a.status != http.StatusOK || a.body != `"bytes"` {
		t.Errorf("got %d %q", a.status, a.body)
	}
	upload(http.StatusUnprocessableEntity)
}

// TestTagScope: a token that may not change workflows may not move a tag to other
// ones either, and not tag a commit with those of an earlier main.
func TestTagScope(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: gitTokens})
	r := repository(s)
	w := clone(t, r, "full")
	before, err := w.git("rev-parse", "HEAD")
	before = strings.TrimSpace(before)
	if out, pushErr := w.git("push", "--quiet", "origin", "HEAD:refs/tags/v1"); err != nil || pushErr != nil {
		t.Fatalf("%v %v %s", err, pushErr, out)
	}
	same := w.commit("README", "changed\n")
	other := w.commit(".github/workflows/new.yml", "on: push\n")
	if out, err := w.git("push", "--quiet", "origin", "HEAD:main"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, c := range []struct {
		token, push string
		fine        bool
	}{
		{"app", same + ":refs/tags/v1", true},
		{"app", other + ":refs/tags/v1", false},
		{"app", other + ":refs/tags/v1.0.0", true},
		{"app", before + ":refs/tags/v0.9.0", false},
		{"full", other + ":refs/tags/v1", true},
		{"app", before + ":refs/tags/v1", false},
	} {
		w.token = c.token
		out, err := w.git("push", "--force", "origin", c.push)
		if (err == nil) != c.fine || !c.fine && !strings.Contains(out, "refusing to allow a GitHub App to create or update workflow `.github/workflows/new.yml` without `workflows` permission") {
			t.Errorf("%s pushes %s: %v\n%s", c.token, c.push, err, out)
		}
	}
}
