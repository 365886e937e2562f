// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// gerritGit runs git in the project's repository there.
func (b *bed) gerritGit(args ...string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "git", args...)
	cmd.Dir = b.project.Dir()
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// TestPlaces: real servers take tags of each kind, have them moved and deleted, and let
// branches go; a name takes the place of another that was in its way. Their default
// branch stays, quietly.
func TestPlaces(t *testing.T) {
	each(t, func(b *bed) {
		b.project.Commit("next", map[string]string{"VERSION": "26.01\n"})
		b.gerritGit("branch", "old/one", "next")
		b.gerritGit("tag", "--annotate", "--message", "the release", "v1", "master")
		b.gerritGit("tag", "v2/rc", "master")
		b.gerritGit("tag", "v3", "master^{tree}")
		b.gerritGit("tag", "v4", "old/one")
		b.pass(0)
		b.follows()
		b.says(b.pass(0), "nothing to do")

		b.gerritGit("tag", "--force", "v1", "next")
		b.gerritGit("tag", "--delete", "v2/rc")
		b.gerritGit("tag", "v2", "master")
		b.gerritGit("tag", "--delete", "v4")
		b.gerritGit("branch", "--delete", "--force", "old/one")
		b.gerritGit("branch", "old", "master")
		b.says(b.pass(0), "1 tag (v4): gone from Gerrit; the first leaves the mirror after")
		b.clock.advance(25 * time.Hour)
		b.pass(0)
		b.follows()
		b.says(b.pass(0), "nothing to do")

		b.gerritGit("branch", "--move", "master", "main")
		b.pass(0)
		b.clock.advance(25 * time.Hour)
		b.pass(0)
		b.pass(0)
		if refs := b.refs(); refs["refs/heads/main"] == "" || refs["refs/heads/old"] == "" {
			b.Errorf("the mirror has %v", refs)
		}
		b.must(b.mirror.Check(b.Context()))
	})
}

// follows checks that branches and tags of the mirror are those of Gerrit.
func (b *bed) follows() {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "git", "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
	cmd.Dir = b.project.Dir()
	out, err := cmd.Output()
	b.must(err)
	want, got := string(out), ""
	refs := b.refs()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") {
			got += refs[name] + " " + name + "\n"
		}
	}
	if got != want {
		b.Errorf("the mirror has\n%s\nwant\n%s", got, want)
	}
	b.must(b.mirror.Check(b.Context()))
}
