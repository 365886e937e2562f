// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// lastSaid is what our last message tells the passes that come.
func (w *world) lastSaid(t *testing.T) verdict.Residue {
	t.Helper()
	own := verdict.Own(w.change.Messages, change.Account{Username: "ci"})
	if len(own) == 0 {
		t.Fatal("got no message of ours")
	}
	return own[len(own)-1]
}

// TestWhatIsRecordedOfAVote: the passes that come read from our messages what Gerrit
// took, whenever it was refused.
func TestWhatIsRecordedOfAVote(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		jobs    string
		edit    func(*world)
		voted   bool
		refused bool
		posts   int
	}{
		{"taken", "failure", func(*world) {}, true, false, 1},
		{"refused", "failure", func(w *world) { w.refuse = "restricted" }, false, true, 1},
		{"dropped after the message was taken", "failure", func(w *world) { w.refuse, w.claimed = "the server dropped it without a word", true }, false, true, 2},
		{"refused, and the answer was lost", "failure", func(w *world) { w.refuse, w.lose = "restricted", "after" }, false, true, 1},
		{"a vote of 0, taken", "cancelled", func(*world) {}, true, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", tt.jobs))
			tt.edit(w)
			done, err := w.ask(t)
			if err != nil || done.Voted != tt.voted || (done.Refused != "") != tt.refused || len(w.posted) != tt.posts {
				t.Fatalf("got %+v, %v and %d posts", done, err, len(w.posted))
			}
			if r := w.lastSaid(t); r.Voted != tt.voted || r.Refused != tt.refused {
				t.Errorf("the last message says %q", r)
			}
			if tt.refused && w.lose == "" && done.Advice != "give the right to Verified" {
				t.Errorf("got the advice %q", done.Advice)
			}
			for i, p := range w.posted {
				if last := i > 0; last && (p.Notify != verdict.NotifyNone || len(p.Labels) > 0 || p.Attention != "") {
					t.Errorf("got the correction %+v, want it quiet", p)
				}
			}
		})
	}
}

// TestACorrectionThatFails is a warning: the vote is told as refused all the same.
func TestACorrectionThatFails(t *testing.T) {
	t.Parallel()
	w := &oncePosting{world: newWorld(job("tests", "failure"))}
	w.refuse, w.claimed = "the server dropped it without a word", true
	w.with = func(r *Reporter, _ *Request) { r.Reviews = w }
	done, err := w.ask(t)
	if err != nil || done.Refused == "" || len(done.Warnings) != 1 || !strings.Contains(done.Warnings[0].Error(), "503") {
		t.Errorf("got %+v, %v; want a warning", done, err)
	}
}

// oncePosting fails all posts but the first.
type oncePosting struct{ *world }

func (o *oncePosting) Post(ctx context.Context, a change.Address, rev change.Revision, r change.Review) (change.Posted, bool, error) {
	if len(o.posted) > 0 {
		return change.Posted{}, false, errors.New("503")
	}
	return o.world.Post(ctx, a, rev, r)
}

