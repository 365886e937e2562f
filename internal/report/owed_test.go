// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// attemptOf is another attempt of a workflow for patchset 2 of change 7.
func attemptOf(workflow string, n int) change.Key {
	k := keyOf(workflow)
	k.Attempt = n
	return k
}

// standing has the request know only these standings.
func (w *world) standing(edit func(*Request), all ...plan.Standing) {
	w.with = func(_ *Reporter, q *Request) {
		q.Standings = func(*change.Change) []plan.Standing { return all }
		if edit != nil {
			edit(q)
		}
	}
}

// ended makes run id one that has ended, with one job.
func (w *world) ended(id int64, conclusion string) {
	w.runs[id] = change.Run{ID: id, Status: "completed", Conclusion: conclusion, Attempt: 1}
	w.jobs[id] = []change.Job{job("tests", conclusion)}
}

// TestOnlyRunsOfTheLedger: a run is reported only for the attempt that the ledger
// counts it for.
func TestOnlyRunsOfTheLedger(t *testing.T) {
	t.Parallel()
	own := plan.Standing{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Expected: true}
	with := func(edit func(*plan.Standing)) plan.Standing { st := own; edit(&st); return st }
	never := with(func(st *plan.Standing) { st.Key.Attempt, st.RunID = 0, 0 })
	tests := []struct {
		name      string
		standings []plan.Standing
		refused   string // why it is no run of ours
		silent    string // why nothing is said all the same
	}{
		{"its own", []plan.Standing{own}, "", ""},
		{"claimed, not recorded yet", []plan.Standing{with(func(st *plan.Standing) { st.RunID, st.Claimed = 0, true })}, "", ""},
		{"recorded without its number", []plan.Standing{with(func(st *plan.Standing) { st.RunID = 0 })}, "", ""},
		{"noted as ended by a pass", []plan.Standing{with(func(st *plan.Standing) { st.Expected, st.Outcome = false, verdict.Passed })}, "", ""},
		{"of a patchset that was replaced", []plan.Standing{never}, "", "patchset 3 replaced it"},
		{"of a change that was closed", []plan.Standing{never}, "", "the change is closed"},
		{"never claimed", []plan.Standing{never}, "the ledger on the mirror knows no such attempt", ""},
		{"another run", []plan.Standing{with(func(st *plan.Standing) { st.RunID = 98 })}, "the ledger on the mirror says that run 98 is", ""},
		{"another workflow's does not matter", []plan.Standing{{Workflow: "hw.yml", Key: attemptOf("hw.yml", 0), Optional: true, Expected: true}, own}, "", ""},
		{"replaced by an attempt that has ended", []plan.Standing{with(func(st *plan.Standing) {
			st.Key.Attempt, st.RunID, st.Expected, st.Outcome = 2, 100, false, verdict.Passed
		})}, "", "attempt 2 replaced it"},
		{"replaced by an attempt that goes on", []plan.Standing{with(func(st *plan.Standing) { st.Key.Attempt, st.RunID = 2, 100 })}, "", "attempt 2 replaced it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", "success"))
			w.ended(100, "success")
			w.runs[100] = change.Run{ID: 100, Status: "in_progress", Attempt: 1}
			w.standing(nil, tt.standings...)
			switch tt.silent {
			case "patchset 3 replaced it":
				w.change.Current.Number = 3
			case "the change is closed":
				w.change.Status = change.Abandoned
			}
			done, err := w.ask(t)
			if tt.refused != "" {
				want := "run 99 is not the dispatcher's run of 7/2/autorun.yml/1: " + tt.refused
				if err == nil || err.Error() != want || !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" || len(w.posted) > 0 {
					t.Errorf("got %v and %d posts, want %q, a hint and none", err, len(w.posted), want)
				}
				return
			}
			if err != nil || done.Silent != tt.silent || len(w.posted) == 0 != (tt.silent != "") {
				t.Errorf("got %q, %v and %d posts; want silent %q", done.Silent, err, len(w.posted), tt.silent)
			}
		})
	}
}

