// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// spoken is a change that was updated a time ago, and on which bob spoke a time ago.
func spokenOn(number int, updated, said time.Duration) change.Change {
	m := comment("Looks good.")
	m.At = noon.Add(-said)
	return open(number, func(c *change.Change) { c.Updated, c.Messages = noon.Add(-updated), []change.Message{m} })
}

// scanned is the mark of a look that saw what was updated until a time ago.
func scanned(age time.Duration) string {
	return change.CustomLedger.Ref(change.Entry{Kind: change.Scanned, At: noon.Add(-age)}) + " 9"
}

// TestWhatIsRead holds which changes are read, and how the mark moves.
func TestWhatIsRead(t *testing.T) {
	t.Parallel()
	changes := []change.Change{spokenOn(1, 80*time.Hour, 80*time.Hour), spokenOn(2, 5*time.Hour, 20*time.Hour), spokenOn(3, time.Hour, time.Hour),
		spokenOn(4, time.Minute, 30*time.Hour), open(5, func(c *change.Change) { c.Updated = noon })}
	tests := []struct {
		name     string
		refs     []string
		comments map[int]bool
		want     []int
		marked   time.Duration // 0: none
	}{
		{"the first look", nil, nil, []int{2, 3, 4}, 0},
		{"what is new", []string{scanned(2 * time.Hour)}, nil, []int{3, 4}, 0},
		{"what was said shortly before the last look", []string{scanned(30 * time.Minute)}, nil, []int{3, 4}, 0},
		{"and no longer", []string{scanned(0)}, nil, nil, 0},
		{"all were read", nil, map[int]bool{2: true, 3: true, 4: true}, nil, time.Minute},
		{"one could not be read", nil, map[int]bool{2: true, 3: false, 4: true}, nil, 0},
		{"nothing new", []string{scanned(time.Minute)}, map[int]bool{3: true}, nil, 0},
	}
	for _, tt := range tests {
		p := project(obeying)
		p.Workflows = nil
		s := snapshot(p, changes, tt.refs...)
		s.Comments, s.Self = tt.comments, 9
		got := Make(p, s, noon)
		if diff := cmp.Diff(tt.want, got.Needs.Comments); diff != "" {
			t.Errorf("%s: to be read (-want +got):\n%s", tt.name, diff)
		}
		switch {
		case tt.marked == 0 && len(got.Marks) > 0:
			t.Errorf("%s: got marks %v, want none", tt.name, got.Marks)
		case tt.marked != 0 && (len(got.Marks) != 1 || !got.Marks[0].Entry.At.Equal(noon.Add(-tt.marked))):
			t.Errorf("%s: got marks %v, want one %s ago", tt.name, got.Marks, tt.marked)
		}
	}
}

// TestQuietEndsTheOverlap: what was read again and again while nothing was new is
// left alone once Gerrit's index must have shown all.
func TestQuietEndsTheOverlap(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	p.Workflows = nil
	changes := []change.Change{spokenOn(3, 70*time.Minute, 70*time.Minute)}
	for age, want := range map[time.Duration]int{59 * time.Minute: 0, time.Hour: 1} {
		s := snapshot(p, changes, scanned(age))
		s.Comments, s.Self = map[int]bool{3: true}, 9
		got := Make(p, s, noon)
		if len(got.Marks) != want || want == 1 && !got.Marks[0].Entry.At.Equal(noon) {
			t.Errorf("%s after the last news: got marks %v, want %d", age, got.Marks, want)
		}
		s.Comments[3] = false
		if got := Make(p, s, noon); len(got.Marks) != 0 {
			t.Errorf("%s after the last news: got marks %v for what could not be read", age, got.Marks)
		}
	}
	many := snapshot(p, nil, scanned(3*time.Hour))
	many.Self, many.Comments = 9, map[int]bool{}
	for n := range maxRead + 1 {
		many.Changes, many.Comments[n+1] = append(many.Changes, spokenOn(n+1, 2*time.Hour, 2*time.Hour)), true
	}
	if got := Make(p, many, noon); len(got.Marks) != 1 || !got.Marks[0].Entry.At.Equal(noon.Add(-2*time.Hour)) {
		t.Errorf("got marks %v where one change was left out, want that of the others", got.Marks)
	}
	if got := Make(p, snapshot(p, changes, scanned(0)), noon); len(got.Needs.Comments) != 0 || len(got.Marks) != 0 {
		t.Errorf("got needs %v and marks %v after that, want none", got.Needs.Comments, got.Marks)
	}
}

// TestWaitingHoldsTheMark: the mark does not leave behind what waits for its answer.
func TestWaitingHoldsTheMark(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	s := commented(p, []change.Message{comment("false positive: #12")}, append(slices.Clone(failedRefs), scanned(5*time.Minute))...)
	s.Changes = append(s.Changes, spokenOn(8, time.Minute, time.Minute))
	s.Comments[8] = true
	s.Issues, s.IssueTrouble, s.IssuesLater = map[int]command.Issue{12: command.Unreadable}, "502", true
	if got := Make(p, s, noon); len(got.Marks) != 0 {
		t.Errorf("got marks %v, want none", got.Marks)
	}
	s.Issues[12] = command.Closed
	if got := Make(p, s, noon); len(got.Marks) != 0 { // it is to be answered first
		t.Errorf("got marks %v, want none", got.Marks)
	}
	s.Changes[0].Messages = append(s.Changes[0].Messages, answered("Closed.\n\nIn-Reply-To: m1"))
	if got := Make(p, s, noon); len(got.Marks) != 1 {
		t.Errorf("got marks %v, want one", got.Marks)
	}
}

// TestTooManyToRead: the newest are read first, and the rest is told.
func TestTooManyToRead(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	p.Workflows = nil
	var changes []change.Change
	for n := range maxRead {
		changes = append(changes, spokenOn(1+n, 20*time.Minute, 20*time.Minute), spokenOn(1001+n, time.Minute, time.Minute))
	}
	s := snapshot(p, changes, scanned(10*time.Minute))
	got := Make(p, s, noon)
	if n := got.Needs.Comments; len(n) != maxRead || slices.Min(n) != 1001 {
		t.Errorf("got %d from %d on, want the %d that are new", len(n), slices.Min(n), maxRead)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "the comments on 200 changes are left to the next pass") {
		t.Errorf("got warnings %q", got.Warnings)
	}
	s = snapshot(p, changes)
	if n := Make(p, s, noon).Needs.Comments; len(n) != maxRead || slices.Max(n) != maxRead {
		t.Errorf("got %d up to %d, want the %d that have waited longest", len(n), slices.Max(n), maxRead)
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
