// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// The people of these tests: 1 owns and uploads every change, 5 and 6 may vote, 9 is
// in the group core.
var (
	byLabel = config.Trust{Label: "Allow-CI", Value: 1}
	byGroup = config.Trust{Groups: []string{"core"}}
	byBoth  = config.Trust{Label: "Allow-CI", Value: 1, Groups: []string{"core"}}
)

// voted gives a vote on the current patchset, half an hour after its upload, with
// the message that Gerrit writes about it.
func voted(value, by int) func(*change.Change) {
	return func(c *change.Change) {
		v := change.Vote{Label: "Allow-CI", Value: value, Account: change.Account{ID: by}, At: c.Current.Created.Add(30 * time.Minute)}
		c.Votes = append(c.Votes, v)
		c.Messages = append(c.Messages, change.Message{Author: v.Account, Patchset: c.Current.Number, At: v.At,
			Text: fmt.Sprintf("Patch Set %d: Code-Review+1 %s%+d", c.Current.Number, v.Label, value)})
	}
}

func madeBy(owner, uploader int, kind change.Kind) func(*change.Change) {
	return func(c *change.Change) { c.Owner.ID, c.Current.Uploader.ID, c.Current.Kind = owner, uploader, kind }
}

// tookOver makes the current patchset the one after others, given by their uploader
// and kind.
func tookOver(earlier ...change.Patchset) func(*change.Change) {
	return func(c *change.Change) {
		for i, p := range earlier {
			p.Number, p.Revision = i+1, rev(600+i)
			c.Earlier = append(c.Earlier, p)
		}
		c.Current.Number = len(earlier) + 1
	}
}

func uploaded(by int, kind change.Kind) change.Patchset {
	return change.Patchset{Uploader: change.Account{ID: by}, Kind: kind}
}

func above(parents ...int) func(*change.Change) {
	return func(c *change.Change) {
		for _, n := range parents {
			c.Current.Parents = append(c.Current.Parents, rev(n))
		}
	}
}

func edits(list ...func(*change.Change)) func(*change.Change) {
	return func(c *change.Change) {
		for _, edit := range list {
			edit(c)
		}
	}
}

func gatedBy(trust config.Trust) func(*config.Project) {
	return func(p *config.Project) { p.Workflows[0].Trust, p.Branches = trust, []string{"master", "v*"} }
}