// TestForeignRuns: a run that says of itself that it is another's is no proof of
// anything. Who asks for it to be reported is told so; of others nothing is taken.
func TestForeignRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	foreign := w.runs[99]
	foreign.Name = "8/1/autorun.yml/1"
	w.runs[99] = foreign
	_, err := w.ask(t)
	const want = "run 99 is not the one of 7/2/autorun.yml/1: its name shows the key 8/1/autorun.yml/1"
	if err == nil || err.Error() != want || !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" || len(w.posted) > 0 {
		t.Errorf("got %v and %d posts, want %q and none", err, len(w.posted), want)
	}
	w = newWorld(job("tests", "success"))
	w.ended(98, "success")
	w.runs[98] = change.Run{ID: 98, Name: "8/1/hw.yml/1", Status: "completed", Conclusion: "success", Attempt: 1}
	done, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Passed})
	if err != nil || done.Vote != 0 || len(done.Warnings) != 1 || !strings.Contains(done.Warnings[0].Error(), "run 98 does not count as the one of 7/2/hw.yml/1") {
		t.Errorf("got %+v, %v; want no vote up and a warning", done, err)
	}
	if len(w.posted) != 1 || !strings.Contains(w.posted[0].Message, "hw.yml") {
		t.Errorf("got %+v, want a message that names the workflow without a run", w.posted)
	}
}

// TestJudge says how a run ended and posts nothing.
func TestJudge(t *testing.T) {
	t.Parallel()
	for conclusion, want := range map[string]verdict.Outcome{"success": verdict.Passed, "failure": verdict.Failed, "cancelled": verdict.Cancelled, "": verdict.Missing} {
		w := newWorld()
		w.ended(98, conclusion)
		if conclusion == "" {
			delete(w.runs, 98)
		}
		r := &Reporter{Runs: w, Details: w, Reviews: w}
		q := Request{Project: &config.Project{}, Key: keyOf("autorun.yml"), RunID: 98, Standings: func(*change.Change) []plan.Standing { return nil }}
		if got, err := r.Judge(t.Context(), q); got != want || err != nil || len(w.posted) > 0 {
			t.Errorf("%s: got %s, %v and %d posts, want %s and none", conclusion, got, err, len(w.posted), want)
		}
	}
	w := newWorld()
	w.ended(98, "success")
	w.runs[98] = change.Run{ID: 98, Name: "8/1/autorun.yml/1", Status: "completed", Conclusion: "success"}
	r := &Reporter{Runs: w, Details: w, Reviews: w}
	if got, err := r.Judge(t.Context(), Request{Project: &config.Project{}, Key: keyOf("autorun.yml"), RunID: 98}); err == nil || got != "" {
		t.Errorf("another's run: got %q, %v; want an error", got, err)
	}
}

// vote tells what is owed; the attempt of the debt has passed in run 99.
func (w *world) vote(t *testing.T, debt plan.Debt, edit func(*Request)) (Done, error) {
	t.Helper()
	if run := w.runs[99]; run.Status == "in_progress" {
		run.Status, run.Conclusion = "completed", "success"
		w.runs[99] = run
	}
	p := &config.Project{Name: "spdk/spdk", Gerrit: config.Gerrit{Username: "ci"}, CI: config.CI{Repository: "example/ci"},
		Report: config.Report{Label: "Verified", Retries: 1}}
	q := Request{Project: p, Key: keyOf("autorun.yml"),
		Debt: func(*change.Change, change.Account) plan.Debt { return debt },
		Standings: func(*change.Change) []plan.Standing {
			return []plan.Standing{{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Outcome: verdict.Passed}}
		}}
	if edit != nil {
		edit(&q)
	}
	return (&Reporter{Runs: w, Details: w, Reviews: w}).Vote(t.Context(), q)
}

