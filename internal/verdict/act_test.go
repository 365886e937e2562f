// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestJobsWithoutSteps reads what act says of a job whose steps nobody tells.
func TestJobsWithoutSteps(t *testing.T) {
	t.Parallel()
	job := func(lines ...string) change.Job { return logged(jobOf("failure"), lines...) }
	const stepFailed, jobFailed = "  \u274c  Failure - Main make test", "\U0001f3c1  Job failed"
	for name, c := range map[string]struct {
		job  change.Job
		want Outcome
		step string
	}{
		"a test":                  {job("not ok 1 - reset", stepFailed, "exitcode '1': failure", jobFailed), Failed, "make test"},
		"of a newer act":          {job(stepFailed+" [1.5s]", "Job failed"), Failed, "make test"},
		"the last one":            {job("  \u274c  Failure - Main lint", "Failed but continue next step", stepFailed, jobFailed), Failed, "make test"},
		"an action of GitHub's":   {job("  \u274c  Failure - Main actions/checkout@v4", jobFailed), SetupFailed, "Run actions/checkout@v4"},
		"the runner went away":    {job("ok 1 - reset"), Unknown, ""},
		"a test that prints it":   {job(stepFailed, jobFailed, "ok 2", "ok 3", "ok 4"), Unknown, ""},
		"no step that failed":     {job("failed to start the container", jobFailed), Unknown, ""},
		"no log":                  {job(), Unknown, ""},
		"steps are told":          {logged(jobOf("failure", "Set up job=failure"), stepFailed, jobFailed), SetupFailed, "Set up job"},
		"a job that was stopped":  {logged(jobOf("cancelled"), stepFailed, jobFailed), Cancelled, ""},
		"no runner ever took it":  {edited(job(), func(j *change.Job) { j.Runner = "" }), RunnerLost, ""},
		"a job that went through": {logged(jobOf("success"), stepFailed, jobFailed), Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Rules{}.compile().job(c.job, ending{})
			if got.Outcome != c.want || got.Step != c.step {
				t.Errorf("got %v of the step %q, want %v of %q", got.Outcome, got.Step, c.want, c.step)
			}
		})
	}
}
