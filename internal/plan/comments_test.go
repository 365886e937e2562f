// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// obeying is a project that obeys everybody.
func obeying(p *config.Project) {
	reporting(p)
	p.Report.Commands = config.Commands{CoolDown: time.Minute, Attempts: 5}
}

// comment is what bob writes ten minutes ago, on patchset 1.
func comment(text string) change.Message {
	return change.Message{ID: "m1", Author: change.Account{ID: 2, Username: "bob"}, At: noon.Add(-10 * time.Minute), Patchset: 1, Text: "Patch Set 1:\n\n" + text}
}

// answered is what our account said five minutes ago.
func answered(text string) change.Message {
	return change.Message{ID: "m2", Author: change.Account{ID: 9, Username: "ci"}, Tag: command.Tag, At: noon.Add(-5 * time.Minute), Patchset: 1, Text: text}
}

// commented is a snapshot of change 7 whose comments were read. That run 99 has
// failed was told, if it is there.
func commented(p *config.Project, messages []change.Message, refs ...string) *Snapshot {
	told := said("ci", change.ID{Change: 7, Patchset: 1}, verdict.Failed)
	told.Author.ID, told.At = 9, noon.Add(-20*time.Minute)
	if slices.Contains(refs, failedRefs[3]) {
		messages = append([]change.Message{told}, messages...)
	}
	c := open(7, func(c *change.Change) {
		c.Messages, c.Updated, c.Owner.ID = messages, noon.Add(-10*time.Minute), 2
	})
	s := snapshot(p, []change.Change{c}, refs...)
	s.Comments, s.Self = map[int]bool{7: true}, 9
	s.RunsByID = map[int64]change.Run{99: {ID: 99, Status: "completed", Conclusion: "failure", Attempt: 1, Created: noon.Add(-40 * time.Minute), Updated: noon}}
	return s
}

// The refs of a run of change 7 that has failed.
var failedRefs = []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7", "refs/dispatcher/ended/7/1/autorun.yml/1/failed 7"}

func TestComments(t *testing.T) {
	t.Parallel()
	promise := answered("Starting.\n\nIn-Reply-To: m1\nAsked-For: 7/1/autorun.yml/2")
	again := answered("Starting.\n\nIn-Reply-To: m1\nAsked-For-Failed: 7/1/autorun.yml/2")
	off := answered("Cancelling.\n\nIn-Reply-To: m1\nCancelled: 7/1/autorun.yml/1")
	tests := []struct {
		name     string
		messages []change.Message
		refs     []string
		want     []string
	}{
		{"an answer comes first", []change.Message{comment("recheck")}, failedRefs, []string{`answer 7/1: "recheck" by bob: Starting attempt 2 of autorun.yml.`}},
		{"a promise is kept", []change.Message{comment("recheck"), promise}, failedRefs,
			[]string{"ask 7/1/autorun.yml/2: a comment asks for all jobs", "dispatch 7/1/autorun.yml/2: a comment asks for it"}},
		{"and is noted once", []change.Message{comment("recheck"), promise}, append(slices.Clone(failedRefs), "refs/dispatcher/asked/7/1/autorun.yml/2/all 7"),
			[]string{"dispatch 7/1/autorun.yml/2: a comment asks for it"}},
		{"failed jobs", []change.Message{comment("recheck failed"), again}, failedRefs,
			[]string{"ask 7/1/autorun.yml/2: a comment asks for failed jobs", "dispatch 7/1/autorun.yml/2: a comment asks for its failed jobs"}},
		{"never started", []change.Message{comment("cancel")}, failedRefs[:1], []string{
			`answer 7/1: "cancel" by bob: Not started unless a comment asks for it: autorun.yml.`, "dispatch 7/1/autorun.yml/1: new patchset"}},
		{"called off", []change.Message{comment("cancel"), off}, failedRefs[:1], []string{
			"call off 7/1/autorun.yml/1: a comment calls it off", "skip 7/1/autorun.yml/1: a comment called it off"}},
		{"a retry is called off, too", nil, append(slices.Clone(failedRefs[:3]), "refs/dispatcher/ended/7/1/autorun.yml/1/runner-lost 7", "refs/dispatcher/stopped/7/1/autorun.yml/1 7"), []string{"skip 7/1/autorun.yml/2: a comment called it off"}},
		{"nobody is answered", []change.Message{comment("I will recheck this.")}, failedRefs, []string{"idle 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(obeying)
			check(t, Make(p, commented(p, tt.messages, tt.refs...), noon), tt.want...)
		})
	}
}

