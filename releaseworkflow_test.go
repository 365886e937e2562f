// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReleaseWorkflow: release.yml calls scripts/release and decides nothing itself,
// and only what publishes sees a key.
func TestReleaseWorkflow(t *testing.T) {
	t.Parallel()
	w := readWorkflows(t, ourWorkflows)["release"]
	if len(w.On.Dispatch.Inputs) != 2 || w.On.Dispatch.Inputs["version"].Type != "string" || !w.On.Dispatch.Inputs["version"].Required {
		t.Errorf("got the inputs %v", w.On.Dispatch.Inputs)
	}
	call := regexp.MustCompile(`^(?:go run \./scripts/release|"\$RUNNER_TEMP/release") (check|build|image|publish) "\$VERSION"(?: (out/dist))?$`)
	var calls []string
	for _, job := range []string{"build", "publish"} {
		for _, s := range w.Jobs[job].Steps {
			m := call.FindStringSubmatch(s.Run)
			switch {
			case s.Run == "" || s.Run == `go build -o "$RUNNER_TEMP/release" ./scripts/release`:
			case m == nil || (m[1] == "check") != (m[2] == ""):
				t.Errorf("%s: it runs %s", s.Name, s.Run)
			default:
				calls = append(calls, m[1])
			}
			for name, value := range s.Env {
				if strings.Contains(value, "secrets.") && (job == "build" || m == nil || !strings.HasPrefix(name, "RELEASE_")) {
					t.Errorf("%s: it sees %s", s.Name, name)
				}
			}
			if s.If != "" && s.If != "inputs.attest" {
				t.Errorf("%s: it decides by %s", s.Name, s.If)
			}
		}
	}
	if want := []string{"check", "build", "image", "publish"}; !slices.Equal(calls, want) {
		t.Errorf("it calls %v, want %v", calls, want)
	}
	// The tree must be clean, and what was built is in it.
	ignored := exec.CommandContext(t.Context(), "git", "check-ignore", "--quiet", "--no-index", "out/dist/checksums.txt")
	ignored.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	if _, err := os.Stat(filepath.Join(".git")); err == nil && ignored.Run() != nil {
		t.Error("git does not ignore out/dist")
	}
}

// TestMainBuilds: what is no release names no image, so that it runs what it is.
func TestMainBuilds(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat("actions/setup/checksums.txt")
	if pinned := !strings.HasSuffix(string(text), "\n  image: Dockerfile\n"); pinned != (err == nil) {
		t.Errorf("action.yml names an image: %v, but there are checksums of programs: %v", pinned, err == nil)
	}
}
