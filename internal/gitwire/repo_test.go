// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// repo is a bare repository.
type repo struct {
	t   testing.TB
	dir string
}

func (r repo) git(args ...string) string {
	r.t.Helper()
	return runGit(r.t, r.dir, "", args...)
}

// history adds commits to a ref, on top of what is there, each with a changed
// file among files, and returns their ids, oldest first.
func (r repo) history(ref string, commits, files int) []string {
	r.t.Helper()
	var b strings.Builder
	for i := range commits {
		fmt.Fprintf(&b, "commit %s\ncommitter A <a@example.com> %d +0000\n", ref, 1700000000+i)
		data(&b, fmt.Sprintf("Commit %d of %s\n\n%s", i, ref, likeOthers))
		if i == 0 && r.exists(ref) {
			fmt.Fprintf(&b, "from %s^0\n", ref)
		}
		for f := range files {
			if i == 0 || f == i%files {
				fmt.Fprintf(&b, "M 644 inline dir%d/file%d\n", f%3, f)
				data(&b, fmt.Sprintf("%s\nfile %d of %s\n%d\n", strings.Repeat("the same line\n", 200), f, ref, i))
			}
		}
	}
	runGit(r.t, r.dir, b.String(), "fast-import", "--quiet")
	return strings.Fields(r.git("rev-list", "--reverse", fmt.Sprintf("-n%d", commits), ref))
}

// likeOthers is long enough for git to make commits deltas of one another.
var likeOthers = strings.Repeat("This message looks like the others of its kind.\n", 20)

// bulk adds a commit with so many bytes that do not compress, and returns it.
func (r repo) bulk(ref string, size int) string {
	r.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "commit %s\ncommitter A <a@example.com> 1700000000 +0000\n", ref)
	data(&b, "Add something big\n")
	b.WriteString("M 644 inline noise\n")
	data(&b, string(noise(size)))
	runGit(r.t, r.dir, b.String(), "-c", "core.bigFileThreshold=1g", "-c", "core.compression=0", "fast-import", "--quiet")
	return r.rev(ref)
}

func data(b *strings.Builder, text string) { fmt.Fprintf(b, "data %d\n%s\n", len(text), text) }

func (r repo) exists(ref string) bool {
	return strings.TrimSpace(r.git("for-each-ref", ref)) != ""
}

// rev returns what a ref points at, or "".
func (r repo) rev(ref string) string {
	return strings.TrimSpace(r.git("for-each-ref", "--format=%(objectname)", ref))
}

// objects counts the objects of a repository, those in no ref included.
func (r repo) objects() int {
	return len(strings.Fields(r.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")))
}

// pack makes a pack of a revision and all that it needs.
func (r repo) pack(revs ...string) []byte {
	r.t.Helper()
	return []byte(runGit(r.t, r.dir, strings.Join(revs, "\n")+"\n", "pack-objects", "--revs", "--stdout", "--quiet", "--thin", "--delta-base-offset"))
}

func gitEnv() []string {
	return []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com"}
}

func runGit(t testing.TB, dir, input string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(os.Environ(), gitEnv()...), strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// noise returns bytes that do not compress; always the same ones.
func noise(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}
