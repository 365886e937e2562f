// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func keyOf(workflow string, patchset, attempt int) change.Key {
	return change.Key{ID: change.ID{Change: 27101, Patchset: patchset}, Workflow: workflow, Attempt: attempt}
}

func residueOf(o Outcome, vote int, failed string) Residue {
	return Residue{Runs: []RunResidue{{keyOf("autorun.yml", 2, 1), 17, 2, o}}, Voted: true, Vote: vote, Failed: failed}
}

func TestResidue(t *testing.T) {
	t.Parallel()
	two := residueOf(Passed, 0, "")
	two.Runs = append(two.Runs, RunResidue{change.Key{Server: "spdk", ID: change.ID{Change: 1, Patchset: 1}, Workflow: "b", Attempt: 3}, 0, 0, Missing})
	two.Voted = false
	refused := residueOf(Failed, 0, "0f3a9c2b71de")
	refused.Voted, refused.Refused = false, true
	tests := []struct {
		residue Residue
		want    string
	}{
		{residueOf(Failed, -1, "0f3a9c2b71de"), "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=failed vote=-1 failed=0f3a9c2b71de"},
		{residueOf(RunnerLost, 0, ""), "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=runner-lost vote=0"},
		{residueOf(Passed, 99, ""), "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=passed vote=+99"},
		{residueOf(Failed, -99, ""), "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=failed vote=-99"},
		{residueOf(Passed, 2, ""), "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=passed vote=+2"},
		{refused, "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=failed vote=refused failed=0f3a9c2b71de"},
		{two, "Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=passed spdk+1/1/b/3 run=0 attempt=0 outcome=missing vote=none"},
	}
	for _, tt := range tests {
		if got := tt.residue.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		for _, around := range []string{"%s", "Patch Set 2: Verified-1\n\ntext\n\n%s", "a\n%s\r\n \n"} {
			got, ok := ParseResidue(fmt.Sprintf(around, tt.want))
			if diff := cmp.Diff(tt.residue, got); !ok || diff != "" {
				t.Errorf("%q (%v, -want +got):\n%s", fmt.Sprintf(around, tt.want), ok, diff)
			}
		}
	}
}

func TestNoResidue(t *testing.T) {
	t.Parallel()
	good := residueOf(Failed, -1, "0f3a9c2b71de").String()
	edit := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, s := range []string{
		"", "x", "Dispatcher:", "Dispatcher: vote=0", "Dispatcher: vote=none",
		good + "\nthanks", "> " + good, "    " + good, " " + good, "x " + good,
		edit("Dispatcher:", "dispatcher:"), edit("27101/2", "27101/02"), edit("autorun.yml", "../x"), edit("run=17", "run=-1"), edit("run=17", "run=017"),
		edit("run=17", "run=+17"), edit("run=17", "run=99999999999999999999"), edit("attempt=2", "attempt=x"), edit("attempt=2 ", ""),
		edit("outcome=failed", "outcome=good"), edit("vote=-1", "vote=1"), edit("vote=-1", "vote=-100"), edit("vote=-1", "vote=+100"), edit("vote=-1", "vote=+0"), edit("vote=-1", "vote=-0"),
		edit("vote=-1", "vote="), edit("vote=-1", "vote=Refused"), edit("vote=-1", "vote=refused "), edit("vote=-1", "refused"), edit(" vote=-1", ""), edit("failed=0", "failed=G"), edit("failed=0", "failed="), edit("failed=", "failed=0"),
		good + " x", edit(" run", "  run"), strings.Replace(good, " ", "\t", 1), "Dispatcher: " + strings.Repeat("27101/2/a/1 run=1 attempt=1 outcome=passed ", 1000) + "vote=0",
	} {
		if got, ok := ParseResidue(s); ok {
			t.Errorf("%.200q: got %+v, want nothing", s, got)
		}
	}
}

func FuzzParseResidue(f *testing.F) {
	f.Add(residueOf(Failed, -1, "0f3a9c2b71de").String())
	f.Add("Dispatcher: 1/1/a/1 run=0 attempt=0 outcome=missing s+1/1/b/2 run=3 attempt=1 outcome=passed vote=none")
	f.Add("text\nDispatcher: 1/1/a/1 run=1 attempt=1 outcome=passed vote=+1\n\n")
	f.Fuzz(func(t *testing.T, message string) {
		r, ok := ParseResidue(message)
		if !ok {
			return
		}
		lines := strings.Split(strings.TrimRight(message, " \t\r\n"), "\n")
		if got, want := r.String(), lines[len(lines)-1]; got != want {
			t.Errorf("got %q from %q", got, want)
		}
	})
}

