// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// end is how GitHub says that run 99 ended.
func (w *world) end(conclusion string, attempt int) *world {
	r := w.runs[99]
	r.Status, r.Conclusion, r.Attempt = "completed", conclusion, attempt
	w.runs[99] = r
	w.with = func(_ *Reporter, q *Request) { q.Attempt, q.Needs = attempt, nil }
	return w
}

// TestPartialReruns: GitHub may list only the jobs that were repeated (cli/cli#9341,
// r-universe-org/help#607), or all of them.
func TestPartialReruns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, conclusion string
		before, now      []change.Job
		outcome          verdict.Outcome
		vote             int
		says             string
	}{
		{"all are well", "success", []change.Job{job("unit", "success"), job("flaky", "failure")}, []change.Job{job("flaky", "success")}, verdict.Passed, 1, "all 2 jobs passed"},
		{"one of two was repeated", "failure", []change.Job{job("unit", "failure"), job("flaky", "failure")}, []change.Job{job("flaky", "success")}, verdict.Failed, -1, "Failed: `unit`"},
		{"all are listed", "success", []change.Job{job("unit", "success"), job("flaky", "failure")}, []change.Job{job("unit", "success"), job("flaky", "success")}, verdict.Passed, 1, "all 2 jobs passed"},
		{"no other is known", "failure", nil, []change.Job{job("flaky", "success")}, verdict.Unknown, 0, "no verdict"},
	} {
		w := newWorld(tt.now...).end(tt.conclusion, 2)
		w.before = tt.before
		done, err := w.ask(t)
		if err != nil || done.Outcome != tt.outcome || done.Vote != tt.vote || !strings.Contains(done.Text, tt.says) {
			t.Errorf("%s: got %s with the vote %d, %v:\n%s", tt.name, done.Outcome, done.Vote, err, done.Text)
		}
	}
	// From inside, with the needs of the second attempt.
	w := newWorld(job("flaky", "success"), change.Job{ID: 9, Name: "report", Status: "in_progress"})
	r := w.runs[99]
	r.Attempt = 2
	w.runs[99] = r
	w.before = []change.Job{job("unit", "success"), job("flaky", "failure")}
	w.with = func(_ *Reporter, q *Request) {
		q.Attempt = 2
		q.Needs = []change.Job{{Name: "unit", Conclusion: "success"}, {Name: "flaky", Conclusion: "success"}}
	}
	if done, err := w.ask(t); err != nil || done.Vote != 1 || !strings.Contains(done.Text, "all 2 jobs passed") {
		t.Errorf("from inside: got %+v, %v", done, err)
	}
}

// TestAnEarlierAttempt: GitHub says how the newest attempt ended, and nothing of the
// others as a whole.
func TestAnEarlierAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success")).end("success", 2)
	w.before = []change.Job{job("tests", "success")}
	w.with = func(_ *Reporter, q *Request) { q.Attempt, q.Needs = 1, nil }
	if done, err := w.ask(t); err != nil || done.Silent == "" || done.Outcome != verdict.Running {
		t.Errorf("got %+v, %v; want nothing said", done, err)
	}
}

// TestContinueOnError: the job's conclusion is failure, the result that it needed is
// success, and so is the run (actions/runner#1161).
func TestContinueOnError(t *testing.T) {
	t.Parallel()
	reporting := change.Job{ID: 9, Name: "report", Status: "in_progress", Runner: "r9"}
	ok := func(id string) change.Job { return change.Job{Name: id, Status: "completed", Conclusion: "success"} }
	for name, silent := range map[string]string{
		"nightly":          "",
		"nightly (a, b)":   "",
		"A name of itself": "a later pass tells, once GitHub says whether `A name of itself` may fail",
	} {
		w := newWorld(job("unit", "success"), job(name, "failure"), reporting)
		w.with = func(_ *Reporter, q *Request) { q.Needs = []change.Job{ok("unit"), ok("nightly")} }
		done, err := w.ask(t)
		if err != nil || done.Silent != silent || silent == "" && done.Vote != 1 {
			t.Errorf("%s, from inside: got %+v, %v", name, done, err)
		}
		w.end("success", 1)
		w.jobs[99][2].Status, w.jobs[99][2].Conclusion = "completed", "success"
		if done, err = w.ask(t); err != nil || silent != "" && done.Vote != 1 {
			t.Errorf("%s, after the run: got %+v, %v", name, done, err)
		}
	}
}

