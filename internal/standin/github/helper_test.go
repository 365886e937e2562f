// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github/openapi"
)

// description is compiled once: that takes longer than any test.
var description = sync.OnceValues(openapi.New)

// serve starts a server whose every request and answer is checked against
// GitHub's description of its API.
func serve(t *testing.T, o Options) *Server {
	t.Helper()
	checker, err := description()
	if err != nil {
		t.Fatal(err)
	}
	o.Wrap = func(next http.Handler) http.Handler {
		return checker.Wrap(next, func(finding string) { t.Error(finding) })
	}
	if o.Tokens == nil {
		o.Tokens = map[string]Access{"full": FullAccess}
	}
	return Serve(t, o)
}

// answer is what a test looks at.
type answer struct {
	status int
	header http.Header
	body   string
}

// message is the text of an error.
func (a answer) message() string {
	var e struct {
		Message string `json:"message"`
	}
	json.Unmarshal([]byte(a.body), &e)
	return e.Message
}

// ask sends a request with the token "full", or with the header pairs given.
func ask(t *testing.T, s *Server, method, path string, body any, header ...string) answer {
	t.Helper()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(header) == 0 {
		header = []string{"Authorization", "Bearer full"}
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// decode reads an answer's JSON.
func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %.200s", err, a.body)
	}
	return v
}

// autorun is a workflow like those that the dispatcher starts.
const autorun = `name: Autorun
run-name: ${{ inputs.key }} ${{ inputs.subject }}
on:
  schedule:
    - cron: "7 * * * *"
  push:
  workflow_dispatch:
    inputs:
      key: {required: true}
      subject: {default: none}
      mode: {type: choice, options: [fast, slow]}
`

// repository makes org/ci with a few workflows on main.
func repository(s *Server) *Repository {
	r := s.Repository("org/ci")
	r.Commit("main", map[string]string{
		".github/workflows/autorun.yml": autorun,
		".github/workflows/push.yml":    "on: push\njobs: {}\n",
		".github/workflows/events.yml":  "name: Events\nrun-name: ${{ github.event.client_payload.key }}\non:\n  repository_dispatch:\n    types: [patchset]\n",
		".github/workflows/any.yml":     "on: [repository_dispatch, push]\n",
		"README":                        strings.Repeat("text\n", 3),
	})
	return r
}
