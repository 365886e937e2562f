// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// TestPrivateBelow: a public change does not bring a private one to the mirror,
// trusted or not. Change 2 is private, at its second patchset 2; the first was 502.
func TestPrivateBelow(t *testing.T) {
	t.Parallel()
	const held = "builds on 2/2, which is private: tested once that is public or merged"
	hidden := open(2, above(900), func(c *change.Change) { c.Private, c.Current.Number = true, 2 }, voted(1, 5))
	abandoned := open(3, above(2))
	abandoned.Status = change.Abandoned
	for _, tt := range []struct {
		name  string
		edit  func(*Snapshot)
		below []int
		want  string // "" is relayed
		own   bool   // a gate has reasons of its own
	}{
		{"on the branch", nil, []int{900}, "", false},
		{"on a private change", nil, []int{2}, held, false},
		{"on an old patchset of one", nil, []int{502}, "builds on 2/1, which is private: tested once that is public or merged", true},
		{"the second parent of a merge", nil, []int{900, 2}, held, false},
		{"two above one", nil, []int{4}, held, false},
		{"on an abandoned change on one", nil, []int{3}, held, true},
		{"on what a branch had before", nil, []int{800}, "", false},
		{"on what nobody knows", nil, []int{801}, "", true},
		{"the list lacks it", func(s *Snapshot) { s.Changes = s.Changes[1:] }, []int{2}, held, true},
		{"on very many", func(s *Snapshot) {
			for n := range maxBelow + 1 {
				s.Changes[len(s.Changes)-1].Current.Parents = append(s.Changes[len(s.Changes)-1].Current.Parents, rev(7000+n))
				s.Origins[rev(7000+n)] = change.Origin{Branches: []string{"master"}}
			}
		}, nil, "builds on more than 60 patchsets that were replaced or merged: too many to see whether one is private", true},
		{"it is on the mirror", func(s *Snapshot) { s.Mirror.Add("refs/changes/10/10/1", rev(10)) }, []int{2}, "", false},
		{"not asked", func(s *Snapshot) { s.Private = nil }, []int{2}, "whether it builds on a private change is not known yet", false},
		{"not read", func(s *Snapshot) { s.Private, s.NoPrivate = nil, "no answer" }, []int{900}, "no answer", false},
		{"nothing is private any more", func(s *Snapshot) { s.Private = map[change.Revision]change.ID{} }, []int{2}, "", false},
		{"what it builds on is not known", func(s *Snapshot) { s.Fresh, s.Changes[2].Current.Parents = map[int]bool{}, nil }, nil, "what 10/1 builds on is not known yet", false},
		{"what one below builds on is not known", func(s *Snapshot) { s.Fresh, s.Changes[1].Current.Parents = map[int]bool{}, nil }, []int{4}, "what 4/1 builds on is not known yet", false},
		{"where one below comes from is not known", func(s *Snapshot) { s.Origins = nil }, []int{800}, "where 0000000000 below it comes from is not known yet", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, gate := range []config.Trust{{}, byLabel} {
				if gate.Required() && tt.own {
					continue
				}
				p := project(gatedBy(gate))
				s := snapshot(p, []change.Change{hidden, open(4, above(2), voted(1, 5)), open(10, above(tt.below...), voted(1, 5))}, "refs/heads/master 900")
				s.Source = map[string]change.Revision{"master": rev(900)}
				s.Private = map[change.Revision]change.ID{rev(502): {Change: 2, Patchset: 1}, rev(2): hidden.ID()}
				s.Origins = map[change.Revision]change.Origin{rev(3): {Change: &abandoned}, rev(800): {Branches: []string{"master"}}, rev(801): {}}
				if tt.edit != nil {
					tt.edit(s)
				}
				made := Make(p, s, noon)
				var got []string
				for _, a := range made.Actions {
					if a.Change != nil && a.Change.Number == 10 {
						got = append(got, fmt.Sprintf("%s %s", a.Verb, a.Reason))
					}
				}
				want := []string{"wait " + tt.want}
				if tt.want == "" {
					want = []string{"relay new patchset", "dispatch new patchset"}
					if s.Mirror.Holds(change.ID{Change: 10, Patchset: 1}, rev(10)) {
						want = want[1:]
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if asked := strings.HasSuffix(tt.want, notKnownYet); asked == made.Needs.None() {
					t.Errorf("got needs %+v", made.Needs)
				}
			}
		})
	}
}

// TestPrivateBelowWithoutWorkflows: nor does it where patchsets are only mirrored; and
// who has private changes tested has all of them on the mirror.
func TestPrivateBelowWithoutWorkflows(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{true, false} {
		p := project(func(p *config.Project) { p.Workflows, p.Skip.Private = nil, skip })
		s := snapshot(p, []change.Change{open(10, above(2)), open(11)}, "refs/changes/11/11/1 11")
		s.Private, s.Fresh[11] = map[change.Revision]change.ID{rev(2): {Change: 2, Patchset: 2}}, false
		want := "relay 10/1: new patchset"
		if skip {
			want = "wait 10/1: builds on 2/2, which is private: tested once that is public or merged"
		}
		made := Make(p, s, noon)
		if check(t, made, want, "idle 1"); !made.Needs.None() {
			t.Errorf("got needs %+v", made.Needs)
		}
	}
}
