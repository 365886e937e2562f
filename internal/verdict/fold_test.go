// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// named returns a job that a conclusion alone describes.
func named(name, conclusion string) change.Job {
	j := jobOf(conclusion, "Run make test="+conclusion)
	j.Name = name
	return j
}

func TestFold(t *testing.T) {
	t.Parallel()
	pass, fail, cancel, skip := named("pass", "success"), named("fail", "failure"), named("cancel", "cancelled"), named("skip", "skipped")
	lost := with(named("lost", "cancelled"), lostText)
	running := change.Job{Name: "running", Status: "queued"}
	tests := []struct {
		name string
		run  Run
		want Outcome
	}{
		{"all pass", Run{Jobs: []change.Job{pass, pass, skip}}, Passed},
		{"one fails", Run{Jobs: []change.Job{pass, lost, cancel, fail, skip}}, Failed},
		{"a lost runner is worse than what was cancelled because of it", Run{Jobs: []change.Job{pass, cancel, lost}}, RunnerLost},
		{"nothing is said before the last job ended", Run{Jobs: []change.Job{fail, running}}, Running},
		{"all skipped", Run{Jobs: []change.Job{skip, skip}}, Skipped},
		{"neutral jobs do not spoil a run", Run{Jobs: []change.Job{named("n", "neutral"), pass}}, Passed},
		{"only neutral jobs", Run{Jobs: []change.Job{named("n", "neutral"), skip}}, Neutral},
		{"the reporting job is left out", Run{Jobs: []change.Job{pass, {Name: "report", Status: "in_progress"}, {Name: "autorun / report"}}}, Passed},
		{"nothing but the reporting job", Run{Jobs: []change.Job{{Name: "report", Status: "in_progress"}}}, Skipped},
		{"superseded", Run{Superseded: true, Jobs: []change.Job{pass, cancel}}, Superseded},
		{"continue-on-error", Run{Run: change.Run{Conclusion: "success"}, Jobs: []change.Job{pass, fail}}, Passed},
		{"all have continue-on-error", Run{Run: change.Run{Conclusion: "success"}, Jobs: []change.Job{fail, fail}}, Skipped},
		{"no jobs, startup failure", Run{Run: change.Run{Status: "completed", Conclusion: "startup_failure"}}, StartupFailure},
		{"no jobs, failure", Run{Run: change.Run{Status: "completed", Conclusion: "failure"}}, Unknown},
		{"no jobs, success", Run{Run: change.Run{Status: "completed", Conclusion: "success"}}, Passed},
		{"no jobs, cancelled for a newer patchset", Run{Superseded: true, Run: change.Run{Status: "completed", Conclusion: "cancelled"}}, Superseded},
		{"no jobs, queued", Run{Run: change.Run{Status: "queued"}}, Running},
		{"nothing is known", Run{}, Unknown},
	}
	for _, tt := range tests {
		if got := (Rules{}).Fold(tt.run).Outcome; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFoldRules(t *testing.T) {
	t.Parallel()
	run := Run{Jobs: []change.Job{named("unit", "success"), named("flaky soak", "failure"), named("report", "failure"), named("mail", "failure")}}
	rules := Rules{Ignore: []string{"mail", "report"}, MayFail: []string{"flaky **"}}
	got := rules.Fold(run)
	type line struct {
		Name    string
		Outcome Outcome
		MayFail bool
	}
	var lines []line
	for _, j := range got.Jobs {
		lines = append(lines, line{j.Job.Name, j.Outcome, j.MayFail})
	}
	want := []line{{"unit", Passed, false}, {"flaky soak", Failed, true}}
	if diff := cmp.Diff(want, lines); diff != "" || got.Outcome != Passed {
		t.Errorf("got %s, want passed (-want +got):\n%s", got.Outcome, diff)
	}
	if got := (Rules{Ignore: []string{}}).Fold(run).Outcome; got != Failed {
		t.Errorf("with nothing ignored: got %s, want failed", got)
	}
}

// TestFoldAnyOrder checks that the order of jobs does not matter.
func TestFoldAnyOrder(t *testing.T) {
	t.Parallel()
	rnd, cases := rand.New(rand.NewPCG(1, 2)), jobCases()
	for range 200 {
		jobs := randomJobs(rnd, cases, 6)
		want := Rules{}.Fold(Run{Jobs: jobs}).Outcome
		rnd.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		if got := (Rules{}).Fold(Run{Jobs: jobs}).Outcome; got != want {
			t.Fatalf("got %s and %s from the same jobs: %+v", want, got, jobs)
		}
	}
}

// randomJobs returns up to n jobs that ended in the ways of jobCases, and in
// some that no case describes.
func randomJobs(rnd *rand.Rand, cases []jobCase, n int) []change.Job {
	conclusions := []string{"success", "failure", "cancelled", "timed_out", "skipped", "", "stale", "neutral"}
	var jobs []change.Job
	for range rnd.IntN(n) + 1 {
		j := cases[rnd.IntN(len(cases))].job
		if rnd.IntN(2) == 0 {
			j = cases[0].job // which passed
		}
		j.Steps = slices.Clone(j.Steps)
		if rnd.IntN(3) == 0 {
			j.Conclusion = conclusions[rnd.IntN(len(conclusions))]
		}
		if len(j.Steps) > 0 && rnd.IntN(3) == 0 {
			j.Steps[rnd.IntN(len(j.Steps))].Conclusion = conclusions[rnd.IntN(len(conclusions))]
		}
		j.Name = string(rune('a' + rnd.IntN(20)))
		jobs = append(jobs, j)
	}
	return jobs
}
