// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
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

// states gives the states of an item's updates in one word each.
func states(res ItemResult) string {
	var words []string
	for _, u := range res.Updates {
		words = append(words, u.State.String())
	}
	return strings.Join(words, ", ")
}
