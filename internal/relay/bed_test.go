// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// bed is a review server's repository and a mirror, both true git repositories
// behind HTTP, with a relay between them.
type bed struct {
	*Relay
	t              testing.TB
	source, mirror string // folders
	// sourceFaults and mirrorFaults make the servers misbehave.
	sourceFaults, mirrorFaults faults.Set
	base                       change.Revision // tip of main on both
	fetches                    []gitwire.FetchRequest
	pushes                     []gitwire.PushRequest
	// tamper, if set, changes the mirror's report before the relay sees it.
	tamper func(*gitwire.Report)

	now    time.Time
	slept  []time.Duration
	logged []string
}

var (
	fetchPath = regexp.MustCompile(`/git-upload-pack$`)
	pushPath  = regexp.MustCompile(`/git-receive-pack$`)
)

// newBed starts a bed whose mirror has main with one commit.
func newBed(t testing.TB) *bed {
	t.Helper()
	root := t.TempDir()
	b := &bed{
		t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		source: filepath.Join(root, "source.git"), mirror: filepath.Join(root, "mirror.git"),
	}
	b.git("", "init", "-q", "--bare", "--template=", "-b", "main", b.source)
	b.base = b.commits("refs/heads/main", "", commit{name: "base", files: 3})[0]
	if err := os.CopyFS(b.mirror, os.DirFS(b.source)); err != nil {
		t.Fatal(err)
	}
	b.Relay = &Relay{
		Source:  countingSource{b, b.remote(&b.sourceFaults, "source.git", root)},
		Mirror:  countingMirror{b, b.remote(&b.mirrorFaults, "mirror.git", root)},
		Allowed: func(ref string) bool { return !strings.HasPrefix(ref, "refs/secret/") },
		Now:     func() time.Time { return b.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.slept = append(b.slept, d)
			b.now = b.now.Add(d)
			return ctx.Err()
		},
		Log: func(format string, args ...any) { b.logged = append(b.logged, fmt.Sprintf(format, args...)) },
	}
	return b
}

// remote serves root with faults in front.
func (b *bed) remote(set *faults.Set, name, root string) *gitwire.Remote {
	srv := httptest.NewServer(set.Wrap(&githttp.Handler{Root: root, User: "dispatcher", Env: gitEnv()}))
	b.t.Cleanup(srv.Close)
	r, err := gitwire.Open(srv.URL+"/"+name, gitwire.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

type countingSource struct {
	b *bed
	Source
}

func (s countingSource) Fetch(ctx context.Context, q gitwire.FetchRequest) (io.ReadCloser, error) {
	s.b.fetches = append(s.b.fetches, q)
	return s.Source.Fetch(ctx, q)
}

type countingMirror struct {
	b *bed
	Mirror
}

func (m countingMirror) Push(ctx context.Context, q gitwire.PushRequest) (*gitwire.Report, error) {
	m.b.pushes = append(m.b.pushes, q)
	rep, err := m.Mirror.Push(ctx, q)
	if err == nil && m.b.tamper != nil {
		m.b.tamper(rep)
	}
	return rep, err
}

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

// patchset is an item as a plan makes it: the change's ref and a claim.
func (b *bed) patchset(number int, want change.Revision, parents ...change.Revision) Item {
	id := change.ID{Change: number, Patchset: 1}
	claim := change.Entry{Kind: change.Claim, Key: change.Key{ID: id, Workflow: "ci.yml", Attempt: 1}}
	return Item{
		ID: id, Want: want, Parents: parents, Haves: []change.Revision{b.base},
		Updates: []Update{
			{Ref: change.CustomRefs.Ref(id), New: want},
			{Ref: change.CustomLedger.Ref(claim), New: want},
		},
	}
}

// branch is an item that moves a branch.
func branch(name string, from, to change.Revision) Item {
	it := Item{Want: to, Updates: []Update{{Ref: "refs/heads/" + name, Old: from, New: to}}}
	if from != "" {
		it.Haves = []change.Revision{from}
	}
	return it
}

// single makes n changes on main, each with one commit, numbered from 1.
func (b *bed) single(n int) []Item {
	b.t.Helper()
	lines := make([]line, n)
	for i := range lines {
		name := fmt.Sprintf("change-%d", i+1)
		lines[i] = line{"refs/changes/" + name, b.base, []commit{{name: name}}}
	}
	items := make([]Item, n)
	for i, ids := range b.grow(lines...) {
		items[i] = b.patchset(i+1, ids[0], b.base)
	}
	return items
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

// states gives the states of an item's updates in one word each.
func states(res ItemResult) string {
	var words []string
	for _, u := range res.Updates {
		words = append(words, u.State.String())
	}
	return strings.Join(words, ", ")
}