// TestRerunKnowsItsRun holds that failed jobs are run again within their run, and
// that a lost answer to that is found by the run's attempts.
func TestRerunKnowsItsRun(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	refs := append(slices.Clone(failedRefs), "refs/dispatcher/asked/7/1/autorun.yml/2/failed 7")
	got := Make(p, commented(p, nil, refs...), noon)
	if len(got.Actions) != 1 || got.Actions[0].Rerun != 99 {
		t.Errorf("got %+v, want run 99 to be repeated", got.Actions)
	}
	refs = append(refs, "refs/dispatcher/claims/7/1/autorun.yml/2 7")
	s := commented(p, nil, refs...)
	check(t, Make(p, s, noon), "doubt 7/1/autorun.yml/2: attempt 2 is claimed and no run is seen; lost if that lasts 10m0s")
	s.RunsByID[99] = change.Run{ID: 99, Status: "in_progress", Attempt: 2}
	got = Make(p, s, noon)
	check(t, got, "record 7/1/autorun.yml/2: its failed jobs run again")
	if got.Actions[0].Run.ID != 99 {
		t.Errorf("got run %d, want 99", got.Actions[0].Run.ID)
	}
	c := s.Changes[0]
	if st := Standings(p, s, &c, noon); len(st) != 1 || st[0].RunID != 99 || st[0].Key.Attempt != 2 || !st[0].Expected {
		t.Errorf("got %+v, want attempt 2 in run 99", st)
	}
}

// TestIssuesHoldTheMark: what must be looked up first is looked at again.
func TestIssuesHoldTheMark(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	s := commented(p, []change.Message{comment("false positive: #12")}, failedRefs...)
	got := Make(p, s, noon)
	if !slices.Equal(got.Needs.Issues, []int{12}) || len(got.Marks) != 0 {
		t.Errorf("got needs %v and marks %v, want issue 12 and none", got.Needs.Issues, got.Marks)
	}
	s.Issues, s.IssueTrouble, s.IssuesLater = map[int]command.Issue{12: command.Unreadable}, "502", true
	if got := Make(p, s, noon); !got.Needs.None() || len(got.Marks) != 0 || len(got.Actions) != 0 {
		t.Errorf("got needs %+v, marks %v and actions %v, want none", got.Needs, got.Marks, got.Actions)
	}
	for _, later := range []bool{true, false} { // the comment has waited for long, or there is no use in that
		s.IssuesLater = later
		if later {
			s.Changes[0].Messages[len(s.Changes[0].Messages)-1].At = noon.Add(-time.Hour)
		}
		if got := Make(p, s, noon); len(got.Actions) != 1 || !strings.Contains(got.Actions[0].Reply, "Issue #12 could not be read: 502.") {
			t.Errorf("got %+v, want the answer that issue 12 could not be read", got.Actions)
		}
	}
	s.IssueTrouble, s.Issues = "", map[int]command.Issue{12: command.Open}
	got = Make(p, s, noon)
	if len(got.Actions) != 1 || len(got.Actions[0].Excused) != 1 || !slices.Equal(got.Actions[0].Excused[0].Issues, []int{12}) {
		t.Errorf("got %+v, want a note on issue 12", got.Actions)
	}
}