// TestVote sets what is owed, and looks first whether it still is.
func TestVote(t *testing.T) {
	t.Parallel()
	untold := plan.Debt{Reason: "its result was not told yet", Key: keyOf("autorun.yml")}
	again := plan.Debt{Reason: "Gerrit did not take the vote before", Key: keyOf("autorun.yml"), Again: true, Refused: true}
	back := plan.Debt{Reason: "the vote was taken back, and no other result has come", Key: keyOf("autorun.yml"), Again: true}
	tests := []struct {
		name   string
		debt   plan.Debt
		edit   func(*world)
		others []plan.Standing
		silent string
		only   bool // post only what Gerrit takes the vote of
		says   string
	}{
		{"not told", untold, nil, nil, "", false, "passed"},
		{"refused before", again, nil, nil, "", true, "Gerrit did not take the vote before"},
		{"taken back", back, nil, nil, "", false, "the vote was taken back, and no other result has come"},
		{"not owed any more", plan.Debt{}, nil, nil, "it is not owed any more", false, ""},
		{"gone", untold, func(w *world) { w.gone = true }, nil, "the change has moved on", false, ""},
		{"replaced", untold, func(w *world) { w.change.Current.Number = 3 }, nil, "the change has moved on", false, ""},
		{"merged", untold, func(w *world) { w.change.Status = change.Merged }, nil, "the change has moved on", false, ""},
		{"another one has ended", untold, func(w *world) { w.ended(98, "success"); w.jobs[98][0].Name = "metal" },
			[]plan.Standing{{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Passed}}, "", false, "Passed (2): `tests`, `metal`"},
		{"another one goes on", untold, nil, []plan.Standing{{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Expected: true}}, "other workflows have not ended: hw.yml", false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(job("tests", "success"))
			if tt.edit != nil {
				tt.edit(w)
			}
			done, err := w.vote(t, tt.debt, func(q *Request) {
				of := q.Standings
				q.Standings = func(c *change.Change) []plan.Standing { return append(of(c), tt.others...) }
			})
			if err != nil || done.Silent != tt.silent {
				t.Fatalf("got %+v, %v; want silent %q", done, err, tt.silent)
			}
			if tt.silent != "" {
				if len(w.posted) > 0 {
					t.Errorf("got %+v, want nothing said", w.posted)
				}
				return
			}
			if !done.Voted || done.Vote != 1 || done.Outcome != verdict.Passed {
				t.Errorf("got %+v, want +1", done)
			}
			p := w.posted[0]
			if p.OnlyVoted != tt.only || p.Labels["Verified"] != 1 || !strings.Contains(p.Message, tt.says) || strings.Contains(p.Message, "not told yet") {
				t.Errorf("got %+v, want it to say %q", p, tt.says)
			}
		})
	}
}

// TestVoteOfAnEarlierAttempt: the attempt that the debt is told for is the one that
// the verdict reads.
func TestVoteOfAnEarlierAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.ended(98, "failure")
	w.ended(99, "cancelled")
	st := plan.Standing{Workflow: "autorun.yml", Key: attemptOf("autorun.yml", 2), RunID: 99, Outcome: verdict.Cancelled,
		Before: plan.Before{Key: keyOf("autorun.yml"), RunID: 98, Outcome: verdict.Failed}}
	debt := plan.Debt{Reason: "the vote was taken back, and no other result has come", Key: keyOf("autorun.yml"), Again: true}
	done, err := w.vote(t, debt, func(q *Request) { q.Standings = func(*change.Change) []plan.Standing { return []plan.Standing{st} } })
	if err != nil || done.Vote != -1 || !done.Voted {
		t.Fatalf("got %+v, %v; want -1", done, err)
	}
	if want := "run 2 of autorun.yml was cancelled; the result of run 1 stands"; !strings.Contains(w.posted[0].Message, want) {
		t.Errorf("got %q, want it to say %q", w.posted[0].Message, want)
	}
	own := verdict.Own(w.change.Messages, change.Account{Username: "ci"})
	if len(own) != 1 || len(own[0].Runs) != 2 || own[0].Runs[0].Outcome != verdict.Failed || own[0].Runs[1].Outcome != verdict.Cancelled {
		t.Errorf("got %+v, want both told, the one that stands first", own)
	}
}

// TestVoteWhereNothingIsToBeRun votes as if all had passed, and says so.
func TestVoteWhereNothingIsToBeRun(t *testing.T) {
	t.Parallel()
	left := []plan.Standing{{Workflow: "autorun.yml", Key: keyOf("autorun.yml")}, {Workflow: "hw.yml", Key: keyOf("hw.yml")}}
	debt := plan.Debt{Reason: "nothing is to be run for it", Key: keyOf("autorun.yml")}
	tests := []struct {
		name   string
		debt   plan.Debt
		report config.Report
		refuse string
		vote   int
		voted  bool
		only   bool
	}{
		{"voted", debt, config.Report{Label: "Verified"}, "", 1, true, false},
		{"as configured", debt, config.Report{Label: "Verified", Votes: map[string]int{"passed": 2}}, "", 2, true, false},
		{"refused", debt, config.Report{Label: "Verified"}, "restricted", 1, false, false},
		{"refused before", plan.Debt{Reason: "x", Key: debt.Key, Refused: true}, config.Report{Label: "Verified"}, "", 1, true, true},
		{"without a label", debt, config.Report{Messages: true}, "", 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.refuse = tt.refuse
			done, err := w.vote(t, tt.debt, func(q *Request) { q.Project.Report, q.Empty = tt.report, left })
			if err != nil || done.Voted != tt.voted || done.Vote != tt.vote || done.Refused != tt.refuse || done.Outcome != verdict.Skipped || len(w.posted) != 1 {
				t.Fatalf("got %+v, %v", done, err)
			}
			p := w.posted[0]
			if p.OnlyVoted != tt.only || p.Tag != Tag || p.Notify != verdict.NotifyNone || !strings.Contains(p.Message, "autorun, hw: nothing to run") {
				t.Errorf("got %+v", p)
			}
			for text, refused := range map[string]bool{p.Message: false, p.Unvoted: true} {
				r, ok := verdict.ParseResidue(text)
				empty := len(r.Runs) == 2 && !slices.ContainsFunc(r.Runs, func(run verdict.RunResidue) bool { return !run.Empty() })
				if label := tt.report.Label != ""; !ok || !empty || r.Voted != (label && !refused) || r.Refused != (label && refused) {
					t.Errorf("got %+v (%v) from %q", r, ok, text)
				}
			}
		})
	}
}

