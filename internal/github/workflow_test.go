// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// wantAutorun is what the file autorun declares.
var wantAutorun = change.WorkflowFile{
	Found: true, Events: []string{"workflow_dispatch"}, RunName: "${{ inputs.key }}",
	Inputs: map[string]change.WorkflowInput{"key": {Required: true}, "subject": {}},
}

func TestWorkflowFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.repo.Commit("release/1.0+x", map[string]string{".github/workflows/autorun.yml": "on: push\n"})
	for ref, want := range map[string]change.WorkflowFile{
		"":              wantAutorun,
		"main":          wantAutorun,
		"release/1.0+x": {Found: true, Events: []string{"push"}},
	} {
		got, err := w.client.WorkflowFile(t.Context(), "org/ci", ref, "autorun.yml")
		if err != nil {
			t.Errorf("%q: %v", ref, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", ref, diff)
		}
	}
}

// TestWorkflowFileIsCached reads a file twice, then changes it.
func TestWorkflowFileIsCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	read := func() change.WorkflowFile {
		t.Helper()
		file, err := w.client.WorkflowFile(t.Context(), "org/ci", "main", "autorun.yml")
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	first := read()
	// If this answer were read again, it would not be what was cached.
	w.server.Faults.Add(faults.Rule{Times: 1, Do: faults.Answer(304, "")})
	if diff := cmp.Diff(first, read()); diff != "" {
		t.Errorf("after a 304 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, read()); diff != "" {
		t.Errorf("from the real server (-want +got):\n%s", diff)
	}
	w.repo.Commit("main", map[string]string{".github/workflows/autorun.yml": "on: push\n"})
	if got := read(); len(got.Events) != 1 || got.Events[0] != "push" {
		t.Errorf("after a change: got %+v, want the new file", got)
	}
	if got := len(w.server.Requests()); got != 4 {
		t.Errorf("got %d requests, want 4", got)
	}
}

func TestWorkflowFileMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{Tokens: map[string]standin.Access{secret: {Repositories: []string{"org/ci"}, Contents: standin.Read}}})
	w.server.Repository("org/hidden").SetPrivate()
	read := func(repository, ref, file string) (change.WorkflowFile, error) {
		return w.client.WorkflowFile(t.Context(), repository, ref, file)
	}
	for range 2 {
		if file, err := read("org/ci", "main", "gone.yml"); err != nil || file.Found {
			t.Errorf("a missing file: got %+v, %v; want Found false", file, err)
		}
	}
	// The first miss also asks whether the repository is there.
	if got := len(w.server.Requests()); got != 3 {
		t.Errorf("got %d requests, want 3", got)
	}
	_, err := read("org/ci", "gone", "autorun.yml")
	checkFailure(t, err, fault.Configuration, "No commit found for the ref gone")
	_, err = read("org/hidden", "main", "autorun.yml")
	checkFailure(t, err, fault.Configuration, "the classic token (setting ci-token) needs the scope repo")
	for _, bad := range [][3]string{{"org", "main", "a.yml"}, {"org/ci", "a..b", "a.yml"}, {"org/ci", "main", "a/b.yml"}} {
		_, err := read(bad[0], bad[1], bad[2])
		checkFailure(t, err, fault.Configuration, "")
	}
}

func TestBadWorkflowFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.repo.Commit("main", map[string]string{
		".github/workflows/broken.yml": "on: [",
		".github/workflows/large.yml":  "on: push\n" + strings.Repeat("# comment\n", maxWorkflowFile/10),
	})
	for file, want := range map[string]string{"broken.yml": "it is not YAML", "large.yml": "larger than 1 MiB"} {
		got, err := w.client.WorkflowFile(t.Context(), "org/ci", "", file)
		if err != nil || !got.Found || !strings.Contains(got.Problem, want) {
			t.Errorf("%s: got %+v, %v; want the problem %q", file, got, err, want)
		}
	}
	w.server.Requests()
	if _, err := w.client.WorkflowFile(t.Context(), "org/ci", "", "large.yml"); err != nil {
		t.Error(err)
	}
	if got := len(w.server.Requests()); got != 1 {
		t.Errorf("a large file was asked for %d times, want 1", got)
	}
}