// TestNamedReport: a reporting job with a name of its own does not wait for itself.
func TestNamedReport(t *testing.T) {
	t.Parallel()
	self := change.Job{ID: 9, Name: "Report to Gerrit", Status: "in_progress", Runner: "GitHub Actions 9"}
	other := self
	other.ID, other.Name = 10, "soak"
	for _, tt := range []struct {
		name string
		self func(change.Job) bool
		jobs []change.Job
		vote int
	}{
		{"by its id", func(j change.Job) bool { return j.ID == 9 }, []change.Job{job("unit", "success"), self}, 1},
		{"by its runner", func(j change.Job) bool { return j.Runner == "GitHub Actions 9" }, []change.Job{job("unit", "success"), self}, 1},
		{"nobody knows", nil, []change.Job{job("unit", "success"), self}, 0},
		{"two may be it", func(j change.Job) bool { return j.Runner == "GitHub Actions 9" }, []change.Job{job("unit", "success"), self, other}, 0},
	} {
		w := newWorld(tt.jobs...)
		w.with = func(_ *Reporter, q *Request) { q.SelfJob = tt.self }
		if done, err := w.ask(t); err != nil || done.Vote != tt.vote || (done.Silent == "") != (tt.vote == 1) {
			t.Errorf("%s: got %+v, %v; want the vote %d", tt.name, done, err, tt.vote)
		}
	}
}

// TestExplained: what failed is explained before what was stopped because of it, and
// the reporting job is not.
func TestExplained(t *testing.T) {
	t.Parallel()
	var jobs []change.Job
	for i := range maxRemarked + 9 {
		jobs = append(jobs, job(fmt.Sprint("stopped ", i), "cancelled"))
	}
	w := newWorld(append(jobs, job("report", "failure"), job("fine", "success"), job("broken", "failure"))...).end("failure", 1)
	if _, err := w.ask(t); err != nil {
		t.Fatal(err)
	}
	if len(w.explained) != maxRemarked || w.explained[0] != "broken" || slices.Contains(w.explained, "report") || slices.Contains(w.explained, "fine") {
		t.Errorf("got %d explained, first %v; want %d, the failed one first", len(w.explained), w.explained[:3], maxRemarked)
	}
}

// TestAwaitedResults: what is not known yet of a rerun is waited for, although the run
// before has a result.
func TestAwaitedResults(t *testing.T) {
	t.Parallel()
	w := newWorld(job("A name of itself", "failure"), change.Job{ID: 9, Name: "report", Status: "in_progress"})
	w.runs[98] = change.Run{ID: 98, Status: "completed", Conclusion: "success", Attempt: 1}
	w.jobs[98] = []change.Job{job("unit", "success")}
	w.with = func(_ *Reporter, q *Request) {
		q.Key.Attempt, q.Needs = 2, []change.Job{{Name: "unit", Conclusion: "success"}}
		q.Standings = func(*change.Change) []plan.Standing {
			return []plan.Standing{{Workflow: "autorun.yml", Key: q.Key, RunID: 99, Expected: true, Before: plan.Before{Key: keyOf("autorun.yml"), RunID: 98, Outcome: verdict.Passed}}}
		}
	}
	done, err := w.ask(t)
	if err != nil || done.Silent != "a later pass tells, once GitHub says whether `A name of itself` may fail" || len(w.posted) != 0 {
		t.Errorf("got %+v, %v", done, err)
	}
}

// TestCalledOff: what a comment called off was cancelled by nobody else.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	for calledOff, want := range map[bool]verdict.Outcome{true: verdict.Cancelled, false: verdict.Dropped} {
		w := newWorld().end("cancelled", 1)
		w.with = func(_ *Reporter, q *Request) {
			key := q.Key
			q.Standings = func(*change.Change) []plan.Standing {
				return []plan.Standing{{Workflow: "autorun.yml", Key: key, RunID: 99, Expected: true, CalledOff: calledOff}}
			}
		}
		if done, err := w.ask(t); err != nil || done.Outcome != want {
			t.Errorf("called off %v: got %s, %v; want %s", calledOff, done.Outcome, err, want)
		}
	}
}