// TestVotesThatAreLost: after a lost answer the change itself says whether the
// message is there, and whether the vote came with it.
func TestVotesThatAreLost(t *testing.T) {
	t.Parallel()
	debt := plan.Debt{Reason: "Gerrit did not take the vote before", Key: keyOf("autorun.yml"), Again: true, Refused: true}
	w := newWorld(job("tests", "success"))
	if _, err := w.ask(t); err != nil { // the message of which the vote was refused
		t.Fatal(err)
	}
	w.lose = "before"
	if done, err := w.vote(t, debt, nil); err == nil || !errors.Is(err, fault.Transient) || done.Voted {
		t.Errorf("not posted: got %+v, %v; want a failure that passes", done, err)
	}
	w.lose = "after"
	if done, err := w.vote(t, debt, nil); err != nil || !done.Voted || done.Vote != 1 || len(w.posted) != 2 {
		t.Errorf("posted: got %+v, %v and %d posts; want the vote to be found", done, err, len(w.posted))
	}
	// Gerrit took the message only, and the answer that says so was lost.
	w = newWorld(job("tests", "success"))
	w.lose, w.refuse = "after", "restricted"
	if done, err := w.ask(t); err != nil || done.Voted || done.Refused == "" {
		t.Errorf("posted without the vote: got %+v, %v; want it to be refused", done, err)
	}
}

// unreadable fails reads of the change or of our account.
type unreadable struct {
	*world
	change, self error
}

func (u unreadable) Change(ctx context.Context, a change.Address) (change.Change, bool, error) {
	c, found, err := u.world.Change(ctx, a)
	return c, found, errors.Join(err, u.change)
}

func (u unreadable) Self(ctx context.Context) (change.Account, error) {
	self, err := u.world.Self(ctx)
	return self, errors.Join(err, u.self)
}

// TestVoteThatCannotBeTold: what cannot be read is a failure, and nothing is said.
func TestVoteThatCannotBeTold(t *testing.T) {
	t.Parallel()
	debt := plan.Debt{Reason: "its result was not told yet", Key: keyOf("autorun.yml")}
	for name, edit := range map[string]func(*unreadable){
		"failed to read the change that is voted on: 502": func(u *unreadable) { u.change = errors.New("502") },
		"503": func(u *unreadable) { u.self = errors.New("503") },
		"failed to read run 99 of 7/2/autorun.yml/1: 504": func(u *unreadable) { u.apiDown = errors.New("504") },
	} {
		u := unreadable{world: newWorld(job("tests", "success"))}
		edit(&u)
		q := Request{Project: &config.Project{Report: config.Report{Label: "Verified"}}, Key: keyOf("autorun.yml"),
			Debt: func(*change.Change, change.Account) plan.Debt { return debt },
			Standings: func(*change.Change) []plan.Standing {
				return []plan.Standing{{Workflow: "autorun.yml", Key: keyOf("autorun.yml"), RunID: 99, Outcome: verdict.Passed}}
			}}
		_, err := (&Reporter{Runs: u, Details: u, Reviews: u}).Vote(t.Context(), q)
		if err == nil || err.Error() != name || len(u.posted) > 0 {
			t.Errorf("got %v and %d posts, want %q and none", err, len(u.posted), name)
		}
	}
}
