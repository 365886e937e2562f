// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestAdvice: a refused vote says what labels there are and who may vote, as far
// as the account can see it, and asks for it once.
func TestAdvice(t *testing.T) {
	t.Parallel()
	labels := []standin.Label{
		{Name: "Code-Review", Min: -2, Max: 2, Voters: []string{"Maintainers"}},
		{Name: "Verified", Min: -1, Max: 1, Voters: []string{"Testers", "Robots"}},
		{Name: "Style", Min: -1, Max: 1},
	}
	const anyOwner = "a project owner can give the right label-Verified with -1 on refs/heads/master to a group that the account ci is in; now it may vote Code-Review from -1 to +1, Style from -1 to +1"
	tests := []struct {
		name   string
		first  func(*standin.Server)
		labels map[string]int
		want   string
		asked  int // beside the ballot
	}{
		{"no such label", nil, map[string]int{"Nope": -1}, "the change has the labels Code-Review, Style, Verified: correct the name in the configuration, or add the label to the project", 0},
		{"only one label", func(s *standin.Server) { s.SetLabels(labels[0]) }, map[string]int{"Nope": -1}, "the change has the label Code-Review: correct the name", 0},
		{"no labels", func(s *standin.Server) { s.SetLabels() }, map[string]int{"Nope": -1}, "the change has no label: correct the name", 0},
		{"no such value", nil, map[string]int{"Verified": 2}, "the label Verified has the values -1 to +1: choose among them, or have a project owner add +2", 0},
		{"no right, and no look at the rights", func(s *standin.Server) { s.Forbid("Verified") }, map[string]int{"Verified": -1}, anyOwner, 1},
		{"no right", func(s *standin.Server) { s.Forbid("Verified"); s.ShowAccess("ci", true) }, map[string]int{"Verified": -1},
			"the groups Robots, Testers may vote Verified-1: put the account ci into one of them, or give the right label-Verified with -1 on refs/heads/master to a group that it is in; now it may vote Code-Review from -1 to +1, Style from -1 to +1", 2},
		{"too high", func(s *standin.Server) { s.ShowAccess("ci", true) }, map[string]int{"code-review": 2}, "the group Maintainers may vote Code-Review+2: put the account ci", 2},
		{"nobody may", func(s *standin.Server) { s.Forbid("Style"); s.ShowAccess("ci", true) }, map[string]int{"Style": 1}, "no group may vote Style+1: a project owner can give", 2},
		{"the rights cannot be read", func(s *standin.Server) {
			s.Forbid("Verified")
			s.Faults.Add(faults.Rule{Path: regexp.MustCompile(`/access/`), Do: faults.Answer(500, "")})
		}, map[string]int{"Verified": -1}, anyOwner, tries},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := serve(t, standin.Options{Labels: labels})
			s.Restrict("ci", "Code-Review", -1, 1)
			ch := p.Push(standin.Draft{Owner: "ann"})
			if tt.first != nil {
				tt.first(s)
			}
			c := connect(t, s, as("ci"))
			for range 2 {
				posted, err := c.Post(t.Context(), spdk(1), ch.Revision(), change.Review{Message: "x", Labels: tt.labels})
				for label := range tt.labels {
					if err != nil || posted.Refused[label] == "" || !strings.HasPrefix(posted.Advice[label], tt.want) {
						t.Errorf("got %+v, %v; want advice %q", posted, err, tt.want)
					}
				}
			}
			asked := 0
			for _, r := range s.Requests() {
				if r.Method == http.MethodGet && strings.Contains(r.Path, "/access/") {
					asked++
				}
			}
			if asked != tt.asked {
				t.Errorf("asked for the rights %d times, want %d", asked, tt.asked)
			}
		})
	}
}

// TestAdviceIsBounded: names from the server are short, printable and few.
func TestAdviceIsBounded(t *testing.T) {
	t.Parallel()
	var labels []standin.Label
	for i := range 50 {
		labels = append(labels, standin.Label{Name: fmt.Sprintf("L%02d\n::error::%s", i, strings.Repeat("x", 100)), Min: -1, Max: 1})
	}
	s, p := serve(t, standin.Options{Labels: labels})
	s.Account("ci")
	ch := p.Push(standin.Draft{})
	posted, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), change.Review{Message: "x", Labels: map[string]int{"Nope": 1}})
	got := posted.Advice["Nope"]
	if err != nil || len(got) > 1000 || strings.Contains(got, "\n") || !strings.Contains(got, "and 42 more") {
		t.Errorf("got %d bytes, %v: %q", len(got), err, got)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		section string
		want    bool
	}{
		{"refs/heads/main", true}, {"refs/heads/*", true}, {"refs/*", true}, {"refs/heads/mai*", true}, {"^refs/heads/(main|v.*)", true},
		{"refs/heads/v1", false}, {"refs/meta/*", false}, {"refs/heads", false}, {"^refs/tags/.*", false},
	} {
		if got := covers(tt.section, "refs/heads/main"); got != tt.want {
			t.Errorf("%s: got %t", tt.section, got)
		}
	}
}
