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
)

// spokenOn is a change that was updated a time ago, and on which bob spoke a time ago.
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

// TestPassedOverIsTold: what a limit leaves without an answer ends in a line.
func TestPassedOverIsTold(t *testing.T) {
	t.Parallel()
	p := project(obeying)
	var messages []change.Message
	for i := range 21 {
		m := comment("recheck x.yml")
		m.ID = "c" + string(rune('a'+i))
		messages = append(messages, m)
	}
	got := Make(p, commented(p, messages), noon)
	if len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "7/1: 1 comments of bob are not answered") {
		t.Errorf("got warnings %q", got.Warnings)
	}
}
