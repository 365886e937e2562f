// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"os"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestChores: a run is as many jobs as tested something. One that prepares them
// counts where it failed, where it is somebody else's, or where there is no other.
func TestChores(t *testing.T) {
	t.Parallel()
	job := func(name, conclusion string, steps ...string) change.Job {
		j := change.Job{Name: name, Status: "completed", Conclusion: conclusion, Runner: "r"}
		for _, s := range steps {
			j.Steps = append(j.Steps, change.Step{Name: s, Status: "completed", Conclusion: conclusion})
		}
		return j
	}
	plan := job("autorun / plan", "success", choreStep, chores["plan"])
	source := job("source", "success", choreStep, chores["source"])
	unit := job("autorun / unit", "success", choreStep, "guest: test in a container")
	for _, tt := range []struct {
		name, conclusion string
		jobs             []change.Job
		sentence, passed string
	}{
		{"tests", "success", []change.Job{plan, source, unit, job("autorun / nvme", "success", "x")}, "all 2 jobs passed", "Passed (2): `autorun / unit`, `autorun / nvme`"},
		{"one test", "success", []change.Job{plan, source, unit}, "1 job passed", "Passed (1): `autorun / unit`"},
		{"a test that failed", "failure", []change.Job{plan, source, unit, job("autorun / nvme", "failure", "guest: test in a guest")}, "1 of 2 jobs failed", "Failed: `autorun / nvme` in `test in a guest`"},
		{"nothing else", "success", []change.Job{plan, source}, "all 2 jobs passed", "Passed (2): `autorun / plan`, `source`"},
		{"somebody else's", "success", []change.Job{job("infra / plan", "success", "terraform plan", choreStep), unit}, "all 2 jobs passed", "Passed (2): `infra / plan`"},
		{"a name alone", "success", []change.Job{job("plan", "success"), job("report plan", "success", choreStep, chores["plan"]), unit}, "all 3 jobs passed", "Passed (3)"},
		{"one that failed", "failure", []change.Job{job("autorun / plan", "failure", choreStep, chores["plan"]), source}, "1 job failed outside the tests", "`autorun / plan` failed outside the tests in `the dispatcher at this workflow's own commit`"},
	} {
		run := Rules{}.Fold(Run{Key: keyOf("autorun.yml", 2, 1), Attempt: 1, Run: change.Run{Status: "completed", Conclusion: tt.conclusion}, Jobs: tt.jobs})
		text := Message{Verdict: Policy{}.Combine([]Want{{Key: run.Run.Key, Run: &run}})}.Text()
		if first, _, _ := strings.Cut(text, "\n"); !strings.HasSuffix(first, ": "+tt.sentence) || !strings.Contains(text, tt.passed) {
			t.Errorf("%s: got no %q and %q in\n%s", tt.name, tt.sentence, tt.passed, text)
		}
	}
}

// TestChoresAreOurs: the workflow has the jobs and steps that they are known by.
func TestChoresAreOurs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.github/workflows/autorun.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, jobs, _ := strings.Cut(string(text), "\njobs:\n")
	for name, step := range chores {
		_, job, ok := strings.Cut("\n"+jobs, "\n  "+name+":\n")
		for _, s := range []string{choreStep, step} {
			if !ok || !strings.Contains(job, `- name: "`+s+`"`) {
				t.Errorf("the job %s has no step %q", name, s)
			}
		}
		if strings.Count(jobs, `"`+step+`"`) != 1 {
			t.Errorf("the step %q is not in one job alone", step)
		}
	}
}