func TestTrustGate(t *testing.T) {
	t.Parallel()
	lastVote := func(edit func(v *change.Vote, m *change.Message)) func(*change.Change) {
		return func(c *change.Change) {
			voted(1, 5)(c)
			edit(&c.Votes[len(c.Votes)-1], &c.Messages[len(c.Messages)-1])
		}
	}
	const (
		noVote   = "waits for Allow-CI +1 from somebody else than its author"
		ofOther  = "waits for Allow-CI +1: the vote that is there was given for another patchset, so somebody must vote again"
		noMember = `its owner and its uploader are not both in the trusted groups ["core"]`
		tookOf   = `who uploaded the patchset that it took over is not in the trusted groups ["core"]`
		neither  = "its owner and its uploader are not both in a trusted group: waits for Allow-CI +1 from somebody else"
	)
	nothing := func(*change.Change) {}
	tests := []struct {
		name   string
		trust  config.Trust
		change func(*change.Change)
		want   string
	}{
		{"no gate", config.Trust{}, nothing, ""},
		{"no vote", byLabel, nothing, noVote},
		{"vote", byLabel, voted(1, 5), ""},
		{"a vote of the upload's second", byLabel, lastVote(func(v *change.Vote, m *change.Message) { v.At = noon.Add(-time.Hour); m.At = v.At }), ""},
		{"own vote", byLabel, voted(1, 1), noVote},
		{"uploader's vote for another's change", byLabel, func(c *change.Change) { madeBy(1, 6, change.Rework)(c); voted(1, 6)(c) }, noVote},
		{"owner's vote for another uploader", byLabel, func(c *change.Change) { madeBy(1, 6, change.Rework)(c); voted(1, 1)(c) }, noVote},
		{"too small a vote", config.Trust{Label: "Allow-CI", Value: 2}, voted(1, 5), "waits for Allow-CI +2 from somebody else than its author"},
		{"another label", byLabel, lastVote(func(v *change.Vote, _ *change.Message) { v.Label = "Code-Review" }), noVote},

		{"copied: the vote is older than the patchset", byLabel, lastVote(func(v *change.Vote, m *change.Message) {
			v.At = noon.Add(-2 * time.Hour)
			m.At = v.At
		}), ofOther},
		{"copied: the time is that of the upload", byLabel, lastVote(func(v *change.Vote, m *change.Message) { v.At = noon.Add(-time.Hour) }), ofOther},
		{"copied from a late vote on an earlier patchset", byLabel, lastVote(func(_ *change.Vote, m *change.Message) { m.Patchset = 0 }), ofOther},
		{"the message is somebody else's", byLabel, lastVote(func(_ *change.Vote, m *change.Message) { m.Author.ID = 6 }), ofOther},
		{"the message names no vote", byLabel, lastVote(func(_ *change.Vote, m *change.Message) { m.Text = "Patch Set 1:\n\nPatch Set 1: Allow-CI+1" }), ofOther},
		{"the message names another vote", byLabel, lastVote(func(_ *change.Vote, m *change.Message) { m.Text = "Patch Set 1: Code-Review+1 Allow-CI-1" }), ofOther},
		{"the label in other letters", config.Trust{Label: "allow-ci", Value: 1}, voted(1, 5), ""},
		{"a veto, and the label in other letters", config.Trust{Label: "allow-ci", Value: 1, Groups: []string{"core"}}, func(c *change.Change) { madeBy(9, 9, change.Rework)(c); voted(-1, 6)(c) },
			"held by allow-ci -1 of account 6"},
		{"no date", byLabel, lastVote(func(v *change.Vote, m *change.Message) { v.At, m.At = time.Time{}, time.Time{} }), ofOther},
		{"one is copied, one is not", byLabel, func(c *change.Change) {
			lastVote(func(v *change.Vote, _ *change.Message) { v.At = noon.Add(-2 * time.Hour) })(c)
			voted(1, 6)(c)
		}, ""},

		{"veto", byLabel, func(c *change.Change) { voted(1, 5)(c); voted(-1, 6)(c) }, "held by Allow-CI -1 of account 6"},
		{"a copied veto", byLabel, func(c *change.Change) { voted(1, 5)(c); voted(-1, 6)(c); c.Votes[1].At = noon.Add(-2 * time.Hour) }, "held by Allow-CI -1 of account 6"},
		{"the author's own veto", byLabel, func(c *change.Change) { voted(1, 5)(c); voted(-1, 1)(c) }, "held by Allow-CI -1 of account 1"},
		{"a veto against a member", byBoth, func(c *change.Change) { madeBy(9, 9, change.Rework)(c); voted(-1, 6)(c) }, "held by Allow-CI -1 of account 6"},

		{"member", byGroup, madeBy(9, 9, change.Rework), ""},
		{"a member's rebase of his own", byGroup, edits(madeBy(9, 9, change.TrivialRebase), tookOver(uploaded(9, change.Rework))), ""},
		{"a member's rebase of his own that a member has edited", byGroup, edits(madeBy(9, 9, change.TrivialRebase), tookOver(uploaded(9, change.Rework), uploaded(9, change.NoCodeChange))), ""},
		{"a member's rebase of what a stranger made of his change", byGroup, edits(madeBy(9, 9, change.TrivialRebase), tookOver(uploaded(9, change.Rework), uploaded(1, change.Rework))), tookOf},
		{"two such rebases", byGroup, edits(madeBy(9, 9, change.TrivialRebase), tookOver(uploaded(1, change.Rework), uploaded(9, change.NoCodeChange))), tookOf},
		{"a member's rebase of a stranger's rebase of his own", byGroup, edits(madeBy(9, 9, change.NoCodeChange), tookOver(uploaded(9, change.Rework), uploaded(1, change.TrivialRebase))), tookOf},
		{"a member's rework of what a stranger made of his change", byGroup, edits(madeBy(9, 9, change.Rework), tookOver(uploaded(1, change.Rework))), ""},
		{"a member's rebase of a member's rework of a stranger's", byGroup, edits(madeBy(1, 9, change.TrivialRebase), tookOver(uploaded(1, change.Rework), uploaded(9, change.Rework))), noMember},
		{"a rebase of what cannot be seen", byGroup, edits(madeBy(9, 9, change.TrivialRebase), func(c *change.Change) { c.Current.Number = 2 }), tookOf},
		{"a member's rework of a stranger's", byGroup, madeBy(1, 9, change.Rework), ""},
		{"a member's rebase of a stranger's", byGroup, madeBy(1, 9, change.TrivialRebase), noMember},
		{"a member's message for a stranger's", byGroup, madeBy(1, 9, change.NoCodeChange), noMember},
		{"a member's merge with a new first parent", byGroup, madeBy(1, 9, change.MergeFirstParentUpdate), noMember},
		{"a stranger's rework of a member's", byGroup, madeBy(9, 1, change.Rework), noMember},
		{"no kind", byGroup, madeBy(1, 9, ""), noMember},
		{"stranger", byGroup, nothing, noMember},
		{"a stranger's rework of a member's, by label", byBoth, madeBy(9, 1, change.Rework), neither},
		{"vote for a stranger's", byBoth, voted(1, 5), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(gatedBy(tt.trust))
			s := snapshot(p, []change.Change{open(1, tt.change)})
			s.Members = map[string]map[int]bool{"core": {9: true}}
			got := Make(p, s, noon)
			if tt.want == "" {
				id := s.Changes[0].ID()
				check(t, got, fmt.Sprintf("relay %s: new patchset", id), fmt.Sprintf("dispatch %s/autorun.yml/1: new patchset", id))
				return
			}
			// An untrusted patchset does not even reach the mirror.
			check(t, got, fmt.Sprintf("wait %s/autorun.yml/0: %s", s.Changes[0].ID(), tt.want))
		})
	}
}
