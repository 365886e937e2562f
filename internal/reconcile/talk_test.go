// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// talking is a world with one change, whose run has failed, and people who
// comment on it.
type talking struct {
	*world
	reruns []int64
	notes  []string
	// noteErr is what a note on an issue meets, issueErr what a look at one does.
	noteErr, issueErr error
	// mailed are the accounts that were named in answers.
	mailed []int
}

func newTalking(t *testing.T, comment string) *talking {
	t.Helper()
	w := &talking{world: newWorld(1)}
	w.project.Gerrit.Username = "ci"
	w.project.Report = config.Report{Label: "Verified", Retries: 1, After: time.Minute, Started: config.StartedMessage,
		Commands: config.Commands{CoolDown: time.Minute, Attempts: 5}}
	w.pass(t, 0, false)
	w.runs[0].Status, w.runs[0].Conclusion, w.runs[0].Attempt = "completed", "failure", 1
	w.refs["refs/dispatcher/ended/1/1/autorun.yml/1/failed"] = rev(900)
	w.now = w.now.Add(time.Hour)
	owned := w.changes[1]
	owned.Owner.ID = 2
	w.changes[1] = owned
	w.say(change.Message{ID: "m1", Author: change.Account{ID: 2}, Text: "Patch Set 1:\n\n" + comment})
	w.now = w.now.Add(time.Minute)
	return w
}

// say adds a message to the change.
func (w *talking) say(m change.Message) {
	c := w.changes[1]
	m.At, m.Patchset = w.now, 1
	c.Messages, c.Updated = append(c.Messages, m), w.now
	w.changes[1] = c
}

// pass makes a pass with all doors.
func (w *talking) pass(t *testing.T, crash int, late bool) (r Result, wasKilled bool) {
	t.Helper()
	doors := w.doors()
	doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk, doors.Issues, doors.Rerunner = w, w, w, w, w, w
	return w.through(t, doors, crash, late)
}

func (w *talking) Run(_ context.Context, _ string, id int64) (change.Run, bool, error) {
	for _, r := range w.runs {
		if r.ID == id {
			return r, true, nil
		}
	}
	return change.Run{}, false, nil
}

func (w *talking) Cancel(_ context.Context, _ string, id int64) error {
	w.effect(func() { w.runs[id-1].Status, w.runs[id-1].Conclusion = "completed", "cancelled" })
	return nil
}

func (w *talking) Rerun(_ context.Context, _ string, id int64) (change.Outcome, error) {
	w.effect(func() {
		w.reruns = append(w.reruns, id)
		w.runs[id-1].Status, w.runs[id-1].Conclusion = "in_progress", ""
		w.runs[id-1].Attempt++
	})
	return change.Accepted, nil
}

func (w *talking) Report(context.Context, *config.Project, plan.Action) (Told, error) {
	return Told{Outcome: verdict.Cancelled}, nil
}

func (w *talking) Judge(context.Context, *config.Project, plan.Action) (verdict.Outcome, error) {
	return verdict.Cancelled, nil
}

func (w *talking) Vote(context.Context, *config.Project, plan.Action) (Told, error) {
	return Told{}, nil
}

func (w *talking) Self(context.Context) (change.Account, error) {
	return change.Account{ID: 9, Username: "ci"}, nil
}

// Replies: all that is said stands among the messages here.
func (w *talking) Replies(context.Context, change.Address) ([]change.Message, error) { return nil, nil }

func (w *talking) Post(_ context.Context, _ change.Address, _ change.Revision, r change.Review) (change.Posted, bool, error) {
	w.effect(func() {
		w.mailed = append(w.mailed, r.Mail...)
		w.say(change.Message{ID: fmt.Sprintf("p%d", len(w.changes[1].Messages)), Author: change.Account{ID: 9, Username: "ci"}, Tag: r.Tag, Text: r.Message})
	})
	return change.Posted{}, false, nil
}

func (w *talking) Issue(_ context.Context, _ string, n int) (command.Issue, error) {
	if w.issueErr != nil {
		return command.Open, w.issueErr
	}
	if n == 12 {
		return command.Open, nil
	}
	return command.Missing, nil
}

func (w *talking) Note(_ context.Context, repository string, n int, body, mark string, _ time.Time) error {
	if w.noteErr != nil {
		return w.noteErr
	}
	for _, note := range w.notes {
		if strings.Contains(note, mark) {
			return nil
		}
	}
	w.effect(func() { w.notes = append(w.notes, fmt.Sprintf("%s#%d %s", repository, n, body)) })
	return nil
}

// answers counts our answers to comments.
func (w *talking) answers() int {
	n := 0
	for _, m := range w.changes[1].Messages {
		if m.Tag == command.Tag {
			n++
		}
	}
	return n
}

// TestAnswersSurviveKills kills the pass that obeys a comment at each of its
// effects: there must be one answer, one start, one note in the end.
func TestAnswersSurviveKills(t *testing.T) {
	t.Parallel()
	tests := []struct {
		comment                    string
		runs, reruns, notes, steps int
	}{
		{"recheck", 2, 0, 0, 8},
		{"recheck failed", 1, 1, 0, 8},
		{"false positive: #12", 1, 1, 1, 9},
		{"help", 1, 0, 0, 2},
	}
	for _, tt := range tests {
		t.Run(tt.comment, func(t *testing.T) {
			t.Parallel()
			probe := newTalking(t, tt.comment)
			probe.pass(t, 0, false)
			if probe.step < tt.steps {
				t.Fatalf("got %d effects, want at least %d", probe.step, tt.steps)
			}
			for kill := 1; kill <= 2*probe.step; kill++ {
				w := newTalking(t, tt.comment)
				if _, dead := w.pass(t, (kill+1)/2, kill%2 == 0); !dead {
					t.Fatalf("the pass outlived effect %d", kill)
				}
				for range 6 {
					w.now = w.now.Add(11 * time.Minute)
					if r, _ := w.pass(t, 0, false); len(r.Errs()) > 0 {
						t.Errorf("killed at %d: %v", kill, r.Errs())
					}
				}
				if len(w.runs) != tt.runs || len(w.reruns) != tt.reruns || len(w.notes) != tt.notes || w.answers() != 1 {
					t.Errorf("killed at %d: got %d runs, %d reruns, %d notes and %d answers; want %d, %d, %d and 1", kill, len(w.runs), len(w.reruns), len(w.notes), w.answers(), tt.runs, tt.reruns, tt.notes)
				}
			}
		})
	}
}