// TestResidueOfAnything checks that every message can be read again, whatever
// the jobs and even the keys are called.
func TestResidueOfAnything(t *testing.T) {
	t.Parallel()
	rnd, cases := rand.New(rand.NewPCG(5, 6)), jobCases()
	names := []string{hostile, "", "Dispatcher: 1/1/a/1 run=1 attempt=1 outcome=passed vote=+1", "a\nDispatcher: x", strings.Repeat("x", 1<<20), "ok"}
	for range 25 {
		var wants []Want
		for i := range rnd.IntN(4) + 1 {
			w := ran(fmt.Sprintf("w%d.yml", i), Passed)
			jobs := randomJobs(rnd, cases, 5)
			for i := range jobs {
				jobs[i].Name = names[rnd.IntN(len(names))]
			}
			run := Rules{}.Fold(Run{Key: w.Key, Attempt: rnd.IntN(3), Jobs: jobs})
			w.Run = &run
			wants = append(wants, w)
		}
		m := Message{Verdict: Policy{}.Combine(wants), Retry: Retry{Done: 1, Most: 2}}
		checkText(t, m, m.Text(), 16<<10)
	}
	bad := ran("../etc", Passed)
	m := Message{Verdict: Policy{}.Combine([]Want{bad, ran("ok", Passed)})}
	r, ok := ParseResidue(m.Text())
	if !ok || len(r.Runs) != 1 || !strings.HasPrefix(m.Text(), "`../etc`, ok: ") {
		t.Errorf("got %+v (%v) from %q, want the one run with a key", r, ok, m.Text())
	}
}

