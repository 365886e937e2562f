// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os"
	"strings"
	"testing"
)

// TestSayBuilt: a job's log says that its program was built for it, and only then.
func TestSayBuilt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, job string
		want         bool
	}{{builtHere, "true", true}, {builtHere, "", false}, {"v1.2.3", "true", false}} {
		var out, said strings.Builder
		a := &App{Stdout: &out, Stderr: &said, Version: c.version, Getenv: func(name string) string {
			return map[string]string{"GITHUB_ACTIONS": c.job, "INPUT_COMMAND": "version"}[name]
		}}
		if status := a.Main(t.Context(), nil); status != ExitDone || out.String() != "dispatcher "+c.version+"\n" {
			t.Errorf("got %d, %q", status, out.String())
		}
		if got := strings.Contains(said.String(), "it was built for this job"); got != c.want {
			t.Errorf("%+v: got %q", c, said.String())
		}
	}
}

// TestBuiltHere: the Dockerfile gives the program the version by which it knows.
func TestBuiltHere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil || !strings.Contains(string(text), "\nARG VERSION="+builtHere+"\n") {
		t.Errorf("the Dockerfile has another version, %v", err)
	}
}
