// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

func TestContents(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s).Commit("dev", map[string]string{"README": "dev\n"})
	const path = "/repos/org/ci/contents/.github/workflows/autorun.yml"
	raw := []string{"Accept", "application/vnd.github.raw+json"}

	a := ask(t, s, "GET", path, nil, raw...)
	if a.status != 200 || a.body != autorun {
		t.Errorf("raw: got %d %q", a.status, a.body)
	}
	etag := a.header.Get("ETag")
	if a := ask(t, s, "GET", path, nil, append(raw, "If-None-Match", etag)...); a.status != 304 || a.body != "" {
		t.Errorf("If-None-Match: got %d %q, want 304 and no body", a.status, a.body)
	}
	if a := ask(t, s, "GET", path, nil, append(raw, "If-None-Match", `"old"`)...); a.status != 200 {
		t.Errorf("another ETag: got %d, want 200", a.status)
	}
	file := decode[struct{ Name, Content, SHA string }](t, ask(t, s, "GET", path+"?ref=main", nil))
	text, err := base64.StdEncoding.DecodeString(file.Content)
	if err != nil || string(text) != autorun || file.Name != "autorun.yml" || `"`+file.SHA+`"` != etag {
		t.Errorf("JSON: got %q %q %q, %v", file.Name, file.SHA, text, err)
	}
	if a := ask(t, s, "GET", "/repos/org/ci/contents/README?ref=dev", nil, raw...); a.body != "dev\n" {
		t.Errorf("another branch: got %q", a.body)
	}
	for path, want := range map[string]string{
		"/repos/org/ci/contents/gone":            "Not Found",
		"/repos/org/ci/contents/README?ref=gone": "No commit found for the ref gone",
		"/repos/org/gone/contents/README":        "Not Found",
	} {
		if a := ask(t, s, "GET", path, nil); a.status != 404 || a.message() != want {
			t.Errorf("%s: got %d %q, want 404 %q", path, a.status, a.message(), want)
		}
	}
}

// TestAccess asks the same things with different tokens.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Tokens: map[string]Access{
		"full":   FullAccess,
		"reader": {User: "reader", Contents: Read, Actions: Read},
		"app":    {App: true, Contents: Read, Actions: Read},
		"other":  {User: "other", Repositories: []string{"org/other"}, Contents: Write, Actions: Write},
	}})
	repository(s)
	s.Repository("org/secret").SetPrivate().Commit("main", map[string]string{"README": "x", ".github/workflows/autorun.yml": autorun})
	for _, tc := range []struct {
		auth, repo string
		want       []int // of GET repository, GET contents, GET runs, POST dispatch, POST event
	}{
		{"Bearer full", "ci", []int{200, 200, 200, 204, 204}},
		{"token full", "ci", []int{200, 200, 200, 204, 204}},
		{"Bearer reader", "ci", []int{200, 200, 200, 403, 403}},
		{"Bearer app", "ci", []int{200, 200, 200, 403, 403}},
		{"Bearer other", "ci", []int{200, 200, 200, 403, 403}},
		{"Bearer wrong", "ci", []int{401, 401, 401, 401, 401}},
		{"", "ci", []int{200, 200, 200, 401, 401}},
		{"Bearer full", "secret", []int{200, 200, 200, 204, 204}},
		{"Bearer reader", "secret", []int{200, 200, 200, 403, 403}},
		{"Bearer other", "secret", []int{404, 404, 404, 404, 404}},
		{"", "secret", []int{404, 404, 404, 404, 404}},
	} {
		base := "/repos/org/" + tc.repo
		header := []string{"X-None", ""}
		if tc.auth != "" {
			header = []string{"Authorization", tc.auth}
		}
		var got []int
		for _, path := range []string{"", "/contents/README", "/actions/runs"} {
			got = append(got, ask(t, s, "GET", base+path, nil, header...).status)
		}
		got = append(got, ask(t, s, "POST", base+"/actions/workflows/autorun.yml/dispatches", map[string]any{"ref": "main", "inputs": map[string]string{"key": "k"}}, header...).status)
		got = append(got, ask(t, s, "POST", base+"/dispatches", map[string]any{"event_type": "go"}, header...).status)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q on %s (-want +got):\n%s", tc.auth, tc.repo, diff)
		}
	}
	if a := ask(t, s, "POST", "/repos/org/ci/dispatches", map[string]any{"event_type": "go"}, "Authorization", "Bearer app"); a.message() != "Resource not accessible by integration" {
		t.Errorf("an App's refusal: got %q", a.message())
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir(), Options{Tokens: map[string]Access{"full": FullAccess}})
	if _, err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	repository(s)
	s.Faults.Add(faults.Rule{Path: regexp.MustCompile("page=9"), Do: faults.Answer(502, "bad gateway")})
	var got []int
	for _, path := range []string{"/repos/org/ci", "/repos/org/ci/actions/runs?page=9", "/repos/org/ci/issues"} {
		got = append(got, ask(t, s, "GET", path, nil).status)
	}
	if diff := cmp.Diff([]int{200, 502, 404}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	want := []Request{
		{"GET", "/repos/org/ci", "full"}, {"GET", "/repos/org/ci/actions/runs?page=9", "full"}, {"GET", "/repos/org/ci/issues", "full"},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[2:], s.Unplanned()); diff != "" {
		t.Errorf("unplanned (-want +got):\n%s", diff)
	}
	if again := s.Requests(); len(again) != 0 {
		t.Errorf("requests again: got %v, want none", again)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	repository(s)
	a := ask(t, s, "GET", "/repos/org/ci", nil)
	for name, want := range map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1767603600"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if a := ask(t, s, "GET", "/repos/org/ci", nil, "X-GitHub-Api-Version", "2099-01-01"); a.status != http.StatusBadRequest {
		t.Errorf("an unknown version of the API: got %d, want 400", a.status)
	}
}
