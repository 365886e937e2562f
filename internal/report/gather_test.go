// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// lostRunner has run 99 end because its runner was lost.
func (w *world) lostRunner() {
	w.ended(99, "failure")
	j := &w.jobs[99][0]
	j.Steps[1].Status, j.Steps[1].Conclusion = "in_progress", ""
}

// TestRetriesAreTold: the message says whether a run is tried again, and when; the
// owner is mailed when it is given up, and not for each try.
func TestRetriesAreTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		most   int
		wasted int
		says   string
		notify string
	}{
		{"at once", 2, 0, "It will be tried again (retry 1 of 2).", verdict.NotifyNone},
		{"later", 2, 1, "It will be tried again in 1h 0m (retry 2 of 2).", verdict.NotifyNone},
		{"given up", 2, 2, "It is given up after 2 retries; a comment `recheck` starts it again.", verdict.NotifyOwner},
		{"never", 0, 0, "It is not tried again by itself; a comment `recheck` starts it again.", verdict.NotifyOwner},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.lostRunner()
			// The same was told of another run before, so only giving up is news.
			before := verdict.Residue{Voted: true, Runs: []verdict.RunResidue{{Key: keyOf("autorun.yml"), RunID: 98, Attempt: 1, Outcome: verdict.RunnerLost}}}
			w.change.Messages = []change.Message{{Author: change.Account{Username: "ci"}, Text: "Lost.\n\n" + before.String()}}
			w.with = func(_ *Reporter, q *Request) {
				q.Project.Report.Retries, q.Project.Report.RetryAfter = tt.most, []time.Duration{0, time.Hour}
				q.Standings = func(*change.Change) []plan.Standing {
					return []plan.Standing{
						{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Expected: true, Wasted: tt.wasted},
					}
				}
			}
			done, err := w.ask(t)
			if err != nil || done.Outcome != verdict.RunnerLost || len(w.posted) != 1 {
				t.Fatalf("got %+v, %v and %d posts", done, err, len(w.posted))
			}
			if p := w.posted[0]; !strings.Contains(p.Message, tt.says) || p.Notify != tt.notify {
				t.Errorf("got notify %s and %q, want %s and %q", p.Notify, p.Message, tt.notify, tt.says)
			}
		})
	}
}

// TestCalledOffRuns: a run that we cancelled for a comment was not dropped by GitHub
// (which would have it tried again), also if no job of it had begun.
func TestCalledOffRuns(t *testing.T) {
	t.Parallel()
	for off, want := range map[bool]verdict.Outcome{true: verdict.Cancelled, false: verdict.Dropped} {
		w := newWorld()
		w.runs[99] = change.Run{ID: 99, Status: "completed", Conclusion: "cancelled", Attempt: 1}
		w.standing(nil, plan.Standing{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Expected: true, CalledOff: off})
		if done, err := w.ask(t); err != nil || done.Outcome != want {
			t.Errorf("called off %v: got %+v, %v; want %s", off, done, err, want)
		}
	}
}

// TestReplacedRuns: a run of a patchset that was replaced was stopped for that.
func TestReplacedRuns(t *testing.T) {
	t.Parallel()
	for current, want := range map[int]verdict.Outcome{2: verdict.Cancelled, 3: verdict.Superseded} {
		w := newWorld()
		w.ended(99, "cancelled")
		w.change.Current.Number = current
		if done, err := w.ask(t); err != nil || done.Outcome != want {
			t.Errorf("current patchset %d: got %+v, %v; want %s", current, done, err, want)
		}
	}
}

// TestResultsOfOtherAttempts: where the latest attempt told nothing, the result
// before it stands; a result of its own stands above all.
func TestResultsOfOtherAttempts(t *testing.T) {
	t.Parallel()
	hw := func(outcome verdict.Outcome, before plan.Before) plan.Standing {
		return plan.Standing{Workflow: "hw.yml", Key: attemptOf("hw.yml", 2), RunID: 98, Outcome: outcome, Before: before}
	}
	before := func(o verdict.Outcome) plan.Before {
		return plan.Before{Key: keyOf("hw.yml"), RunID: 97, Outcome: o}
	}
	const stands = "run 2 of hw.yml was cancelled; the result of run 1 stands"
	tests := []struct {
		name     string
		standing plan.Standing
		latest   string // how runs 98 and 97 ended; "" are gone
		earlier  string
		vote     int
		says     string
	}{
		{"a result stands", hw(verdict.Cancelled, before(verdict.Failed)), "cancelled", "failure", -1, stands},
		{"a green one stands", hw(verdict.Cancelled, before(verdict.Passed)), "cancelled", "success", 1, stands},
		{"the latest has one", hw(verdict.Passed, before(verdict.Failed)), "success", "failure", 1, ""},
		{"there is none", hw(verdict.Cancelled, plan.Before{}), "cancelled", "failure", 0, ""},
		{"there was none in truth", hw(verdict.Cancelled, before(verdict.Passed)), "cancelled", "cancelled", 0, ""},
		{"it is gone", hw(verdict.Cancelled, before(verdict.Passed)), "cancelled", "", 0, ""},
		{"the latest is gone", hw(verdict.Missing, before(verdict.Failed)), "", "failure", -1, "run 2 of hw.yml has no run; the result of run 1 stands"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", "success"))
			for id, conclusion := range map[int64]string{98: tt.latest, 97: tt.earlier} {
				if conclusion != "" {
					w.ended(id, conclusion)
				}
			}
			done, err := w.ask(t, tt.standing)
			if err != nil || done.Vote != tt.vote || len(w.posted) != 1 {
				t.Fatalf("got %+v, %v and %d posts; want the vote %d", done, err, len(w.posted), tt.vote)
			}
			if says := strings.Contains(done.Text, "the result of run 1 stands"); says != (tt.says != "") || !strings.Contains(done.Text, tt.says) {
				t.Errorf("got %q, want it to say %q", done.Text, tt.says)
			}
		})
	}
}

