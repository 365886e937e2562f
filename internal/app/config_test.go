// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestMistakesInTheFile are all told at once, each with its place and a hint,
// and no request is made.
func TestMistakesInTheFile(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	good := s.files[".github/dispatcher.yml"]
	s.configure(`gerrits:
  main: {url: "ssh://review.example.org:29418"}
projects:
  - name: spdk/spdk
    mirror: example/spdk
    ci: example/ci
    brnaches: [master]
    limits: {per-pass: many, pace: 0s}
`)
	s.pass(ExitConfiguration)
	for _, place := range []string{":2:15: ", ":7:5: ", ":8:24: "} {
		if !strings.Contains(s.stderr, "dispatcher: .github/dispatcher.yml"+place) {
			t.Errorf("the place %q is not named", place)
		}
	}
	if got := strings.Count(s.stderr, "hint: "); got != 3 {
		t.Errorf("got %d hints, want 3", got)
	}
	if len(s.requests) > 0 {
		t.Errorf("got %q, want no request", s.requests)
	}
	s.says("In a job they are annotations.")
	s.env["GITHUB_ACTIONS"] = "true"
	s.pass(ExitConfiguration)
	delete(s.env, "GITHUB_ACTIONS")
	s.says("A secret in the file is not repeated.")
	s.configure("gerrits:\n  main: {url: GERRIT, password: " + password + "}\nprojects: [{name: spdk/spdk, mirror: {repository: example/spdk, token-env: " + token + "}}]\n")
	s.pass(ExitConfiguration)
	s.says("It is not YAML.")
	s.configure("gerrits:\n  main: {url: [\n::error::hello")
	s.pass(ExitConfiguration)
	s.says("There is no file.")
	delete(s.files, ".github/dispatcher.yml")
	s.pass(ExitConfiguration)
	s.says("The command line is wrong.")
	s.shows(ExitConfiguration, "sync", "--brnaches=master")
	s.shows(ExitConfiguration, "sync", "--mirror-token="+token)
	s.shows(ExitConfiguration, "sync", "--limit=many")
	s.shows(ExitConfiguration, "sync", "master")
	s.shows(ExitConfiguration, "snyc")
	s.files[".github/dispatcher.yml"] = good
	s.endsWell(one)
}

// TestEmptyProject has neither branches nor changes, and the mirror nothing.
func TestEmptyProject(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.project = s.gerrit.Project("spdk/empty")
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "name: spdk/spdk", "name: spdk/empty", 1)
	s.pass(ExitDone)
	s.endsWell()
	s.says("It gets a branch, and a change.")
	s.project.Commit("master", map[string]string{"README.md": "Begun.\n"})
	one := s.push("ann", "a first change", nil)
	s.pass(ExitDone)
	s.endsWell(one)
}

// TestChangeWithoutABranch is the first change of a project: a root commit for
// a branch that is not there yet.
func TestChangeWithoutABranch(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.project = s.gerrit.Project("spdk/empty")
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "name: spdk/spdk", "name: spdk/empty", 1)
	one := s.project.Push(gerrit.Draft{Owner: "ann", Subject: "the very first change"})
	s.pass(ExitDone)
	s.endsWell(one)
}

// TestProjectIsNotThere is a name that Gerrit does not know, or hides.
func TestProjectIsNotThere(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "name: spdk/spdk", "name: spdk/spkd", 1)
	s.pass(ExitConfiguration)
}

// TestHelp is what a newcomer asks for.
func TestHelp(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.shows(ExitConfiguration)
	s.shows(ExitDone, "--help")
	s.shows(ExitDone, "version")
	if status := s.run(t.Context(), "sync", "--help"); status != ExitDone || s.stderr != "" {
		t.Errorf("got status %d, and %q on standard error", status, s.stderr)
	}
	for _, want := range []string{"One pass over", "GHPA_TOKEN", "-gerrit-url", "-json", "(default 5)"} {
		if !strings.Contains(s.stdout, want) {
			t.Errorf("the help of sync lacks %q", want)
		}
	}
}
