// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// inGerrit runs git in the project's repository there.
func (s *story) inGerrit(args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), "git", args...)
	cmd.Dir = s.project.Dir()
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.org", "GIT_COMMITTER_DATE=2026-01-05T08:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestMirrorTags: tags of all kinds come to the mirror, and follow Gerrit's, as do
// branches that are deleted there; what others put on the mirror stays.
func TestMirrorTags(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.project.Commit("v26.01.x", map[string]string{"VERSION": "26.01\n"})
	s.inGerrit("tag", "--annotate", "--message", "the release", "v26.01", "v26.01.x")
	s.inGerrit("tag", "light", "master")
	s.inGerrit("tag", "a-tree", "master^{tree}")
	s.inGerrit("tag", "a-file", "v26.01.x:VERSION")
	s.inGerrit("tag", "--annotate", "--message", "of a tag", "nested/v26.01", "v26.01")
	s.pass(ExitDone, "--dry-run")
	s.pass(ExitDone)
	for _, name := range []string{"v26.01", "light", "a-tree", "a-file", "nested/v26.01"} {
		if got, want := s.mirror.Refs()["refs/tags/"+name], s.inGerrit("rev-parse", "refs/tags/"+name); string(got) != want {
			t.Errorf("%s is at %s on the mirror, want %s", name, got, want)
		}
	}
	s.says("Tags cost no request while nothing changes.")
	s.pass(ExitDone)
	if writes := s.writes(); len(writes) > 0 || len(s.requests) > 3 {
		t.Errorf("an idle pass made the requests %q", s.requests)
	}

	s.says("A tag moves, one goes, and a branch with it.")
	s.inGerrit("tag", "--force", "light", "v26.01.x")
	s.inGerrit("tag", "--delete", "a-file")
	s.inGerrit("branch", "--delete", "--force", "v26.01.x")
	s.pass(ExitDone, "--dry-run")
	s.pass(ExitDone)
	s.says("What was deleted stays for a day more: a right may be lost.")
	s.pass(ExitDone)
	s.clock.advance(25 * time.Hour)
	s.pass(ExitDone, "--dry-run")
	s.pass(ExitDone)
	s.pass(ExitDone)
	refs := s.mirror.Refs()
	if refs["refs/heads/v26.01.x"] != "" || refs["refs/tags/a-file"] != "" || string(refs["refs/tags/light"]) != s.inGerrit("rev-parse", "light") {
		t.Errorf("the mirror has %v", refs)
	}
	for name := range refs {
		if strings.HasPrefix(name, "refs/dispatcher/") && (strings.Contains(name, "a-file") || strings.Contains(name, "26.01.x")) {
			t.Errorf("%s stays", name)
		}
	}
}
