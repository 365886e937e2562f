// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestIsOwn: where our account's number is known it alone counts, for names can be
// changed and Gerrit takes them in any case; else the very same name does.
func TestIsOwn(t *testing.T) {
	t.Parallel()
	account := func(id int, name string) change.Account { return change.Account{ID: id, Username: name} }
	tests := []struct {
		name         string
		author, self change.Account
		want         bool
	}{
		{"the same number", account(9, "ci"), account(9, "ci"), true},
		{"the same number, spelled in another way", account(9, "CI"), account(9, "ci"), true},
		{"the same number, no name", account(9, ""), account(9, "ci"), true},
		{"another number, the same name", account(8, "ci"), account(9, "ci"), false},
		{"no number, the same name", account(0, "ci"), account(9, "ci"), false},
		{"our number is not known", account(9, "ci"), account(0, "ci"), true},
		{"our number is not known, spelled in another way", account(9, "CI"), account(0, "ci"), false},
		{"our number is not known, another name", account(9, "eve"), account(0, "ci"), false},
		{"nothing is known of us", account(9, ""), account(0, ""), false},
		{"nothing is known of us, nor of the author", account(0, ""), account(0, ""), false},
		{"our number could not be read", account(9, "ci"), account(-1, "ci"), false},
	}
	for _, tt := range tests {
		if got := IsOwn(change.Message{Author: tt.author}, tt.self); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestOwn reads what our account said, with the times, in order; what has no
// residue is passed over.
func TestOwn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	first, second := residueOf(Failed, -1, "0f3a9c2b71de"), residueOf(Passed, 1, "")
	message := func(id int, minutes int, text string) change.Message {
		return change.Message{Author: change.Account{ID: id}, At: at.Add(time.Duration(minutes) * time.Minute), Text: text}
	}
	got := Own([]change.Message{
		message(9, 0, "Failed.\n\n"+first.String()), message(8, 1, "Passed.\n\n"+second.String()),
		message(9, 2, "Thanks."), message(9, 3, second.String()),
	}, change.Account{ID: 9})
	first.At, second.At = at, at.Add(3*time.Minute)
	if diff := cmp.Diff([]Residue{first, second}, got); diff != "" {
		t.Errorf("residues (-want +got):\n%s", diff)
	}
}

// TestEmpty: who reads the message later knows that nothing was run, and what Gerrit
// took of the vote.
func TestEmpty(t *testing.T) {
	t.Parallel()
	keys := []LeftOut{{keyOf("autorun.yml", 2, 1), "not for branch x"}, {keyOf("docs.yml", 2, 1), "no file matches its paths"}}
	tests := []struct {
		name    string
		keys    []LeftOut
		voted   bool
		vote    int
		refused bool
		says    string
		end     string
	}{
		{"voted", keys[:1], true, 1, false, "autorun: nothing to run\n", "27101/2/autorun.yml/1 run=0 attempt=0 outcome=skipped vote=+1"},
		{"refused", keys[:1], true, 1, true, "autorun: nothing to run\n", "27101/2/autorun.yml/1 run=0 attempt=0 outcome=skipped vote=refused"},
		{"no label", keys[:1], false, 1, false, "autorun: nothing to run\n", "27101/2/autorun.yml/1 run=0 attempt=0 outcome=skipped vote=none"},
		{"no label, of two", keys, false, 1, true, "autorun, docs: nothing to run\n", "27101/2/autorun.yml/1 run=0 attempt=0 outcome=skipped 27101/2/docs.yml/1 run=0 attempt=0 outcome=skipped vote=none"},
	}
	for _, tt := range tests {
		text := Empty(tt.keys, tt.voted, tt.vote, tt.refused)
		if !strings.HasPrefix(text, tt.says) || !strings.HasSuffix(strings.TrimRight(text, "\n"), "\nDispatcher: "+tt.end) || !strings.Contains(text, "recheck") {
			t.Errorf("%s: got %q", tt.name, text)
		}
		r, ok := ParseResidue(text)
		if !ok || len(r.Runs) != len(tt.keys) {
			t.Fatalf("%s: got %+v (%v)", tt.name, r, ok)
		}
		for _, run := range r.Runs {
			if !run.Empty() {
				t.Errorf("%s: %+v does not tell that nothing was run", tt.name, run)
			}
		}
	}
	for _, run := range []RunResidue{{Outcome: Passed}, {Outcome: Missing}, {RunID: 17, Outcome: Skipped}} {
		if run.Empty() {
			t.Errorf("%+v: got that nothing was run", run)
		}
	}
	if text := Empty([]LeftOut{{Key: keyOf("../etc", 2, 1)}}, true, 1, false); strings.Contains(text, "\nDispatcher: 27101") {
		t.Errorf("got %q, want no key that cannot be read again", text)
	}
}

// TestWhatAMessageSaysOfRuns: the last line tells of each run how it ended, and
// nothing of those that are still waited for.
func TestWhatAMessageSaysOfRuns(t *testing.T) {
	t.Parallel()
	later := ran("a", Cancelled)
	later.Run.Run.Key.Attempt, later.Run.Run.Run.ID = 2, 18
	stands := ran("a", Failed)
	stands.Run.Jobs, stands.Latest = []JobResult{{Job: change.Job{Name: "unit"}, Outcome: Failed}}, later.Run
	const a, b = "7/2/a/1 run=17 attempt=1 outcome=", "7/2/b/1 run=17 attempt=1 outcome="
	const latest = " 7/2/a/2 run=18 attempt=1 outcome=cancelled"
	failed := " failed=" + digest([]string{"a/unit"})
	tests := []struct {
		name    string
		wants   []Want
		refused bool
		want    string
	}{
		{"passed", []Want{ran("a", Passed), ran("b", Passed)}, false, a + "passed " + b + "passed vote=+1"},
		{"refused", []Want{ran("a", Passed)}, true, a + "passed vote=refused"},
		{"refused, though nothing was voted", []Want{optional(ran("a", Passed))}, true, a + "passed vote=none"},
		{"not ready", []Want{ran("a", Passed), ran("b", Running)}, false, a + "running " + b + "running vote=none"},
		{"not ready, and an optional one", []Want{ran("a", Running), optional(ran("b", Passed))}, false, a + "running " + b + "running vote=none"},
		{"red before the other has ended", []Want{ran("a", Failed), ran("b", Running)}, false, a + "failed " + b + "running vote=-1"},
		{"an optional one goes on", []Want{ran("a", Passed), optional(ran("b", Running))}, false, a + "passed vote=+1"},
		{"an optional one has ended", []Want{ran("a", Passed), optional(ran("b", Failed))}, false, a + "passed " + b + "failed vote=+1"},
		{"an earlier result stands", []Want{stands}, false, a + "failed" + latest + " vote=-1" + failed},
		{"an earlier result stands while another goes on", []Want{stands, ran("b", Running)}, false, a + "failed" + latest + " " + b + "running vote=-1" + failed},
		{"an earlier result stands, not ready", []Want{func() Want { w := stands; w.Run = ran("a", Passed).Run; return w }(), ran("b", Running)}, false, a + "running " + b + "running vote=none"},
		{"refused and red", []Want{stands}, true, a + "failed" + latest + " vote=refused" + failed},
	}
	for _, tt := range tests {
		m := Message{Verdict: Policy{}.Combine(tt.wants), Refused: tt.refused}
		if got := m.Residue().String(); got != residueMark+" "+tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, residueMark+" "+tt.want)
		}
		if r, ok := ParseResidue(m.Text()); !ok || r.String() != residueMark+" "+tt.want {
			t.Errorf("%s: the message ends in %q", tt.name, r)
		}
	}
}

