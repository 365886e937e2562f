// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// twins are two projects of a server that have a change 1 each.
func twins(t *testing.T, o standin.Options) (s *standin.Server, ours, other *standin.Change) {
	t.Helper()
	s, p := serve(t, o)
	s.Account("ci")
	imported := s.Project("spdk/imported")
	imported.Commit("master", map[string]string{"README": "hello\n"})
	ours, other = p.Push(standin.Draft{Owner: "ann"}), imported.Push(standin.Draft{Owner: "bob", Imported: 1})
	other.Comment("bob", "not yours")
	s.Requests()
	return s, ours, other
}

// every asks all that can be asked about a change.
func every(t *testing.T, c *Client, a change.Address, rev change.Revision) map[string]error {
	t.Helper()
	errs := map[string]error{}
	ctx := t.Context()
	_, errs["change"] = c.Change(ctx, a)
	_, errs["messages"] = c.Messages(ctx, a)
	_, errs["replies"] = c.Replies(ctx, a)
	_, errs["ranges"] = c.Ranges(ctx, a)
	_, errs["related"] = c.Related(ctx, a, rev)
	_, errs["post"] = c.Post(ctx, a, rev, change.Review{Message: "Tests passed.", Labels: map[string]int{"Verified": 1}})
	return errs
}

// TestEqualNumbers: of two changes with one number only the one that is asked for
// is read and written, whatever a proxy makes of the slash in its project's name.
func TestEqualNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		slashes standin.Slashes
		twice   bool // another project has the number, too
		fails   bool
	}{
		{"straight", standin.SlashesPass, true, false},
		{"Apache refuses %2F", standin.SlashesRefused, true, true},
		{"Apache decodes %2F", standin.SlashesDecoded, true, true},
		{"Apache refuses %2F, one of the number", standin.SlashesRefused, false, false},
		{"Apache decodes %2F, one of the number", standin.SlashesDecoded, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ours, other := twins(t, standin.Options{BasePath: "/gerrit", Slashes: tt.slashes})
			if !tt.twice {
				other.Delete()
			}
			before := len(other.Messages())
			errs := every(t, connect(t, s, as("ci")), spdk(1), ours.Revision())
			for what, err := range errs {
				if tt.fails && (!errors.Is(err, fault.Configuration) || errors.Is(err, ErrGone)) || !tt.fails && err != nil {
					t.Errorf("%s: got %v", what, err)
				}
				if tt.fails && !strings.Contains(fault.HintOf(err), "AllowEncodedSlashes NoDecode") {
					t.Errorf("%s: got the hint %q", what, fault.HintOf(err))
				}
			}
			if got := ours.Votes()["Verified"]["ci"] == 1; got == tt.fails || len(other.Messages()) != before || len(other.Votes()) != 0 {
				t.Errorf("got the vote %v, and on the other change %d messages", got, len(other.Messages()))
			}
		})
	}
}

// TestAnotherProjectsNumber: a number that alone means another project's change is
// never taken for ours.
func TestAnotherProjectsNumber(t *testing.T) {
	t.Parallel()
	s, ours, other := twins(t, standin.Options{Slashes: standin.SlashesRefused})
	rev := ours.Revision()
	ours.Delete()
	before := len(other.Messages())
	for what, err := range every(t, connect(t, s, as("ci")), spdk(1), rev) {
		if err == nil || errors.Is(err, ErrGone) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if len(other.Messages()) != before {
		t.Error("something was said on the other change")
	}
}

// TestSlashesAreLearned: after the first request no other goes the way that leads
// nowhere, and an answer of Gerrit's settles that the way is good.
func TestSlashesAreLearned(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{Slashes: standin.SlashesRefused})
	ch := p.Push(standin.Draft{})
	c := connect(t, s, nil)
	for range 2 {
		if _, err := c.Change(t.Context(), spdk(ch.Number())); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	for _, r := range s.Requests() {
		path, _, _ := strings.Cut(r.Path, "?")
		paths = append(paths, path)
	}
	if want := []string{"/changes/spdk%2Fspdk~1/detail", "/changes/1", "/changes/1/detail", "/changes/1/detail"}; !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}

	s, _ = serve(t, standin.Options{})
	c = connect(t, s, nil)
	if _, err := c.Change(t.Context(), spdk(9)); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
	s.Requests()
	s.Faults.Add(faults.Rule{Path: regexp.MustCompile("%2F"), Do: faults.Answer(404, "<html>")})
	if _, err := c.Change(t.Context(), spdk(9)); errors.Is(err, ErrGone) || err == nil || len(s.Requests()) != 1 {
		t.Errorf("got %v, want the proxy's answer", err)
	}
}

// TestFind: which of some projects have a change of a number.
func TestFind(t *testing.T) {
	t.Parallel()
	s, _, other := twins(t, standin.Options{})
	projects := []string{"none", "spdk/imported", "spdk/spdk"}
	names := func() (list []string) {
		got, err := connect(t, s, nil).Find(t.Context(), 1, projects)
		if err != nil {
			t.Fatal(err)
		}
		for _, ch := range got {
			list = append(list, ch.Project)
		}
		return list
	}
	if got := names(); !slices.Equal(got, []string{"spdk/imported", "spdk/spdk"}) {
		t.Errorf("got %q", got)
	}
	other.Hide(true)
	if got := names(); !slices.Equal(got, []string{"spdk/spdk"}) {
		t.Errorf("without the hidden one: got %q", got)
	}
	s.Faults.Add(faults.Rule{Path: regexp.MustCompile(`changes/\?`), Do: faults.Answer(200, ")]}'\n[]")})
	if got := names(); !slices.Equal(got, []string{"spdk/spdk"}) {
		t.Errorf("with a late index: got %q", got)
	}
}
