// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestPrivate finds the private changes that the account sees, with all patchsets.
func TestPrivate(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{})
	account := s.Account("bot")
	p.Push(standin.Draft{})
	p.Push(standin.Draft{Owner: "ann", Private: true})
	seen, gone := p.Push(standin.Draft{Owner: "bot", Private: true}), p.Push(standin.Draft{Owner: "bot", Private: true})
	s.Project("spdk/docs").Push(standin.Draft{Owner: "bot", Private: true})
	seen.Amend(map[string]string{"a": "b"})
	gone.Abandon()
	c := connect(t, s, func(o *Options) { o.Username, o.Password = account.Username, account.Password })
	list, err := c.Private(t.Context(), "spdk/spdk")
	if err != nil || len(list) != 2 || list[0].Number != seen.Number() || len(list[0].Earlier) != 1 || list[0].Current.Revision != seen.Revision() || list[1].Number != gone.Number() {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err := c.Private(t.Context(), `a"b`); !errors.Is(err, fault.Configuration) {
		t.Errorf("got %v", err)
	}
}

// TestOrigin looks for commits of every kind, in a project whose name must be escaped.
func TestOrigin(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	s.Project("spdk/empty")
	before := p.Tip("master")
	pushed := p.Commit("master", map[string]string{"a": "a"})
	low := p.Push(standin.Draft{Owner: "ann"})
	high := p.Push(standin.Draft{Owner: "ann", Parent: low})
	old := low.Revision()
	low.AmendAs("bob", map[string]string{"x": "y"})
	low.Vote("bob", "Code-Review", -1)
	gone := p.Push(standin.Draft{})
	gone.Abandon()
	hidden := p.Push(standin.Draft{Owner: "ann", Private: true})
	merged := p.Push(standin.Draft{})
	merged.Submit()
	p.Commit("v1", nil)
	p.Commit("v1", map[string]string{"b": "b"})
	stable := p.Commit("v1", map[string]string{"b": "c"})

	c := connect(t, s, nil)
	for _, tt := range []struct {
		name     string
		rev      change.Revision
		branches string
		change   *standin.Change
	}{
		{"an old commit of all branches", before, "master v1", nil},
		{"a commit without a change", pushed, "master v1", nil},
		{"a commit of one branch", stable, "v1", nil},
		{"a merged change", merged.Revision(), "master", merged},
		{"a patchset that was replaced", old, "", low},
		{"the current patchset", low.Revision(), "", low},
		{"an abandoned change", gone.Revision(), "", gone},
		{"a hidden change", hidden.Revision(), "", nil},
		{"nobody's", change.Revision(strings.Repeat("a", 40)), "", nil},
	} {
		got, err := c.Origin(t.Context(), "spdk/spdk", tt.rev)
		if err != nil || strings.Join(got.Branches, " ") != tt.branches || (got.Change == nil) != (tt.change == nil) || tt.change != nil && got.Change.Number != tt.change.Number() {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
	}
	got, err := c.Origin(t.Context(), "spdk/spdk", old)
	if err != nil || len(got.Change.Earlier) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	first, last := got.Change.Earlier[0], got.Change.Current
	if first.Uploader.ID != user(s, "ann").ID || last.Uploader.ID != user(s, "bob").ID || !slices.Equal(first.Parents, []change.Revision{pushed}) || len(got.Change.Votes) != 1 {
		t.Errorf("got %+v", got.Change)
	}
	if got, err := c.Origin(t.Context(), "spdk/empty", high.Revision()); err != nil || got.Change != nil || got.Branches != nil {
		t.Errorf("in another project: got %+v, %v", got, err)
	}
	s.Requests()
	if _, err := c.Origin(t.Context(), "spdk/spdk", "master"); !errors.Is(err, fault.Ours) || len(s.Requests()) != 0 {
		t.Errorf("no revision: got %v", err)
	}
	// A proxy that takes no %2F does not know the commit.
	s.Faults.Add(faults.Rule{Path: regexp.MustCompile(`/commits/`), Do: func(http.Handler) http.Handler { return http.NotFoundHandler() }})
	if got, err := c.Origin(t.Context(), "spdk/spdk", before); err == nil {
		t.Errorf("behind a proxy: got %+v", got)
	}
	if got, err := c.Origin(t.Context(), "spdk/spdk", merged.Revision()); err != nil || len(got.Branches) != 1 {
		t.Errorf("a merged change needs no look at the branches: got %+v, %v", got, err)
	}
}

// TestOriginBehindAProxy: where a commit comes from can be asked in no other way, so the
// failure says what stands in the way.
func TestOriginBehindAProxy(t *testing.T) {
	t.Parallel()
	for _, slashes := range []standin.Slashes{standin.SlashesRefused, standin.SlashesDecoded} {
		s, p := serve(t, standin.Options{Slashes: slashes})
		_, err := connect(t, s, nil).Origin(t.Context(), "spdk/spdk", p.Tip("master"))
		if !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), "AllowEncodedSlashes NoDecode") {
			t.Errorf("%d: got %v with hint %q", slashes, err, fault.HintOf(err))
		}
	}
}
