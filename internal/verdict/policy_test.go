// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestVote(t *testing.T) {
	t.Parallel()
	two := map[Outcome]int{Passed: 2, Failed: -2, TimedOut: -1, Skipped: 1}
	tests := []struct {
		policy  Policy
		outcome Outcome
		want    int
	}{
		{Policy{}, Passed, 1}, {Policy{}, Failed, -1}, {Policy{}, RunnerLost, 0}, {Policy{}, TimedOut, 0}, {Policy{}, "new", 0},
		{Policy{Votes: two}, Passed, 2}, {Policy{Votes: two}, Failed, -2}, {Policy{Votes: two}, TimedOut, -1}, {Policy{Votes: two}, Cancelled, 0},
		{Policy{Votes: two, Min: -1, Max: 1}, Passed, 1}, {Policy{Votes: two, Min: -1, Max: 1}, Failed, -1},
		{Policy{Min: 0, Max: 1}, Failed, 0}, {Policy{Min: -1, Max: 0}, Passed, 0},
		// 0 stays possible on a label that has no 0 for us.
		{Policy{Min: 1, Max: 2}, Failed, 0}, {Policy{Min: -2, Max: -1}, Passed, 0}, {Policy{Min: 1, Max: 2}, RunnerLost, 0},
		{Policy{Votes: map[Outcome]int{Failed: -1 << 40}}, Failed, -99},
	}
	for _, tt := range tests {
		if got := tt.policy.Vote(tt.outcome); got != tt.want {
			t.Errorf("%+v, %s: got %d, want %d", tt.policy, tt.outcome, got, tt.want)
		}
	}
}

// ran returns a workflow whose run ended so.
func ran(workflow string, o Outcome) Want {
	key := change.Key{ID: change.ID{Change: 7, Patchset: 2}, Workflow: workflow, Attempt: 1}
	return Want{Key: key, Run: &RunResult{Run: Run{Key: key, Run: change.Run{ID: 17}, Attempt: 1}, Outcome: o}}
}

func optional(w Want) Want {
	w.Optional = true
	return w
}

func TestCombine(t *testing.T) {
	t.Parallel()
	none := func(workflow string, expected bool) Want {
		w := ran(workflow, Passed)
		w.Run, w.Expected = nil, expected
		return w
	}
	again := ran("a", Failed)
	again.Expected = true
	tests := []struct {
		name  string
		wants []Want
		want  string
	}{
		{"all pass", []Want{ran("a", Passed), ran("b", Passed)}, "passed +1"},
		{"one fails", []Want{ran("a", Passed), ran("b", Failed)}, "failed -1"},
		{"one fails, the other has not ended", []Want{ran("a", Running), ran("b", Failed)}, "failed -1, waiting for [a]"},
		{"one is to be run again", []Want{again, ran("b", Passed)}, "running none, waiting for [a]"},
		{"one is still to come", []Want{none("a", true), ran("b", Passed)}, "running none, waiting for [a]"},
		{"one will not come", []Want{none("a", false), ran("b", Passed)}, "missing 0, missing [a]"},
		{"one will not come, the other failed", []Want{none("a", false), ran("b", Failed)}, "failed -1, missing [a]"},
		{"one lost its runner", []Want{ran("a", RunnerLost), ran("b", Passed)}, "runner-lost 0"},
		{"one was skipped", []Want{ran("a", Skipped), ran("b", Passed)}, "passed +1"},
		{"an optional one fails", []Want{ran("a", Passed), optional(ran("b", Failed))}, "passed +1"},
		{"an optional one has not ended", []Want{ran("a", Passed), optional(ran("b", Running))}, "passed +1"},
		{"only optional ones", []Want{optional(ran("a", Failed)), optional(ran("b", Passed))}, "failed none"},
		{"only optional ones, not ended", []Want{optional(ran("a", Running))}, "running none"},
		{"nothing is wanted", nil, "skipped none"},
	}
	for _, tt := range tests {
		v := Policy{}.Combine(tt.wants)
		got := fmt.Sprintf("%s %s", v.Outcome, Residue{Voted: v.Voted, Vote: v.Vote}.vote())
		if w := v.Workflows(Running); len(w) > 0 {
			got += fmt.Sprintf(", waiting for %v", w)
		}
		if w := v.Workflows(Missing); len(w) > 0 {
			got += fmt.Sprintf(", missing %v", w)
		}
		if got != tt.want || v.Ready == (v.Outcome == Running) {
			t.Errorf("%s: got %q (ready: %v), want %q", tt.name, got, v.Ready, tt.want)
		}
	}
}