// TestCombineReds: what does not wait is a vote below zero, as configured, and the
// worst of several; a workflow that is to run again is not red.
func TestCombineReds(t *testing.T) {
	t.Parallel()
	strict := Policy{Votes: map[Outcome]int{TimedOut: -1, RunnerLost: -2}}
	lenient := Policy{Votes: map[Outcome]int{Failed: 0}}
	again := ran("a", Failed)
	again.Expected = true
	tests := []struct {
		name   string
		policy Policy
		wants  []Want
		ready  bool
		want   Outcome
		vote   int
	}{
		{"red", Policy{}, []Want{ran("a", Failed), ran("b", Running)}, true, Failed, -1},
		{"no vote for it", Policy{}, []Want{ran("a", TimedOut), ran("b", Running)}, false, Running, 0},
		{"a vote for it", strict, []Want{ran("a", TimedOut), ran("b", Running)}, true, TimedOut, -1},
		{"the worst of two", strict, []Want{ran("a", TimedOut), ran("b", Running), ran("c", Failed)}, true, Failed, -1},
		{"the worst one, not the lowest vote", strict, []Want{ran("a", RunnerLost), ran("b", Running), ran("c", TimedOut)}, true, TimedOut, -1},
		{"a failure without a vote", lenient, []Want{ran("a", Failed), ran("b", Running)}, false, Running, 0},
		{"it is to run again", Policy{}, []Want{again, ran("b", Passed)}, false, Running, 0},
		{"an optional one is red", Policy{}, []Want{optional(ran("a", Failed)), ran("b", Running)}, false, Running, 0},
		{"a vote below zero counts above what ranks before it", Policy{Votes: map[Outcome]int{RunnerLost: -1}}, []Want{ran("a", RunnerLost), ran("b", TimedOut)}, true, RunnerLost, -1},
		{"also while another one goes on", Policy{Votes: map[Outcome]int{RunnerLost: -1}}, []Want{ran("a", RunnerLost), ran("b", TimedOut), ran("c", Running)}, true, RunnerLost, -1},
		{"all have ended", Policy{}, []Want{ran("a", Failed), ran("b", Missing)}, true, Failed, -1},
	}
	for _, tt := range tests {
		v := tt.policy.Combine(tt.wants)
		if v.Ready != tt.ready || v.Voted != tt.ready || v.Outcome != tt.want || v.Vote != tt.vote {
			t.Errorf("%s: got %s %d (ready: %v, voted: %v), want %s %d (%v)", tt.name, v.Outcome, v.Vote, v.Ready, v.Voted, tt.want, tt.vote, tt.ready)
		}
	}
	waits := ran("a", Failed)
	waits.Latest, waits.Expected = ran("a", Cancelled).Run, true
	if v := (Policy{}).Combine([]Want{waits}); v.Required[0].Latest != nil || v.Required[0].Outcome != Running {
		t.Errorf("got %+v, want nothing of a run that is waited for", v.Required[0])
	}
}

// TestGivenUp: an outcome that would be tried again was given up once the tries are
// used up, and never before.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		retry       Retry
		again, upon bool
	}{
		{Retry{Done: 0, Most: 2, Of: RunnerLost}, true, false},
		{Retry{Done: 1, Most: 2, Of: RunnerLost}, true, false},
		{Retry{Done: 2, Most: 2, Of: RunnerLost}, false, true},
		{Retry{Done: 3, Most: 2, Of: RunnerLost}, false, true},
		{Retry{Done: 0, Most: 0, Of: RunnerLost}, false, true},
		{Retry{Done: 2, Most: 2, Of: Failed}, false, false},
		{Retry{Done: 2, Most: 2}, false, false},
	} {
		if tt.retry.Again() != tt.again || tt.retry.GivenUp() != tt.upon {
			t.Errorf("%+v: got again %v and given up %v", tt.retry, tt.retry.Again(), tt.retry.GivenUp())
		}
	}
}
