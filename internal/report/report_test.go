// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// world is Gerrit with one change and GitHub with a few runs, in memory.
type world struct {
	change change.Change
	gone   bool
	runs   map[int64]change.Run
	jobs   map[int64][]change.Job
	// before are the jobs of all earlier attempts.
	before []change.Job
	// apiDown fails every read of runs.
	apiDown error
	// lose is "before" or "after": the answer to a post is lost, and it was not,
	// or was, carried out.
	lose   string
	refuse string
	// claimed has refused votes be dropped only after the message was taken.
	claimed bool
	dropped []change.Dropped
	posted  []change.Review
	// artifacts are those of all runs; unlisted fails their list.
	artifacts []change.Artifact
	unlisted  error
	// reads counts reads of runs, explained names the jobs whose annotations were read.
	reads     int
	explained []string
	// onPost is called before a post, and unread fails reads of the change.
	onPost func()
	unread error
	// with adds to what is asked for.
	with func(*Reporter, *Request)
}

func (w *world) Change(context.Context, change.Address) (change.Change, bool, error) {
	return w.change, !w.gone, w.unread
}

func (w *world) Post(_ context.Context, _ change.Address, rev change.Revision, r change.Review) (change.Posted, bool, error) {
	if rev != w.change.Current.Revision {
		return change.Posted{}, false, fmt.Errorf("posted on %s", rev)
	}
	if w.onPost != nil {
		w.onPost()
	}
	if w.lose == "before" {
		return change.Posted{}, true, errors.New("connection reset")
	}
	w.posted = append(w.posted, r)
	text := r.Message
	if w.refuse != "" && !w.claimed && r.Unvoted != "" { // what is left says that the vote is not in
		text = r.Unvoted
	}
	w.change.Messages = append(w.change.Messages, change.Message{ID: fmt.Sprint(len(w.posted)), Author: change.Account{Username: "ci"}, Tag: r.Tag, Text: text})
	if w.lose == "after" {
		return change.Posted{}, true, errors.New("connection reset")
	}
	p := change.Posted{Applied: map[string]int{}, Refused: map[string]string{}, Dropped: w.dropped}
	for label, vote := range r.Labels {
		if w.refuse != "" {
			p.Refused[label], p.Claimed = w.refuse, w.claimed
			p.Advice = map[string]string{label: "give the right to " + label}
			continue
		}
		p.Applied[label] = vote
	}
	return p, false, nil
}

func (w *world) Self(context.Context) (change.Account, error) {
	return change.Account{Username: "ci"}, nil
}

func (w *world) Run(_ context.Context, _ string, id int64) (change.Run, bool, error) {
	w.reads++
	run, ok := w.runs[id]
	return run, ok, w.apiDown
}

func (w *world) RunAttempt(context.Context, string, int64, int) (change.Run, bool, error) {
	return change.Run{}, false, nil
}

func (w *world) Jobs(_ context.Context, _ string, id int64, attempt int) ([]change.Job, error) {
	if attempt < w.runs[id].Attempt {
		return w.before, nil
	}
	return w.jobs[id], nil
}

func (w *world) Annotations(_ context.Context, _ string, job change.Job) ([]change.Annotation, error) {
	w.explained = append(w.explained, job.Name)
	return []change.Annotation{{Level: "failure", Path: "lib/nvme.c", Line: 7, Text: "assertion failed in " + job.Name}}, nil
}

func (w *world) JobLog(context.Context, string, change.Job, int) (change.JobLog, error) {
	return change.JobLog{}, errors.New("no log")
}

func (w *world) Artifacts(context.Context, string, int64) ([]change.Artifact, error) {
	return w.artifacts, w.unlisted
}

// keyOf is attempt 1 of a workflow for patchset 2 of change 7.
func keyOf(workflow string) change.Key {
	return change.Key{ID: change.ID{Change: 7, Patchset: 2}, Workflow: workflow, Attempt: 1}
}

// job is one that ended with a test step.
func job(name, conclusion string) change.Job {
	begin := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	step := conclusion
	return change.Job{ID: 1, Name: name, Attempt: 1, Status: "completed", Conclusion: conclusion, Started: begin, Completed: begin.Add(90 * time.Second),
		Runner: "r1", URL: "https://github.example.org/job/1",
		Steps: []change.Step{{Number: 1, Name: "Set up job", Status: "completed", Conclusion: "success"}, {Number: 2, Name: "Run tests", Status: "completed", Conclusion: step}}}
}