// TestWhatIsPosted holds the parts of a review.
func TestWhatIsPosted(t *testing.T) {
	t.Parallel()
	after := func(w *world) {
		w.change.Status = change.Merged
		w.with = func(_ *Reporter, q *Request) {
			q.Project.Workflows = []config.Workflow{{Name: "autorun.yml", File: "autorun.yml", PostMerge: true}}
		}
	}
	labelless := func(w *world) {
		w.with = func(_ *Reporter, q *Request) { q.Project.Report.Label, q.Project.Report.Messages = "", true }
	}
	only := func(w *world) {
		w.standing(nil, plan.Standing{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Expected: true, Optional: true})
	}
	tests := []struct {
		name    string
		jobs    string
		edit    func(*world)
		labels  int
		unvoted bool
		notify  string
		says    string
	}{
		{"passed", "success", func(*world) {}, 1, true, verdict.NotifyOwner, "vote=+1"},
		{"no vote", "cancelled", func(*world) {}, 1, false, verdict.NotifyOwner, "vote=0"},
		{"the same again", "success", func(w *world) {
			r := verdict.Residue{Voted: true, Vote: 1, Runs: []verdict.RunResidue{{Key: keyOf("autorun.yml"), RunID: 98, Attempt: 1, Outcome: verdict.Passed}}}
			w.change.Messages = []change.Message{{Author: change.Account{Username: "ci"}, Text: r.String()}}
		}, 1, true, verdict.NotifyNone, "vote=+1"},
		{"after a merge", "failure", after, 0, true, verdict.NotifyOwner, ""},
		{"without a label", "failure", labelless, 0, true, verdict.NotifyOwner, ""},
		{"only optional workflows", "failure", only, 0, false, verdict.NotifyOwner, "vote=none"},
		{"it depends on others", "success", func(w *world) { w.change.DependsOn = []string{"I1234"} }, 1, true, verdict.NotifyOwner, "it was tested on its own parent; nothing else that it depends on was added: `I1234`"},
		{"it depends on nothing", "success", func(*world) {}, 1, true, verdict.NotifyOwner, "passed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", tt.jobs))
			tt.edit(w)
			done, err := w.ask(t)
			if err != nil || len(w.posted) != 1 {
				t.Fatalf("got %+v, %v and %d posts", done, err, len(w.posted))
			}
			p := w.posted[0]
			if len(p.Labels) != tt.labels || (p.Unvoted != "") != tt.unvoted || p.Notify != tt.notify || !strings.Contains(p.Message, tt.says) || p.OnlyVoted {
				t.Errorf("got %+v, want it to say %q", p, tt.says)
			}
			if depends := strings.Contains(p.Message, "tested on its own parent"); depends != (len(w.change.DependsOn) > 0) {
				t.Errorf("got %q", p.Message)
			}
			if p.Short != "" || p.ShortUnvoted != "" {
				t.Errorf("got a short message, though nothing was published")
			}
		})
	}
}

// TestShortMessages go without what was published, in both forms.
func TestShortMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "failure"))
	w.publishing(&copier{out: copied()})
	if _, err := w.ask(t); err != nil {
		t.Fatal(err)
	}
	const link = "https://results.example.org/7/a.log"
	p := w.posted[0]
	for text, want := range map[string]struct {
		link, refused bool
	}{p.Message: {true, false}, p.Unvoted: {true, true}, p.Short: {false, false}, p.ShortUnvoted: {false, true}} {
		r, ok := verdict.ParseResidue(text)
		if !ok || r.Refused != want.refused || r.Voted == want.refused || strings.Contains(text, link) != want.link {
			t.Errorf("got %q, want links %v and refused %v", text, want.link, want.refused)
		}
	}
}

// TestSecretsAreHidden in what is posted, and what was left out is a warning.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests with hunter2", "failure"))
	w.dropped = []change.Dropped{{Part: change.CommentsPart, Why: "no\nsuch file"}}
	done, err := w.ask(t)
	if err != nil || strings.Contains(w.posted[0].Message, "hunter2") || strings.Contains(w.posted[0].Unvoted, "hunter2") || !strings.Contains(w.posted[0].Message, "***") {
		t.Errorf("got %+v, %v", w.posted, err)
	}
	if len(done.Warnings) != 1 || !strings.Contains(done.Warnings[0].Error(), "left out of what was posted: no such file") {
		t.Errorf("got warnings %q, want one that names what was left out", done.Warnings)
	}
}

// TestLostAnswersThatStayOpen: where the change cannot be read again, or is gone,
// nobody knows; the next pass looks.
func TestLostAnswersThatStayOpen(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*world){
		"gone":   func(w *world) { w.gone = true },
		"unread": func(w *world) { w.unread = errors.New("503") },
	} {
		w := newWorld(job("tests", "success"))
		w.lose = "before"
		w.onPost = func() { edit(w) }
		done, err := w.ask(t)
		if err == nil || !strings.Contains(err.Error(), "connection reset") || done.Voted || w.unread != nil && !strings.Contains(err.Error(), "503") {
			t.Errorf("%s: got %+v, %v; want a failure with its causes", name, done, err)
		}
		if errors.Is(err, fault.Configuration) {
			t.Errorf("%s: got %v, which nobody can mend", name, err)
		}
	}
}