// TestCombineAgain checks that a rerun changes the verdict, whichever way.
func TestCombineAgain(t *testing.T) {
	t.Parallel()
	var got []string
	for _, o := range []Outcome{Failed, Running, RunnerLost, Running, Passed} {
		v := Policy{}.Combine([]Want{ran("a", Passed), ran("b", o)})
		got = append(got, Residue{Voted: v.Voted, Vote: v.Vote}.vote())
	}
	if diff := cmp.Diff([]string{"-1", "none", "0", "none", "+1"}, got); diff != "" {
		t.Errorf("votes (-want +got):\n%s", diff)
	}
}

// TestNoBlameWithoutFailure is the package's first rule: whatever happens to
// jobs, the default policy votes a change down only if a test failed, and up
// only if nothing required is open and GitHub says so of the runs as a whole.
func TestNoBlameWithoutFailure(t *testing.T) {
	t.Parallel()
	rnd, cases := rand.New(rand.NewPCG(3, 4)), jobCases()
	votes := map[int]int{}
	for range 1500 {
		var wants []Want
		for i := range rnd.IntN(3) + 1 {
			w := ran(fmt.Sprint("w", i), Passed)
			random := randomRun(rnd, cases, 3)
			random.Key = w.Key
			run := Rules{}.Fold(random)
			w.Run, w.Optional, w.Expected = &run, rnd.IntN(5) == 0, rnd.IntN(9) == 0
			if rnd.IntN(9) == 0 {
				w.Run = nil
			}
			wants = append(wants, w)
		}
		v := Policy{}.Combine(wants)
		votes[v.Vote]++
		failed, open, whole := false, false, true
		for _, w := range wants {
			if w.Optional {
				continue
			}
			open = open || w.Expected || w.Run == nil || !slices.Contains([]Outcome{Passed, Neutral, Skipped}, w.Run.Outcome)
			whole = whole && w.Run != nil && (w.Run.Run.Run.Conclusion == "success" || needsAgree(w.Run.Run))
			failed = failed || w.Run != nil && slices.ContainsFunc(w.Run.Jobs, func(j JobResult) bool { return testFailed(j.Job) })
		}
		if v.Vote < 0 && !failed || v.Vote > 0 && (open || !whole) {
			t.Fatalf("got vote %d (failed: %v, open: %v, GitHub agrees: %v) for %+v", v.Vote, failed, open, whole, wants)
		}
	}
	if votes[-1] < 50 || votes[0] < 50 || votes[1] < 50 {
		t.Errorf("got votes %v, want some of each", votes)
	}
}

// needsAgree reports whether a run has not ended, and all that it needed went well.
func needsAgree(run Run) bool {
	for _, result := range run.Needs {
		if result != "success" && result != "skipped" {
			return false
		}
	}
	return run.Run.Conclusion == "" && len(run.Needs) > 0
}

// testFailed says in other words than the package whether a test failed: a step
// ended so that is none of the set-up and tear-down of jobCases.
func testFailed(j change.Job) bool {
	around := []string{"Set up job", "Run actions/checkout@v7", "Run actions/upload-artifact@v6", "Post Run x/y@v1", "Check out the patchset", "rig: reserve a host", "Upload test logs", "Install dependencies", "Collect"}
	return slices.ContainsFunc(j.Steps, func(s change.Step) bool {
		return !slices.Contains(around, s.Name) && (s.Conclusion == "failure" || s.Conclusion == "timed_out")
	})
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for _, o := range Outcomes() {
		want := slices.Contains([]Outcome{TimedOutSetup, OutOfDisk, RunnerLost, SetupFailed, Dropped, StartupFailure, Unknown, Stale}, o)
		if got := (Retry{Done: 1, Most: 2, Of: o}).Again(); got != want {
			t.Errorf("%s: got %v, want %v", o, got, want)
		}
		if (Retry{Done: 2, Most: 2, Of: o}).Again() || (Retry{Of: o}).Again() {
			t.Errorf("%s: got a retry beyond the limit", o)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	seen := map[Outcome]bool{}
	for i, o := range Outcomes() {
		tr := o.trait()
		if seen[o] || !o.Valid() || o.rank() != i || tr.means == "" || tr.one == "" || tr.many == "" {
			t.Errorf("%s: got %+v at place %d", o, tr, i)
		}
		if tr.vote < 0 && o != Failed || tr.vote > 0 && o != Passed {
			t.Errorf("%s: got vote %d by default", o, tr.vote)
		}
		seen[o] = true
	}
	if o := Outcome("new"); o.Valid() || o.Retryable() || o.trait().one == "" {
		t.Errorf("%s: got %+v", o, o.trait())
	}
}