// newWorld has change 7 at patchset 2 and run 99 with the given jobs.
func newWorld(jobs ...change.Job) *world {
	run := change.Run{ID: 99, Name: keyOf("autorun.yml").String(), Workflow: "autorun.yml", Status: "in_progress", URL: "https://github.example.org/runs/99", Attempt: 1}
	return &world{
		change: change.Change{Project: "spdk/spdk", Number: 7, Status: change.New, Current: change.Patchset{Number: 2, Revision: change.Revision(strings.Repeat("a", 40))}},
		runs:   map[int64]change.Run{99: run},
		jobs:   map[int64][]change.Job{99: jobs},
	}
}

// needs are the results of all jobs of run 99 that have ended, none of which has
// continue-on-error.
func (w *world) needs() (needs []change.Job) {
	for _, j := range w.jobs[99] {
		if j.Status == "completed" {
			needs = append(needs, change.Job{Name: j.Name, Status: "completed", Conclusion: j.Conclusion})
		}
	}
	return needs
}

// ask reports on run 99; others are the standings of other workflows.
func (w *world) ask(t *testing.T, others ...plan.Standing) (Done, error) {
	t.Helper()
	p := &config.Project{Name: "spdk/spdk", Gerrit: config.Gerrit{Username: "ci"}, CI: config.CI{Repository: "example/ci"},
		Report: config.Report{Label: "Verified", Retries: 1}}
	r := &Reporter{Runs: w, Details: w, Reviews: w, Secrets: []string{"hunter2"}, Cell: func(s string) string { return "<" + s + ">" }}
	q := Request{Project: p, Key: keyOf("autorun.yml"), RunID: 99, Attempt: 1,
		Needs: w.needs(),
		Standings: func(*change.Change) []plan.Standing {
			return append([]plan.Standing{{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Expected: true}}, others...)
		}}
	if w.with != nil {
		w.with(r, &q)
	}
	return r.Report(t.Context(), q)
}

func TestVotes(t *testing.T) {
	t.Parallel()
	reporting := change.Job{Name: "report", Status: "in_progress"}
	tests := []struct {
		name    string
		jobs    []change.Job
		outcome verdict.Outcome
		vote    int
		says    string
	}{
		{"passed", []change.Job{job("tests", "success"), reporting}, verdict.Passed, 1, "passed"},
		{"failed", []change.Job{job("tests", "failure"), job("docs", "success"), reporting}, verdict.Failed, -1, "assertion failed in tests"},
		{"cancelled", []change.Job{job("tests", "cancelled"), reporting}, verdict.Cancelled, 0, "cancelled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tt.jobs...)
			done, err := w.ask(t)
			if err != nil {
				t.Fatal(err)
			}
			if done.Outcome != tt.outcome || done.Vote != tt.vote || !done.Voted || done.Silent != "" {
				t.Errorf("got %+v, want %s with the vote %d", done, tt.outcome, tt.vote)
			}
			if len(w.posted) != 1 || !strings.Contains(w.posted[0].Message, tt.says) || w.posted[0].Labels["Verified"] != tt.vote || w.posted[0].Tag != Tag {
				t.Errorf("got reviews %+v, want one that says %q", w.posted, tt.says)
			}
			if got := w.posted[0].Attention == change.OwnerAttention; got != (tt.vote < 0) {
				t.Errorf("got attention %v for a vote of %d", got, tt.vote)
			}
		})
	}
}

func TestNothingIsSaidTwiceOrTooLate(t *testing.T) {
	t.Parallel()
	waiting := plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Expected: true}
	tests := []struct {
		name   string
		edit   func(*world)
		others []plan.Standing
		silent string
	}{
		{"replaced", func(w *world) { w.change.Current.Number = 3 }, nil, "patchset 3 replaced it"},
		{"merged", func(w *world) { w.change.Status = change.Merged }, nil, "the change is closed"},
		{"gone", func(w *world) { w.gone = true }, nil, "the change is gone"},
		{"others run", func(*world) {}, []plan.Standing{waiting}, "other workflows have not ended: hw.yml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", "success"))
			tt.edit(w)
			done, err := w.ask(t, tt.others...)
			if err != nil || done.Silent != tt.silent || len(w.posted) != 0 {
				t.Errorf("got %q, %v and %d posts; want %q and none", done.Silent, err, len(w.posted), tt.silent)
			}
		})
	}
	w := newWorld(job("tests", "success"))
	for i, want := range []string{"", "it was reported before"} {
		if done, err := w.ask(t); err != nil || done.Silent != want || done.Outcome != verdict.Passed {
			t.Errorf("call %d: got %+v, %v; want silent %q", i, done, err, want)
		}
	}
	if len(w.posted) != 1 {
		t.Errorf("got %d posts, want 1", len(w.posted))
	}
}

