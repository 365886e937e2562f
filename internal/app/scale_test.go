// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// settle puts changes on the mirror as if they had been relayed and tested long
// ago: the mirror borrows Gerrit's objects.
func (s *story) settle(changes []*gerrit.Change) {
	s.Helper()
	refs := []string{fmt.Sprintf("%s refs/heads/master", s.project.Tip("master"))}
	for i, c := range changes {
		key := change.Key{ID: c.ID(), Workflow: "autorun.yml", Attempt: 1}
		for _, ref := range []string{
			s.namespace.Ref(c.ID()),
			s.ledger.Ref(change.Entry{Kind: change.Claim, Key: key}),
			s.ledger.Ref(change.Entry{Kind: change.RunOf, Key: key, RunID: int64(i + 1)}),
		} {
			refs = append(refs, fmt.Sprintf("%s %s", c.Revision(), ref))
		}
	}
	slices.SortFunc(refs, func(a, b string) int { return strings.Compare(a[41:], b[41:]) })
	for name, text := range map[string]string{
		"packed-refs":             "# pack-refs with: peeled fully-peeled sorted \n" + strings.Join(refs, "\n") + "\n",
		"objects/info/alternates": filepath.Join(s.project.Dir(), "objects") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(s.mirror.Dir(), name), []byte(text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
}

// pushMany uploads a number of changes.
func (s *story) pushMany(n int) []*gerrit.Change {
	changes := make([]*gerrit.Change, n)
	for i := range changes {
		changes[i] = s.push(fmt.Sprintf("dev%d", i%10), fmt.Sprintf("lib: change %d", i), nil)
		s.clock.advance(time.Second)
	}
	return changes
}

// TestManyChanges counts the requests of passes over many open changes. With
// nothing to do they are the query and the refs of both sides; every 500 further
// changes cost one more.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	counts := func(most int) {
		t.Helper()
		if len(s.requests) > most {
			t.Errorf("got %d requests, want %d at most:\n%s", len(s.requests), most, strings.Join(s.requests, "\n"))
		}
	}
	s.says("No change is open.")
	s.settle(nil)
	s.pass(ExitDone)
	counts(3)
	s.says("500 changes are open, and were tested.")
	many := s.pushMany(500)
	s.settle(many)
	s.pass(ExitDone)
	counts(3)
	s.says("600 changes.")
	many = append(many, s.pushMany(100)...)
	s.settle(many)
	s.pass(ExitDone)
	counts(4)
	s.says("600, and a new one.")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	if fetches, pushes := s.count(" POST /spdk/spdk/git-upload-pack")-1, s.count(" POST /example/spdk.git/git-receive-pack"); fetches != 1 || pushes != 2 {
		t.Errorf("got %d fetches and %d pushes, want 1, and 2 with that of the note", fetches, pushes)
	}
	counts(17)
	s.complete(one, s.mirror.Refs())
}

// TestFirstPass brings 120 changes in one fetch and one push, and starts what
// the limit allows.
func TestFirstPass(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	all := s.pushMany(120)
	if status := s.run(t.Context(), "sync"); status != ExitDone {
		t.Errorf("got status %d\n%s", status, s.stderr)
	}
	if fetches, pushes := s.count(" POST /spdk/spdk/git-upload-pack")-1, s.count(" POST /example/spdk.git/git-receive-pack"); fetches != 1 || pushes != 2 {
		t.Errorf("got %d fetches and %d pushes, want 1, and 2 with that of the notes", fetches, pushes)
	}
	refs := s.mirror.Refs()
	for _, c := range all {
		if refs[c.Ref()] != string(c.Revision()) {
			t.Errorf("%s is not on the mirror", c.ID())
		}
	}
	if got := len(s.github.Runs()); got != 5 {
		t.Errorf("got %d runs, want 5", got)
	}
	if !strings.Contains(s.stdout, "120 relayed, 5 dispatched, 115 waiting") {
		t.Errorf("got the totals %q", s.stdout[strings.LastIndex(s.stdout, "\n  "):])
	}
}

// count counts the requests of the last pass that end so.
func (s *story) count(suffix string) int {
	n := 0
	for _, r := range s.requests {
		if strings.HasSuffix(r, suffix) {
			n++
		}
	}
	return n
}