// TestResidueOfMany checks that a message about more runs than a line holds
// still ends in a line that can be read.
func TestResidueOfMany(t *testing.T) {
	t.Parallel()
	var wants []Want
	for i := range 300 {
		wants = append(wants, ran(fmt.Sprintf("workflow-%d-%s.yml", i, strings.Repeat("x", 60)), Passed))
	}
	m := Message{Verdict: Policy{}.Combine(wants)}
	text := m.Text()
	r, ok := ParseResidue(text)
	if !ok || len(r.Runs) < 40 || len(r.Runs) == 300 || len(text) > 16<<10 {
		t.Errorf("got %d runs (%v) in %d bytes", len(r.Runs), ok, len(text))
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	if got := digest(nil); got != "" {
		t.Errorf("got %q for no names", got)
	}
	if a, b := digest([]string{"a", "b", "a"}), digest([]string{"b", "a"}); a != b {
		t.Errorf("got %q and %q for the same set", a, b)
	}
	seen := map[string]bool{}
	for _, names := range [][]string{{"a"}, {"a", "b"}, {"a b"}, {"ab"}, {"a\n1 b"}, {""}} {
		d := digest(names)
		if seen[d] || !digestPattern.MatchString(d) {
			t.Errorf("%q: got %q, which is another's", names, d)
		}
		seen[d] = true
	}
}

func TestNews(t *testing.T) {
	t.Parallel()
	failed, passed, lost := residueOf(Failed, -1, "0f3a9c2b71de"), residueOf(Passed, 1, ""), residueOf(RunnerLost, 0, "")
	started := residueOf(Running, 0, "")
	started.Voted = false
	rerun := residueOf(Failed, -1, "0f3a9c2b71de")
	rerun.Runs[0].Attempt, rerun.Runs[0].RunID, rerun.Runs[0].Key.Attempt = 3, 18, 2
	before := residueOf(Failed, -1, "0f3a9c2b71de")
	before.Runs[0].Key.Patchset = 1
	elsewhere := residueOf(Failed, -1, "0f3a9c2b71de")
	elsewhere.Runs[0].Key.Server = "other"
	more := residueOf(Failed, -1, "0f3a9c2b71de")
	more.Runs = append(more.Runs, RunResidue{keyOf("nightly.yml", 2, 1), 18, 1, Passed})
	refused := residueOf(Failed, 0, "0f3a9c2b71de")
	refused.Voted, refused.Refused = false, true
	with := func(r Residue, n int, o Outcome) Residue {
		r.Runs = slices.Clone(r.Runs)
		r.Runs[n].Outcome = o
		return r
	}
	unvoted := func(r Residue) Residue { r.Vote = 0; return r }
	later := func(r Residue, o Outcome) Residue {
		r.Runs = append(slices.Clone(r.Runs), RunResidue{keyOf("autorun.yml", 2, 2), 18, 1, o})
		return r
	}
	tests := []struct {
		name    string
		now     Residue
		earlier []Residue
		want    string
	}{
		{"first verdict", passed, nil, NotifyOwner},
		{"first verdict after the start", failed, []Residue{started}, NotifyOwner},
		{"the start", started, nil, NotifyNone},
		{"the start of a rerun", started, []Residue{failed}, NotifyNone},
		{"the same again", failed, []Residue{failed}, NotifyNone},
		{"the same from another attempt", rerun, []Residue{failed, started}, NotifyNone},
		{"other jobs failed", residueOf(Failed, -1, "111111111111"), []Residue{failed}, NotifyOwner},
		{"fixed by a rerun", passed, []Residue{failed}, NotifyOwner},
		{"broken again", failed, []Residue{failed, passed}, NotifyOwner},
		{"lost", lost, []Residue{passed}, NotifyOwner},
		{"another vote", residueOf(Failed, 0, "0f3a9c2b71de"), []Residue{failed}, NotifyOwner},
		{"the same on another patchset", failed, []Residue{before}, NotifyOwner},
		{"the same on another server", failed, []Residue{elsewhere}, NotifyOwner},
		{"one workflow more", more, []Residue{failed}, NotifyOwner},
		{"nothing that can be told apart", Residue{}, []Residue{failed}, NotifyOwner},
		{"another workflow", Residue{Runs: []RunResidue{{keyOf("nightly.yml", 2, 1), 17, 2, Failed}}, Voted: true, Vote: -1, Failed: "0f3a9c2b71de"}, []Residue{failed}, NotifyOwner},
		{"the vote is refused now", refused, []Residue{failed}, NotifyNone},
		{"the vote is taken now", failed, []Residue{refused}, NotifyNone},
		{"refused again", refused, []Residue{refused}, NotifyNone},
		{"one workflow less", failed, []Residue{more}, NotifyOwner},
		{"another outcome of the other workflow", with(more, 1, Cancelled), []Residue{more}, NotifyOwner},
		{"the other one has ended after a red vote", more, []Residue{with(more, 1, Running)}, NotifyNone},
		{"the other one has ended, and the vote was none", unvoted(more), []Residue{unvoted(with(more, 1, Running))}, NotifyNone},
		{"the other one goes on again", with(more, 1, Running), []Residue{more}, NotifyOwner},
		{"the red one is not the one that goes on", with(more, 0, Running), []Residue{with(more, 1, Running)}, NotifyOwner},
		{"a later run told nothing", later(failed, Cancelled), []Residue{failed}, NotifyNone},
		{"what told nothing has passed", passed, []Residue{later(failed, Cancelled)}, NotifyOwner},
		{"an older verdict does not count", failed, []Residue{passed, before, failed, started}, NotifyNone},
	}
	for _, tt := range tests {
		if got := tt.now.Notify(tt.earlier, false); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if got := tt.now.Notify(tt.earlier, true); got != NotifyOwner {
			t.Errorf("%s, given up: got %s, want %s", tt.name, got, NotifyOwner)
		}
	}
}

func TestReported(t *testing.T) {
	t.Parallel()
	r := residueOf(Failed, -1, "")
	r.Runs = append(r.Runs, RunResidue{keyOf("b", 2, 1), 18, 1, Running})
	tests := []struct {
		key     change.Key
		run     int64
		attempt int
		want    bool
	}{
		{keyOf("autorun.yml", 2, 1), 17, 2, true},
		{keyOf("autorun.yml", 2, 1), 17, 3, false}, // a rerun
		{keyOf("autorun.yml", 2, 1), 18, 2, false},
		{keyOf("autorun.yml", 2, 2), 17, 2, false},
		{keyOf("b", 2, 1), 18, 1, false}, // only started
	}
	for _, tt := range tests {
		if got := r.Reported(tt.key, tt.run, tt.attempt); got != tt.want {
			t.Errorf("%s %d %d: got %v, want %v", tt.key, tt.run, tt.attempt, got, tt.want)
		}
	}
}