// TestOneVoteOverAllWorkflows holds that the vote is the worst of all, and that
// each workflow's jobs are told.
func TestOneVoteOverAllWorkflows(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.runs[98] = change.Run{ID: 98, Status: "completed", Conclusion: "failure", Attempt: 1}
	w.jobs[98] = []change.Job{job("nvme on metal", "failure")}
	done, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Failed})
	if err != nil || done.Vote != -1 || done.Outcome != verdict.Passed {
		t.Fatalf("got %+v, %v; want its own outcome passed and the vote -1", done, err)
	}
	if !strings.Contains(done.Text, "nvme on metal") || !strings.Contains(done.Summary, "<nvme on metal>") {
		t.Errorf("the failed job is not named:\n%s\n%s", done.Text, done.Summary)
	}
}

// TestTwoEndAtOnce: the other workflow has ended too, and nobody has noted it.
func TestTwoEndAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.runs[98] = change.Run{ID: 98, Status: "completed", Conclusion: "success", Attempt: 1}
	w.jobs[98] = []change.Job{job("nvme on metal", "success")}
	done, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Expected: true})
	if err != nil || done.Silent != "" || done.Vote != 1 {
		t.Errorf("got %+v, %v; want the vote +1 for both", done, err)
	}
}

// TestRerunHasAnotherKey: a run whose failed jobs are repeated calls itself by the
// key that it was started with.
func TestRerunHasAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	again := keyOf("autorun.yml")
	again.Attempt = 2
	w.with = func(_ *Reporter, q *Request) {
		q.Standings = func(*change.Change) []plan.Standing {
			return []plan.Standing{{Workflow: "autorun.yml", Key: again, RunID: 99, Expected: true}}
		}
	}
	done, err := w.ask(t)
	if err != nil || !strings.Contains(done.Text, again.String()) {
		t.Errorf("got %+v, %v; want it told for %s", done, err, again)
	}
}

func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.lose = "after"
	if _, err := w.ask(t); err != nil {
		t.Errorf("posted, answer lost: got %v, want the message to be found", err)
	}
	w = newWorld(job("tests", "success"))
	w.lose = "before"
	if _, err := w.ask(t); err == nil {
		t.Error("not posted, answer lost: got no error")
	}
	w.lose = ""
	if done, err := w.ask(t); err != nil || done.Silent != "" || len(w.posted) != 1 {
		t.Errorf("next try: got %+v, %v and %d posts, want one", done, err, len(w.posted))
	}
}

func TestAVoteThatIsRefusedDegrades(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.refuse = "restricted"
	done, err := w.ask(t)
	if err != nil || done.Voted || done.Refused != "restricted" || len(w.posted) != 1 {
		t.Errorf("got %+v, %v; want the message without a vote", done, err)
	}
}

// TestWithoutTheAPI: the needs can say that all is well, but not why something failed.
func TestWithoutTheAPI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		result, silent string
		outcome        verdict.Outcome
		vote           int
	}{
		{"success", "", verdict.Passed, 1},
		{"failure", "a later pass tells, once GitHub says why jobs did not pass", verdict.Running, 0},
		{"cancelled", "a later pass tells, once GitHub says why jobs did not pass", verdict.Running, 0},
	} {
		w := newWorld()
		w.apiDown = errors.New("502")
		w.with = func(_ *Reporter, q *Request) {
			q.Needs = []change.Job{{Name: "tests", Status: "completed", Conclusion: tt.result}}
		}
		done, err := w.ask(t)
		if err != nil || done.Outcome != tt.outcome || done.Vote != tt.vote || done.Silent != tt.silent || (len(w.posted) == 0) != (tt.silent != "") {
			t.Errorf("%s: got %+v, %v and %d posts", tt.result, done, err, len(w.posted))
		}
	}
}

func TestResiduesOfOthersDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	if _, err := w.ask(t); err != nil {
		t.Fatal(err)
	}
	w.change.Messages[0].Author.Username = "eve"
	if got := verdict.Own(w.change.Messages, change.Account{Username: "ci"}); len(got) != 0 {
		t.Errorf("got %v from somebody else's message, want none", got)
	}
}

// TestClaimedVote: a vote that was dropped without a word is not claimed by our
// last message.
func TestClaimedVote(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.refuse, w.claimed = "the server dropped it without a word", true
	done, err := w.ask(t)
	if err != nil || done.Refused == "" || done.Voted || len(w.posted) != 2 || len(w.posted[1].Labels) != 0 {
		t.Fatalf("got %+v, %v and %d posts, want a refused vote and two posts", done, err, len(w.posted))
	}
	own := verdict.Own(w.change.Messages, change.Account{Username: "ci"})
	if last := own[len(own)-1]; !last.Refused || last.Voted {
		t.Errorf("got %+v as the last word, want a refused vote", last)
	}
}
