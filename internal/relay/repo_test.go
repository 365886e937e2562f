// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func gitEnv() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE=1700000000 +0000",
	}
}

// git runs git with the input and returns its trimmed output.
func (b *bed) git(input string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = append(gitEnv(), "PATH="+os.Getenv("PATH"), "HOME=/nonexistent")
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// commit is one commit to make: a file of its own name, or more.
type commit struct {
	name  string
	files int // files of random-looking text; 0 is one short file
	size  int // bytes of each of those
}

// line is a chain of commits to put onto a ref, on top of from.
type line struct {
	ref   string
	from  change.Revision
	chain []commit
}

// commits puts a chain of commits onto a ref of the source, on top of from, and
// returns their ids.
func (b *bed) commits(ref string, from change.Revision, chain ...commit) []change.Revision {
	b.t.Helper()
	return b.grow(line{ref, from, chain})[0]
}

// grow makes many chains with one git process.
func (b *bed) grow(lines ...line) [][]change.Revision {
	b.t.Helper()
	var in strings.Builder
	mark := 0
	for _, l := range lines {
		for i, c := range l.chain {
			mark++
			fmt.Fprintf(&in, "commit %s\nmark :%d\ncommitter C <c@example.org> 1700000000 +0000\ndata %d\n%s\n", l.ref, mark, len(c.name), c.name)
			switch {
			case i > 0:
				fmt.Fprintf(&in, "from :%d\n", mark-1)
			case l.from != "":
				fmt.Fprintf(&in, "from %s\n", l.from)
			}
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", c.name, len(c.name), c.name)
			for f := range c.files {
				text := noise(c.name, f, max(c.size, 200))
				fmt.Fprintf(&in, "M 100644 inline %s.%d\ndata %d\n%s\n", c.name, f, len(text), text)
			}
		}
	}
	marks := filepath.Join(b.t.TempDir(), "marks")
	b.git(in.String(), "-C", b.source, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force", "--export-marks="+marks)
	out, err := os.ReadFile(marks)
	if err != nil {
		b.t.Fatal(err)
	}
	ids := make([]change.Revision, mark)
	for line := range strings.Lines(string(out)) {
		var n int
		var id string
		if _, err := fmt.Sscanf(line, ":%d %s", &n, &id); err != nil {
			b.t.Fatal(err)
		}
		ids[n-1] = change.Revision(id)
	}
	grown := make([][]change.Revision, len(lines))
	for i, l := range lines {
		grown[i], ids = ids[:len(l.chain)], ids[len(l.chain):]
	}
	return grown
}

// noise is text that does not compress, the same for the same arguments.
func noise(seed string, n, size int) string {
	const hex = "0123456789abcdef"
	out := make([]byte, size)
	x := uint64(n+1) * 0x9E3779B97F4A7C15
	for _, c := range seed {
		x = (x ^ uint64(c)) * 0x100000001B3
	}
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = hex[x%16]
	}
	return string(out)
}

// malformed puts a commit that fsck refuses onto parent and returns its id.
func (b *bed) malformed(parent change.Revision, name string) change.Revision {
	b.t.Helper()
	tree := b.git("", "-C", b.source, "rev-parse", string(parent)+"^{tree}")
	raw := fmt.Sprintf("tree %s\nparent %s\nauthor A<a@example.org> 1700000000 +0000\ncommitter C <c@example.org> 1700000000 +0000\n\n%s\n", tree, parent, name)
	id := change.Revision(b.git(raw, "-C", b.source, "hash-object", "--literally", "-t", "commit", "-w", "--stdin"))
	b.git("", "-C", b.source, "update-ref", "refs/changes/malformed/"+name, string(id))
	return id
}

// hook installs a shell script as a hook of the mirror.
func (b *bed) hook(name, script string) {
	b.t.Helper()
	path := filepath.Join(b.mirror, "hooks", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		b.t.Fatal(err)
	}
}

// config sets a configuration value of the mirror.
func (b *bed) config(key, value string) {
	b.t.Helper()
	b.git("", "-C", b.mirror, "config", key, value)
}

// refs are the mirror's refs.
func (b *bed) refs() map[string]change.Revision {
	b.t.Helper()
	refs := map[string]change.Revision{}
	for line := range strings.Lines(b.git("", "-C", b.mirror, "for-each-ref", "--format=%(refname) %(objectname)")) {
		ref, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[ref] = change.Revision(id)
	}
	return refs
}

// sound checks that everything the mirror's refs lead to is there.
func (b *bed) sound() {
	b.t.Helper()
	b.git("", "-C", b.mirror, "rev-list", "--objects", "--all", "--quiet")
}

// put makes a ref of the mirror point at an object of the source.
func (b *bed) put(ref string, id change.Revision) {
	b.t.Helper()
	b.git("", "-C", b.source, "push", "-q", b.mirror, string(id)+":"+ref)
}