// TestNoteThatIsForbidden: the answer says that it could not be noted, and what
// was asked for is done.
func TestNoteThatIsForbidden(t *testing.T) {
	t.Parallel()
	w := newTalking(t, "false positive: #12")
	w.noteErr = fault.New(fault.Configuration, "the token lacks Issues: write")
	r, _ := w.pass(t, 0, false)
	if len(w.reruns) != 1 || w.answers() != 1 || len(r.Errs()) != 0 {
		t.Fatalf("got %d reruns, %d answers and %v", len(w.reruns), w.answers(), r.Errs())
	}
	for _, m := range w.changes[1].Messages {
		if m.Tag == command.Tag && !strings.HasPrefix(m.Text, "Issue #12 could not be commented on: the token lacks Issues: write") {
			t.Errorf("got the answer %q", m.Text)
		}
	}
	if r := command.ParseResidue(w.answer()); len(r.Noted) != 0 || len(r.Asked) != 1 || strings.Contains(w.answer(), "is noted on") {
		t.Errorf("got %+v in %q, want no note and a run", r, w.answer())
	}
	w = newTalking(t, "false positive: #12")
	w.noteErr = fault.New(fault.Transient, "502")
	if r, _ := w.pass(t, 0, false); w.answers() != 0 || len(r.Errs()) != 1 {
		t.Errorf("got %d answers and %v, want to be tried again", w.answers(), r.Errs())
	}
	w.noteErr = nil
	w.now = w.now.Add(15 * time.Minute)
	if w.pass(t, 0, false); w.answers() != 1 || len(w.notes) != 1 || len(w.reruns) != 1 {
		t.Errorf("got %d answers, %d notes, %d reruns; want one of each", w.answers(), len(w.notes), len(w.reruns))
	}
}

// TestNoteThatFailsForLong: the comment is answered without the note in the end.
func TestNoteThatFailsForLong(t *testing.T) {
	t.Parallel()
	w := newTalking(t, "false positive: #12")
	w.noteErr = fault.New(fault.Transient, "502")
	passes := 0
	for w.answers() == 0 && passes < 20 {
		w.pass(t, 0, false)
		w.now = w.now.Add(15 * time.Minute)
		passes++
	}
	if passes != 5 || len(w.reruns) != 1 || !strings.HasPrefix(w.answer(), "Issue #12 could not be commented on: 502") {
		t.Errorf("got %d reruns and the answer %q after %d passes, want 5", len(w.reruns), w.answer(), passes)
	}
}

// answer is our last answer.
func (w *talking) answer() string {
	text := ""
	for _, m := range w.changes[1].Messages {
		if m.Tag == command.Tag {
			text = m.Text
		}
	}
	return text
}

// TestIssuesThatCannotBeRead: who names one is told, at once or where a later pass
// may do better, after a while; it is a problem of the passes until then.
func TestIssuesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		passes int
	}{{fault.New(fault.Configuration, "403 Forbidden"), 1}, {fault.New(fault.Transient, "502 Bad Gateway"), 5}} {
		t.Run(tt.err.Error(), func(t *testing.T) {
			t.Parallel()
			w := newTalking(t, "false positive: #12, #13")
			w.issueErr = tt.err
			for pass := 1; pass <= tt.passes; pass++ {
				r, _ := w.pass(t, 0, false)
				if got, want := w.answers(), pass/tt.passes; got != want || len(r.Errs()) != 1 {
					t.Fatalf("pass %d: got %d answers and %v, want %d and one problem", pass, got, r.Errs(), want)
				}
				w.now = w.now.Add(15 * time.Minute)
			}
			if want := "Issue #12 could not be read: " + tt.err.Error() + ". Nothing is noted or started."; !strings.Contains(w.answer(), want) || len(w.notes)+len(w.reruns) != 0 {
				t.Errorf("got %q, %d notes and %d reruns; want %q", w.answer(), len(w.notes), len(w.reruns), want)
			}
			if r, _ := w.pass(t, 0, false); w.answers() != 1 || len(r.Errs()) != 0 {
				t.Errorf("after the answer: got %d answers and %v", w.answers(), r.Errs())
			}
		})
	}
}

// TestWhoAskedIsMailed: nobody else is. We know our own name.
func TestWhoAskedIsMailed(t *testing.T) {
	t.Parallel()
	w := newTalking(t, "@ci recheck")
	w.say(change.Message{ID: "m2", Author: change.Account{ID: 3}, Text: "help"})
	w.say(change.Message{ID: "m3", Author: change.Account{ID: 4}, Text: "Looks good."})
	w.pass(t, 0, false)
	if got := fmt.Sprint(w.mailed); got != "[2 3]" || len(w.runs) != 2 {
		t.Errorf("got mail to %s and %d runs, want it to 2 and 3, and 2", got, len(w.runs))
	}
}
