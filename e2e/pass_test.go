// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// traffic is what one pass asked of the three servers.
type traffic struct {
	gerrit, mirror []rig.Request
	hub            int
}

// count runs do and returns what was asked meanwhile. The servers are shared:
// nothing else may use them.
func (s *scene) count(do func()) traffic {
	s.t.Helper()
	ctx := s.t.Context()
	if _, err := world.gerrit.Requests(ctx); err != nil {
		s.t.Fatal(err)
	}
	if _, err := world.mirror.Requests(ctx); err != nil {
		s.t.Fatal(err)
	}
	s.hub.Requests()
	do()
	var (
		got traffic
		err error
	)
	got.hub = len(s.hub.Requests())
	got.gerrit, err = world.gerrit.Requests(ctx)
	must(s.t, err)
	got.mirror, err = world.mirror.Requests(ctx)
	must(s.t, err)
	return got
}

// TestRequests counts what passes ask of the servers, with an account and
// without one.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name string
		settings
	}{
		{"with account", settings{}},
		{"anonymous", settings{anonymous: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, "requests-"+strings.ReplaceAll(c.name, " ", "-"), 14, c.settings)
			s.author.stack("stack", 8)
			full := s.count(func() { s.pass() })
			s.checkAll()
			t.Logf("8 new patchsets: %d requests to Gerrit, %d to the mirror, %d to GitHub", len(full.gerrit), len(full.mirror), full.hub)
			fetches, pushes := ending(full.gerrit, "/git-upload-pack"), ending(full.mirror, "/git-receive-pack")
			// One upload-pack lists the branches. The first pass seeds the empty
			// mirror and records the runs, each with a push of its own at most.
			if fetches > 3 || pushes > 3 {
				t.Errorf("got %d git requests to Gerrit and %d pushes, want 3 of each at most:\n%v\n%v", fetches, pushes, full.gerrit, full.mirror)
			}

			idle := s.count(func() { s.pass() })
			t.Logf("nothing to do: %v %v, %d to GitHub", idle.gerrit, idle.mirror, idle.hub)
			// The design's bound is three to Gerrit and GitHub together.
			if n := len(idle.gerrit) + idle.hub; n > 3 {
				t.Errorf("an idle pass made %d requests to Gerrit and GitHub, want 3 at most", n)
			}
			if len(idle.mirror) != 1 {
				t.Errorf("an idle pass made %d requests to the mirror, want 1: %v", len(idle.mirror), idle.mirror)
			}
			user := botUser
			if c.anonymous {
				user = "-"
			}
			for _, r := range append(full.gerrit, idle.gerrit...) {
				if r.User != user || r.Status != 200 {
					t.Errorf("got request %s by %s, want 200 by %s", r, r.User, user)
				}
			}
		})
	}
}

func ending(requests []rig.Request, suffix string) int {
	n := 0
	for _, r := range requests {
		path, _, _ := strings.Cut(r.URI, "?")
		if strings.HasSuffix(path, suffix) {
			n++
		}
	}
	return n
}

// TestReadOnlyMirror has a pass push where it may only read.
func TestReadOnlyMirror(t *testing.T) {
	s := newScene(t, "readonly", 15, settings{mirrorURL: world.mirror.ReadOnlyURL("owner/readonly")})
	s.author.stack("stack", 2)
	r := s.run(nil, "--json")
	if r.Code != 2 {
		t.Errorf("got exit status %d, want 2: a person must give the token the right to push\n%s", r.Code, r)
	}
	text := r.Stdout + r.Stderr
	for _, want := range []string{"403", "owner/readonly", "hint"} {
		if !strings.Contains(text, want) {
			t.Errorf("the output does not say %q:\n%s", want, text)
		}
	}
	if runs := s.hub.Runs(); len(runs) != 0 {
		t.Errorf("%d runs were started for patchsets that are not on the mirror", len(runs))
	}
	if strings.Contains(text, rig.MirrorToken) || strings.Contains(text, botPassword) {
		t.Error("the output holds a secret")
	}
}

// TestTwoAtOnce lets three dispatchers meet the same new patchsets.
func TestTwoAtOnce(t *testing.T) {
	s := newScene(t, "two-at-once", 16, settings{})
	lost := 0
	for range 6 {
		s.author.stack("stack", 3)
		s.author.push(s.author.write("alone"), "")
		results := make([]rig.Result, 3)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = s.run(nil, "--json") })
		}
		wg.Wait()
		started := 0
		for _, r := range results {
			if r.Code != 0 {
				t.Errorf("one of three passes failed: %s", r)
				continue
			}
			got := s.parse(r).Totals
			started += got.Dispatched
			lost += got.Waiting
		}
		if started != 4 {
			t.Errorf("three passes say that they started %d runs together, want 4", started)
		}
	}
	t.Logf("%d claims were lost to another pass", lost)
	s.checkAll()
	if len(s.hub.Runs()) != 24 {
		t.Errorf("got %d runs, want 24", len(s.hub.Runs()))
	}
}

// TestFreshMirror fills an empty mirror: two workflows for each change, and no
// branch but the configured one.
func TestFreshMirror(t *testing.T) {
	s := newScene(t, "fresh", 17, settings{workflows: []string{"autorun.yml", "docs.yml"}})
	s.author.writeThirty()
	s.pass()
	s.checkAll("autorun.yml", "docs.yml")
	if got := len(s.hub.Runs()); got != 58 {
		t.Errorf("got %d runs, want two for each of 29 changes", got)
	}
	refs := s.mirrorRefs()
	for name := range refs {
		if strings.HasPrefix(name, "refs/heads/side") {
			t.Errorf("the mirror got a branch that is not configured: %s", name)
		}
	}
}
