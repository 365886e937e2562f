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

// named returns a job that a conclusion alone describes.
func named(name, conclusion string) change.Job {
	j := jobOf(conclusion, "Run make test="+conclusion)
	j.Name = name
	return j
}

// ended and open are the run as GitHub describes it.
func ended(conclusion string) change.Run {
	return change.Run{ID: 9, Status: "completed", Conclusion: conclusion}
}

var open = change.Run{ID: 9, Status: "in_progress"}

// reporting is the job that reports, while it does.
var reporting = change.Job{ID: 99, Name: "report", Status: "in_progress", Runner: "GitHub Actions 1"}

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
		{"all pass", Run{Run: ended("success"), Jobs: []change.Job{pass, pass, skip}}, Passed},
		{"one fails", Run{Run: ended("failure"), Jobs: []change.Job{pass, lost, cancel, fail, skip}}, Failed},
		{"a lost runner is worse than what was cancelled because of it", Run{Run: ended("failure"), Jobs: []change.Job{pass, cancel, lost}}, RunnerLost},
		{"nothing is said before the last job ended", Run{Run: open, Jobs: []change.Job{fail, running}}, Running},
		{"all skipped", Run{Run: ended("skipped"), Jobs: []change.Job{skip, skip}}, Skipped},
		{"neutral jobs do not spoil a run", Run{Run: ended("success"), Jobs: []change.Job{named("n", "neutral"), pass}}, Passed},
		{"only neutral jobs", Run{Run: ended("success"), Jobs: []change.Job{named("n", "neutral"), skip}}, Neutral},
		{"the reporting job is left out", Run{Run: ended("success"), Jobs: []change.Job{pass, reporting, {Name: "autorun / report"}}}, Passed},
		{"nothing but the reporting job", Run{Run: ended("success"), Jobs: []change.Job{reporting}}, Skipped},
		{"superseded", Run{Superseded: true, Run: ended("cancelled"), Jobs: []change.Job{pass, cancel}}, Superseded},
		{"called off", Run{CalledOff: true, Run: ended("cancelled"), Jobs: []change.Job{pass, lost}}, Cancelled},
		{"continue-on-error", Run{Run: ended("success"), Jobs: []change.Job{pass, fail}}, Passed},
		{"all have continue-on-error", Run{Run: ended("success"), Jobs: []change.Job{fail, fail}}, Skipped},
		{"no jobs, startup failure", Run{Run: ended("startup_failure")}, StartupFailure},
		{"no jobs, failure", Run{Run: ended("failure")}, StartupFailure},
		{"no jobs, success", Run{Run: ended("success")}, Passed},
		// benc-uk/workflow-dispatch#107
		{"no jobs, cancelled by nobody", Run{Run: ended("cancelled")}, Dropped},
		{"no jobs, cancelled because a comment asked for it", Run{CalledOff: true, Run: ended("cancelled")}, Cancelled},
		{"no jobs, cancelled for a newer patchset", Run{Superseded: true, CalledOff: true, Run: ended("cancelled")}, Superseded},
		{"no jobs, queued", Run{Run: change.Run{Status: "queued"}}, Running},
		{"nothing is known", Run{}, Unknown},
	}
	for _, tt := range tests {
		if got := (Rules{}).Fold(tt.run).Outcome; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestPartsOfARun: the jobs that are listed may be a part of the run only (cli/cli#9341).
func TestPartsOfARun(t *testing.T) {
	t.Parallel()
	pass, fail, skip := named("pass", "success"), named("fail", "failure"), named("skip", "skipped")
	report := func(conclusion string) change.Job {
		j := named("report", conclusion)
		j.Steps[0].Name = "Tell Gerrit"
		return j
	}
	waiting := report("cancelled")
	waiting.Runner = ""
	tests := []struct {
		conclusion string
		jobs       []change.Job
		want       Outcome
	}{
		{"cancelled", []change.Job{pass}, Cancelled},
		{"failure", []change.Job{pass, skip}, Unknown},
		{"startup_failure", []change.Job{pass}, StartupFailure},
		{"timed_out", []change.Job{pass}, TimedOut},
		{"stale", []change.Job{pass}, Stale},
		{"action_required", []change.Job{pass}, ActionRequired},
		{"neutral", []change.Job{pass}, Neutral},
		{"skipped", []change.Job{pass}, Skipped},
		{"a new word", []change.Job{pass}, Unknown},
		{"", []change.Job{pass}, Unknown},
		{"", []change.Job{pass, fail}, Unknown},
		{"failure", []change.Job{skip}, Unknown},
		{"cancelled", []change.Job{pass, fail}, Failed},
		// What is left out explains it.
		{"failure", []change.Job{pass, report("failure")}, Passed},
		{"failure", []change.Job{pass, report("timed_out")}, Passed},
		{"cancelled", []change.Job{pass, report("cancelled")}, Passed},
		{"failure", []change.Job{report("failure")}, Skipped},
		// What is left out does not explain it.
		{"failure", []change.Job{pass, report("success")}, Unknown},
		{"cancelled", []change.Job{pass, report("success")}, Cancelled},
		{"cancelled", []change.Job{pass, waiting}, Cancelled},
		{"cancelled", []change.Job{pass, skip, report("cancelled")}, Cancelled},
		{"cancelled", []change.Job{report("cancelled")}, Cancelled},
		{"timed_out", []change.Job{pass, report("failure")}, TimedOut},
	}
	for _, tt := range tests {
		var names []string
		for _, j := range tt.jobs {
			names = append(names, j.Name+"="+j.Conclusion)
		}
		if got := (Rules{}).Fold(Run{Run: ended(tt.conclusion), Jobs: tt.jobs}).Outcome; got != tt.want {
			t.Errorf("run %s, %v: got %s, want %s", tt.conclusion, names, got, tt.want)
		}
	}
	rules := Rules{MayFail: []string{"fail"}}
	if got := rules.Fold(Run{Run: ended("failure"), Jobs: []change.Job{pass, fail}}).Outcome; got != Passed {
		t.Errorf("a job that may fail: got %s, want passed", got)
	}
	optional := marked(with(named("guest: x", "failure"), exit1), `{"v":1,"by":"test","optional":true,"exit":1}`)
	optional.Steps[0].Name = "guest: x"
	if got := (Rules{}).Fold(Run{Run: ended("failure"), Jobs: []change.Job{pass, optional}}).Outcome; got != Unknown {
		t.Errorf("an optional job does not make the run fail: got %s, want unknown", got)
	}
}

// TestFromInside: the run has not ended, as the job that asks is a part of it.
func TestFromInside(t *testing.T) {
	t.Parallel()
	job := named
	lost := func(name string) change.Job { return with(named(name, "cancelled"), lostText) }
	ours := func(name string, optional bool) change.Job {
		j := marked(with(named(name, "failure"), exit1), fmt.Sprintf(`{"v":1,"by":"test","optional":%v,"exit":1}`, optional))
		j.Steps[0].Name = "guest: test in a guest"
		return j
	}
	at := func(prefix string) change.Job { r := reporting; r.Name = prefix + r.Name; return r }
	needs := func(results ...string) map[string]string {
		m := map[string]string{}
		for _, r := range results {
			id, result, _ := strings.Cut(r, "=")
			m[id] = result
		}
		return m
	}
	tests := []struct {
		name  string
		needs map[string]string
		jobs  []change.Job
		want  Outcome
	}{
		{"all passed, and the needs agree", needs("unit=success", "docs=skipped"), []change.Job{job("unit", "success"), job("docs", "skipped"), reporting}, Passed},
		{"all passed, no needs", nil, []change.Job{job("unit", "success"), reporting}, Running},
		{"all that is listed passed, the needs say more", needs("unit=success", "soak=failure"), []change.Job{job("unit", "success"), reporting}, Running},
		{"the same, cancelled", needs("unit=success", "soak=cancelled"), []change.Job{job("unit", "success"), reporting}, Running},
		{"one failed, and its need says so", needs("unit=failure"), []change.Job{job("unit", "failure"), reporting}, Failed},
		{"one failed, no needs", nil, []change.Job{job("unit", "failure"), reporting}, Running},
		// actions/runner#1161
		{"continue-on-error", needs("unit=success", "soak=success"), []change.Job{job("unit", "success"), job("soak", "failure"), reporting}, Passed},
		{"continue-on-error, cancelled", needs("unit=success", "soak=success"), []change.Job{job("unit", "success"), lost("soak"), reporting}, Passed},
		{"continue-on-error in a matrix", needs("soak=success"), []change.Job{job("soak (a, 1)", "success"), job("soak (b / c, (2))", "failure"), reporting}, Passed},
		{"continue-on-error in a workflow that is called", needs("soak=success"), []change.Job{job("soak / a", "success"), job("soak / b (x)", "failure"), reporting}, Passed},
		{"the same, all of it in one that is called", needs("soak=success"), []change.Job{job("autorun / soak / a", "success"), job("autorun / soak / b", "failure"), at("autorun / ")}, Passed},
		{"a failure of the caller's", needs("soak=success"), []change.Job{job("soak", "failure"), at("autorun / ")}, Running},
		{"a name of its own, all needs went well", needs("unit=success", "nightly=success"), []change.Job{job("unit", "success"), job("Nightly tests", "failure"), reporting}, Running},
		{"a name of its own, one need did not go well", needs("unit=success", "nightly=failure"), []change.Job{job("unit", "success"), job("Nightly tests", "failure"), reporting}, Failed},
		{"a name of its own, another job explains the need", needs("unit=failure", "nightly=success"), []change.Job{lost("unit"), job("Nightly tests", "failure"), reporting}, Running},
		{"a name of its own, another job failed", needs("unit=failure", "nightly=success"), []change.Job{job("unit", "failure"), job("Nightly tests", "failure"), reporting}, Failed},
		{"an optional environment", needs("plan=success", "guest=success"), []change.Job{job("plan", "success"), ours("fedora", true), reporting}, Passed},
		{"an optional environment beside one that lost its runner", needs("guest=failure"), []change.Job{lost("debian"), ours("fedora", true), reporting}, RunnerLost},
		{"an environment that votes", needs("plan=success", "guest=failure"), []change.Job{job("plan", "success"), ours("fedora", false), reporting}, Failed},
		{"only results are known", needs("unit=success"), []change.Job{{Name: "unit", Status: "completed", Conclusion: "success"}}, Passed},
		{"only results are known, one is bad", needs("unit=failure"), []change.Job{{Name: "unit", Status: "completed", Conclusion: "failure"}}, Unknown},
		{"a job has not ended", needs("unit=success"), []change.Job{job("unit", "success"), {Name: "x", Status: "in_progress"}, reporting}, Running},
	}
	for _, tt := range tests {
		got := Rules{}.Fold(Run{Run: open, Needs: tt.needs, Jobs: tt.jobs})
		if got.Outcome != tt.want || (got.Awaits != "") != (tt.want == Running && tt.name != "a job has not ended") {
			t.Errorf("%s: got %s (awaits %q), want %s", tt.name, got.Outcome, got.Awaits, tt.want)
		}
	}
}

// TestSelf: a reporting job that has a name of its own is known by its id.
func TestSelf(t *testing.T) {
	t.Parallel()
	self := reporting
	self.Name = "Report to Gerrit"
	run := Run{Run: open, Needs: map[string]string{"pass": "success"}, Jobs: []change.Job{named("pass", "success"), self}}
	if got := (Rules{}).Fold(run).Outcome; got != Running {
		t.Errorf("not known: got %s, want running", got)
	}
	run.Self = self.ID
	if got := (Rules{}).Fold(run); got.Outcome != Passed || len(got.Jobs) != 1 {
		t.Errorf("known: got %s and %d jobs, want passed and one", got.Outcome, len(got.Jobs))
	}
}

func TestFoldRules(t *testing.T) {
	t.Parallel()
	run := Run{Run: ended("failure"), Jobs: []change.Job{named("unit", "success"), named("flaky soak", "failure"), named("report", "failure"), named("mail", "failure")}}
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
		run := randomRun(rnd, cases, 6)
		want := Rules{}.Fold(run).Outcome
		rnd.Shuffle(len(run.Jobs), func(i, j int) { run.Jobs[i], run.Jobs[j] = run.Jobs[j], run.Jobs[i] })
		if got := (Rules{}).Fold(run).Outcome; got != want {
			t.Fatalf("got %s and %s from the same jobs: %+v", want, got, run)
		}
	}
}

// randomRun returns a run with up to n jobs that has ended in some way, or whose
// needs are known.
func randomRun(rnd *rand.Rand, cases []jobCase, n int) Run {
	run := Run{Jobs: randomJobs(rnd, cases, n), Superseded: rnd.IntN(4) == 0, Run: open}
	switch rnd.IntN(8) {
	case 0:
		run.Needs = map[string]string{"tests": []string{"success", "failure", "cancelled", "skipped"}[rnd.IntN(4)]}
	case 1:
	case 2, 3:
		run.Run = ended([]string{"failure", "cancelled", "timed_out", "stale"}[rnd.IntN(4)])
	default:
		run.Run = ended("success")
		if slices.ContainsFunc(run.Jobs, func(j change.Job) bool { return j.Conclusion != "success" }) && rnd.IntN(3) > 0 {
			run.Run = ended("failure")
		}
	}
	return run
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
