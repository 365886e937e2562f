// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// TestConfiguredRules: which jobs and steps count is taken from the configuration and
// from the caller.
func TestConfiguredRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		job    string // fails, beside one that passes
		report config.Report
		ignore []string
		needed bool // by the reporting job
		mine   verdict.Outcome
	}{
		{"nothing is configured", "lint", config.Report{}, nil, true, verdict.Failed},
		{"left out", "lint", config.Report{Ignore: []string{"lint"}}, nil, false, verdict.Passed},
		{"it may fail", "lint", config.Report{MayFail: []string{"lint"}}, nil, false, verdict.Passed},
		{"its step is set-up", "lint", config.Report{Setup: []string{"Run tests"}}, nil, true, verdict.SetupFailed},
		{"the reporting job, by default", "report", config.Report{}, nil, false, verdict.Passed},
		{"the reporting job, with others left out", "report", config.Report{Ignore: []string{"lint"}}, nil, true, verdict.Failed},
		{"what the caller leaves out", "tell", config.Report{}, []string{"tell"}, false, verdict.Passed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job(tt.job, "failure"), job("tests", "success"))
			w.with = func(_ *Reporter, q *Request) {
				r := q.Project.Report
				tt.report.Label, tt.report.Retries = r.Label, r.Retries
				q.Project.Report, q.Ignore = tt.report, tt.ignore
				q.Needs = []change.Job{{Name: "tests", Status: "completed", Conclusion: "success"}}
				if tt.needed {
					q.Needs = append(q.Needs, change.Job{Name: tt.job, Status: "completed", Conclusion: "failure"})
				}
			}
			done, err := w.ask(t)
			if err != nil || done.Outcome != tt.mine {
				t.Fatalf("got %+v, %v; want %s", done, err, tt.mine)
			}
		})
	}
}

// TestManyWaits names the first ten and counts the rest.
func TestManyWaits(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{10: "w9.yml", 12: "w9.yml, 2 more"} {
		w := newWorld(job("tests", "success"))
		var others []plan.Standing
		for i := range n {
			name := fmt.Sprintf("w%d.yml", i)
			others = append(others, plan.Standing{Workflow: name, Key: keyOf(name), Expected: true})
		}
		if done, err := w.ask(t, others...); err != nil || !strings.HasSuffix(done.Silent, want) {
			t.Errorf("%d: got %q, %v; want it to end in %q", n, done.Silent, err, want)
		}
	}
}

// TestReportThatCannotBeTold: what cannot be read is a failure, and nothing is said.
func TestReportThatCannotBeTold(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*unreadable){
		"failed to read the change that is reported on: 502": func(u *unreadable) { u.change = errors.New("502") },
		"503": func(u *unreadable) { u.self = errors.New("503") },
	} {
		u := unreadable{world: newWorld(job("tests", "success"))}
		edit(&u)
		u.with = func(r *Reporter, _ *Request) { r.Reviews = u }
		if _, err := u.ask(t); err == nil || err.Error() != want || len(u.posted) > 0 {
			t.Errorf("got %v and %d posts, want %q and none", err, len(u.posted), want)
		}
	}
	w := newWorld(job("tests", "success"))
	w.gone = true
	if done, err := w.ask(t); err != nil || done.Outcome != verdict.Superseded {
		t.Errorf("a change that is gone: got %+v, %v", done, err)
	}
}

// TestWarningsOfAVote come whether something is posted or not.
func TestWarningsOfAVote(t *testing.T) {
	t.Parallel()
	debt := plan.Debt{Reason: "its result was not told yet", Key: keyOf("autorun.yml")}
	foreign := plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Passed}
	open := plan.Standing{Workflow: "docs.yml", Key: keyOf("docs.yml"), Expected: true}
	for name, others := range map[string][]plan.Standing{"posted": {foreign}, "silent": {foreign, open}} {
		w := newWorld(job("tests", "success"))
		w.runs[98] = change.Run{ID: 98, Name: "8/1/hw.yml/1", Status: "completed", Conclusion: "success", Attempt: 1}
		done, err := w.vote(t, debt, func(q *Request) {
			of := q.Standings
			q.Standings = func(c *change.Change) []plan.Standing { return append(of(c), others...) }
		})
		if err != nil || (done.Silent == "") != (name == "posted") || len(done.Warnings) != 1 {
			t.Errorf("%s: got %+v, %v; want a warning", name, done, err)
		}
	}
}
