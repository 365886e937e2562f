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

// TestTrustOfChains puts a trusted change 10 on others.
func TestTrustOfChains(t *testing.T) {
	t.Parallel()
	closed := func(status change.Status, kinds ...change.Kind) *change.Change {
		c := open(3, madeBy(1, 1, change.Rework), above(900))
		c.Status = status
		for i, kind := range kinds { // the first patchset is 500, the next is 501
			c.Earlier = append(c.Earlier, c.Current)
			c.Earlier[i].Revision = rev(500 + i)
			c.Current = change.Patchset{Number: i + 2, Revision: rev(501 + i), Kind: kind, Uploader: c.Owner, Parents: c.Current.Parents}
		}
		return &c
	}
	member := func(c *change.Change) *change.Change {
		c.Owner.ID = 9
		for i := range c.Earlier {
			c.Earlier[i].Uploader.ID = 9
		}
		return c
	}
	voted5, stranger := voted(1, 5), open(2, above(900))
	tests := []struct {
		name  string
		trust config.Trust
		tip   change.Change
		below []change.Change
		from  map[change.Revision]change.Origin
		want  string // "" is open
	}{
		{name: "on the branch", trust: byLabel, tip: open(10, above(900), voted5)},
		{name: "on a trusted change", trust: byLabel, tip: open(10, above(2), voted5), below: []change.Change{open(2, above(900), voted5)}},
		{name: "on a stranger's change", trust: byLabel, tip: open(10, above(2), voted5), below: []change.Change{stranger},
			want: "builds on 2/1, which is not trusted: waits for Allow-CI +1 from somebody else than its author"},
		{name: "two above a stranger's change", trust: byLabel, tip: open(10, above(3), voted5), below: []change.Change{stranger, open(3, above(2), voted5)},
			want: "builds on 2/1, which is not trusted: waits for Allow-CI +1 from somebody else than its author"},
		{name: "the second parent of a merge is a stranger's", trust: byLabel, tip: open(10, above(900, 2), voted5), below: []change.Change{stranger},
			want: "builds on 2/1, which is not trusted: waits for Allow-CI +1 from somebody else than its author"},
		{name: "on a vetoed change", trust: byLabel, tip: open(10, above(2), voted5), below: []change.Change{open(2, above(900), voted5, voted(-1, 6))},
			want: "builds on 2/1, which is not trusted: held by Allow-CI -1 of account 6"},
		{name: "a member's on a stranger's", trust: byGroup, tip: open(10, above(2), madeBy(9, 9, change.Rework)), below: []change.Change{stranger},
			want: `builds on 2/1, which is not trusted: its owner and its uploader are not both in the trusted groups ["core"]`},

		{name: "on what a branch had before", trust: byLabel, tip: open(10, above(800), voted5), from: map[change.Revision]change.Origin{rev(800): {Branches: []string{"master"}}}},
		{name: "on a branch that is not mirrored", trust: byLabel, tip: open(10, above(800), voted5), from: map[change.Revision]change.Origin{rev(800): {Branches: []string{"sandbox/eve"}}},
			want: "builds on 0000000000, which is on no mirrored branch and of no change that is seen here: rebase it"},
		{name: "on the tip of a branch that is not mirrored", trust: byLabel, tip: open(10, above(950), voted5), from: map[change.Revision]change.Origin{rev(950): {}},
			want: "builds on 0000000000, which is on no mirrored branch and of no change that is seen here: rebase it"},
		{name: "on a patchset that was replaced", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: closed(change.New, change.Rework)}},
			want: "builds on 3/1, which patchset 2 replaced, and no vote tells now whether that is trusted: rebase it"},
		{name: "on a patchset that was rebased since", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: closed(change.New, change.TrivialRebase)}},
			want: "builds on 3/1, which patchset 2 replaced, and no vote tells now whether that is trusted: rebase it"},
		{name: "on an abandoned change", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: closed(change.Abandoned, change.Rework)}},
			want: "builds on 3/1, which is abandoned, and no vote tells now whether that is trusted: rebase it"},
		{name: "on a member's patchset that was replaced", trust: byBoth, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: member(closed(change.New, change.Rework))}}},
		{name: "on that, and somebody says no to the change", trust: byBoth, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: func() *change.Change {
			c := member(closed(change.New, change.Rework))
			voted(-1, 6)(c)
			return c
		}()}}, want: "builds on 3/1, which is not trusted: held by Allow-CI -1 of account 6"},
		{name: "on what was merged into a branch that is not mirrored", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Branches: []string{"sandbox/eve"}, Change: func() *change.Change {
			c := closed(change.Merged, change.TrivialRebase)
			c.Branch = "sandbox/eve"
			return c
		}()}}, want: "builds on 3/1, which was merged into sandbox/eve as patchset 2, and no vote tells now whether that is trusted: rebase it"},
		{name: "on a member's abandoned change", trust: byBoth, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: member(closed(change.Abandoned, change.Rework))}}},
		{name: "on that, and somebody had said no", trust: byBoth, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: func() *change.Change {
			c := member(closed(change.Abandoned, change.Rework))
			voted(-1, 6)(c)
			return c
		}()}}, want: "builds on 3/1, which is not trusted: held by Allow-CI -1 of account 6"},
		{name: "on what was merged by cherry-pick", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: closed(change.Merged, change.TrivialRebase)}}},
		{name: "on what was merged in another form", trust: byLabel, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: closed(change.Merged, change.Rework, change.NoCodeChange)}},
			want: "builds on 3/1, which was merged into master as patchset 3, and no vote tells now whether that is trusted: rebase it"},
		{name: "on an open change that the filter leaves out", trust: byLabel, tip: open(10, above(3), voted5), from: map[change.Revision]change.Origin{rev(3): {Change: closed(change.New)}},
			want: "builds on 3/1, which is not trusted: waits for Allow-CI +1 from somebody else than its author"},
		{name: "on such a one that is trusted", trust: byLabel, tip: open(10, above(3), voted5), from: map[change.Revision]change.Origin{rev(3): {Change: func() *change.Change {
			c := closed(change.New)
			voted(1, 5)(c)
			return c
		}()}}},
		{name: "on such a one without messages", trust: byLabel, tip: open(10, above(3), voted5), from: map[change.Revision]change.Origin{rev(3): {Change: func() *change.Change {
			c := closed(change.New)
			voted(1, 5)(c)
			c.Messages = nil
			return c
		}()}}, want: "builds on 3/1, which is not trusted: waits for Allow-CI +1: the vote that is there was given for another patchset, so somebody must vote again"},
		{name: "on a commit with parents that nobody tells", trust: byBoth, tip: open(10, above(500), voted5), from: map[change.Revision]change.Origin{rev(500): {Change: func() *change.Change {
			c := member(closed(change.New, change.Rework))
			c.Earlier[0].Parents = nil
			return c
		}()}}, want: "what 0000000000 below it is cannot be read: rebase it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(gatedBy(tt.trust), func(p *config.Project) { p.Skip.Owners = nil })
			s := snapshot(p, append(slices.Clone(tt.below), tt.tip), "refs/heads/master 900")
			s.Source = map[string]change.Revision{"master": rev(900), "sandbox/eve": rev(950)}
			s.Members, s.Origins = map[string]map[int]bool{"core": {9: true}}, tt.from
			made, got := Make(p, s, noon), ""
			if !made.Needs.None() {
				t.Errorf("needs %+v", made.Needs)
			}
			for _, a := range made.Actions {
				if a.Change != nil && a.Change.Number == 10 {
					got += fmt.Sprintf("%s %s\n", a.Verb, a.Reason)
				}
			}
			want := "relay new patchset\ndispatch new patchset"
			if tt.want != "" {
				want = "wait " + tt.want
			}
			if got = strings.TrimSpace(got); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestGateAsksFirst looks at what a gate wants to know before something starts.
func TestGateAsksFirst(t *testing.T) {
	t.Parallel()
	p := project(gatedBy(byLabel))
	world := func(trust config.Trust, edit func(*Snapshot)) Plan {
		p := project(gatedBy(trust))
		s := snapshot(p, []change.Change{open(2, above(800), voted(1, 5)), open(10, above(2), voted(1, 5))}, "refs/heads/master 900")
		s.Source = map[string]change.Revision{"master": rev(900)}
		s.Origins = map[change.Revision]change.Origin{rev(800): {Branches: []string{"master"}}}
		// Only the tip is left to be started.
		s.Mirror.Add(string(change.CustomRefs.Ref(change.ID{Change: 2, Patchset: 1})), rev(2))
		s.Mirror.Add(p.Mirror.Ledger.Ref(change.Entry{Kind: change.RunOf, Key: change.Key{ID: change.ID{Change: 2, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}, RunID: 7}), rev(2))
		edit(s)
		return Make(p, s, noon)
	}
	tests := []struct {
		name    string
		edit    func(*Snapshot)
		fresh   []int
		origins []change.Revision
	}{
		{"all is known", func(*Snapshot) {}, nil, nil},
		{"the list may be old", func(s *Snapshot) { s.Fresh = map[int]bool{} }, []int{2, 10}, nil},
		{"the list may be old below", func(s *Snapshot) { delete(s.Fresh, 2) }, []int{2}, nil},
		{"the list may be old below what is relayed and not started", func(s *Snapshot) {
			delete(s.Fresh, 2)
			s.NoGitHub = "no answer"
		}, []int{2}, nil},
		{"the list may be old below what is relayed already", func(s *Snapshot) {
			delete(s.Fresh, 2)
			s.Mirror.Add("refs/changes/10/10/1", rev(10))
		}, []int{2}, nil},
		{"where the lowest comes from", func(s *Snapshot) { s.Origins = nil }, nil, []change.Revision{rev(800)}},
		{"parents", func(s *Snapshot) { s.Fresh, s.Changes[1].Current.Parents = map[int]bool{}, nil }, []int{10}, nil},
		{"parents below", func(s *Snapshot) { s.Fresh, s.Changes[0].Current.Parents = map[int]bool{}, nil }, []int{2}, nil},
		{"which patchset a vote is for", func(s *Snapshot) { s.Fresh, s.Changes[1].Messages = map[int]bool{}, nil }, []int{10}, nil},
		{"a commit that the mirror calls an old patchset of an open change", func(s *Snapshot) {
			s.Origins = nil
			s.Mirror.Add("refs/changes/02/2/2", rev(800))
		}, nil, nil},
		{"that, where its uploader may be a member", func(s *Snapshot) {
			s.Origins = nil
			s.Mirror.Add("refs/changes/02/2/2", rev(800))
		}, nil, []change.Revision{rev(800)}},
		{"who wrote what a member has rebased", func(s *Snapshot) {
			madeBy(9, 9, change.TrivialRebase)(&s.Changes[1])
			s.Fresh, s.Members = map[int]bool{}, map[string]map[int]bool{"core": {9: true}}
		}, []int{10}, nil},
		{"nothing for what nobody voted for", func(s *Snapshot) { s.Fresh, s.Changes[1].Votes = map[int]bool{}, nil }, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trust := byLabel
			if strings.Contains(tt.name, "member") {
				trust = byBoth
			}
			made := world(trust, tt.edit)
			got := made.Needs
			started := slices.ContainsFunc(made.Actions, func(a Action) bool { return a.Verb == Dispatch })
			if started != (tt.name == "all is known" || strings.Contains(tt.name, "list may be old") && !strings.Contains(tt.name, "not started")) {
				t.Errorf("started before all was known, or not then: %v", started)
			}
			if started && !slices.Equal(made.Below[10], []int{2}) {
				t.Errorf("got %v below 10", made.Below[10])
			}
			if !slices.Equal(got.Fresh, tt.fresh) || !slices.Equal(got.Origins, tt.origins) {
				t.Errorf("got fresh %v, origins %v", got.Fresh, got.Origins)
			}
		})
	}
	t.Run("a chain that is too long", func(t *testing.T) {
		t.Parallel()
		changes := []change.Change{open(1, above(900), voted(1, 5))}
		for n := 2; n <= maxBelow+2; n++ {
			changes = append(changes, open(n, above(n-1), voted(1, 5)))
		}
		s := snapshot(p, changes, "refs/heads/master 900")
		s.Source = map[string]change.Revision{"master": rev(900)}
		got, last := text(Make(p, s, noon)), fmt.Sprintf("%d/1/autorun.yml", maxBelow+2)
		if !strings.Contains(got, "wait "+last+"/0: builds on more than 60 commits that are not merged") || strings.Count(got, "dispatch ") != maxBelow+1 {
			t.Error(got)
		}
	})
}