// TestCarriedResultsAreTold says whose result stands.
func TestCarriedResultsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.ended(98, "failure")
	w.runs[98] = change.Run{ID: 98, Name: "7/1/hw.yml/1", Status: "completed", Conclusion: "failure", Attempt: 1}
	done, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, From: 1, Outcome: verdict.Failed})
	if err != nil || done.Vote != -1 || len(done.Warnings) > 0 {
		t.Fatalf("got %+v, %v; want -1", done, err)
	}
	for _, want := range []string{"hw.yml was not run again: the result of patchset 1 stands", "(run of patchset 1)"} {
		if !strings.Contains(done.Text, want) {
			t.Errorf("got %q, want it to say %q", done.Text, want)
		}
	}
	w = newWorld(job("tests", "success"))
	if done, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, From: 1, Outcome: verdict.Passed}); err != nil || strings.Contains(done.Text, "not run again") || done.Vote != 0 {
		t.Errorf("a run that is gone: got %+v, %v; want no vote", done, err)
	}
}

// TestOtherRuns: another workflow has ended if GitHub says so, whatever is noted; if
// that cannot be asked, it is waited for.
func TestOtherRuns(t *testing.T) {
	t.Parallel()
	noted := plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Passed}
	open := noted
	open.Outcome, open.Expected = "", true
	waitsForNext := open
	waitsForNext.Outcome = verdict.RunnerLost // told, and to be tried again
	nameless := open
	nameless.RunID = 0
	const waits = "other workflows have not ended: hw.yml"
	tests := []struct {
		name     string
		standing plan.Standing
		edit     func(*world)
		silent   string
	}{
		{"noted", noted, nil, ""},
		{"not noted", open, nil, ""},
		{"goes on", open, func(w *world) { w.runs[98] = change.Run{ID: 98, Status: "in_progress", Attempt: 1} }, waits},
		{"gone", open, func(w *world) { delete(w.runs, 98) }, waits},
		{"its number is not known", nameless, nil, waits},
		{"to be tried again", waitsForNext, nil, waits},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", "success"))
			w.ended(98, "success")
			if tt.edit != nil {
				tt.edit(w)
			}
			done, err := w.ask(t, tt.standing)
			if err != nil || done.Silent != tt.silent {
				t.Errorf("got %+v, %v; want silent %q", done, err, tt.silent)
			}
			if w.reads > 2 {
				t.Errorf("got %d reads of runs, want each to be read once", w.reads)
			}
		})
	}
	w := newWorld(job("tests", "success"))
	w.apiDown = errors.New("502")
	if _, err := w.ask(t, noted); err == nil || err.Error() != "failed to read run 98 of 7/2/hw.yml/1: 502" || len(w.posted) > 0 {
		t.Errorf("got %v and %d posts, want that run 98 cannot be read", err, len(w.posted))
	}
	w = newWorld(job("tests", "success"))
	w.apiDown = errors.New("502")
	w.with = func(_ *Reporter, q *Request) { q.Needs = nil }
	if _, err := w.ask(t); err == nil || err.Error() != "failed to read run 99 of 7/2/autorun.yml/1: 502" || len(w.posted) > 0 {
		t.Errorf("got %v and %d posts, want that run 99 cannot be read", err, len(w.posted))
	}
}

// TestWorkflowsThatAreNotConfiguredAnyMore: their runs are told, and the others vote.
func TestWorkflowsThatAreNotConfiguredAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "failure"))
	w.ended(98, "success")
	w.jobs[98][0].Name = "metal"
	w.standing(nil, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Passed})
	done, err := w.ask(t)
	if err != nil || done.Vote != 1 || !done.Voted || done.Outcome != verdict.Failed {
		t.Fatalf("got %+v, %v; want +1 for the workflow that is configured", done, err)
	}
	if own := verdict.Own(w.change.Messages, change.Account{Username: "ci"}); len(own) != 1 || len(own[0].Runs) != 2 || own[0].Runs[1].Key != keyOf("autorun.yml") {
		t.Errorf("got %+v, want both runs told", own)
	}
}

// TestPagesOfAttempts: links show the attempt that the message is about.
func TestPagesOfAttempts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://x/runs/9": "https://x/runs/9/attempts/2", "https://x/runs/9/attempts/1": "https://x/runs/9/attempts/1", "": "",
	} {
		if got := pinned(in, 2); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := pinned("https://x/runs/9", 0); got != "https://x/runs/9" {
		t.Errorf("an attempt that is not known: got %q", got)
	}
	w := newWorld(job("tests", "success"))
	if done, err := w.ask(t); err != nil || !strings.Contains(done.Text, "https://github.example.org/runs/99/attempts/1\n") {
		t.Errorf("got %+v, %v; want the page of the attempt", done, err)
	}
}
