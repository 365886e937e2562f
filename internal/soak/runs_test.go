// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// truth is what an attempt of a run says about the patchset.
type truth string

const (
	going    truth = "going"     // it has not ended
	passed   truth = "passed"    // a result
	failed   truth = "failed"    // a result
	timedOut truth = "timed-out" // a result, without a vote
	neutral  truth = "neutral"   // all of it was skipped: neither yes nor no
	nothing  truth = "nothing"   // it ended and told nothing
)

// result reports whether it stands until somebody asks for more.
func (t truth) result() bool { return t == passed || t == failed || t == timedOut }

// way is how a run ends: what GitHub shows of it, and what that means by
// docs/verdicts.md.
type way struct {
	name  string
	means truth
	// weight is how often a run ends so.
	weight     int
	jobs       func(*github.Job, *github.Job) // edits two jobs that passed
	conclusion string                         // of the run where it does not follow from the jobs
	bare       bool                           // GitHub lists no jobs
	// needs are the results that the report job sees of the two jobs; empty
	// where it does not run, or could not know.
	needs [2]string
}

var ways = []way{
	{name: "pass", means: passed, weight: 45, needs: [2]string{"success", "success"}},
	{name: "fail", means: failed, weight: 20, needs: [2]string{"failure", "success"}, jobs: func(a, _ *github.Job) { fails(a) }},
	// Of docs/verdicts.md: the time limit of the whole job was reached while a
	// test ran.
	{name: "timeout", means: timedOut, weight: 4, needs: [2]string{"failure", "success"}, jobs: func(a, _ *github.Job) {
		a.Conclusion, a.Steps[1].Conclusion = "timed_out", "cancelled"
	}, conclusion: "failure"},
	// actions/runner: the words of a machine that went away.
	{name: "lost", means: nothing, weight: 7, needs: [2]string{"failure", "success"}, jobs: func(a, _ *github.Job) {
		a.Conclusion, a.Steps[1].Conclusion, a.Steps[1].Status = "failure", "", "in_progress"
		a.Annotations = []github.Annotation{{Level: "failure", Path: ".github", Text: "The self-hosted runner: runner-1 lost communication with the server."}}
	}},
	{name: "setup", means: nothing, weight: 4, needs: [2]string{"failure", "success"}, jobs: func(a, _ *github.Job) {
		a.Conclusion, a.Steps[0].Conclusion, a.Steps[1].Conclusion = "failure", "failure", "skipped"
	}},
	{name: "cancelled", means: nothing, weight: 4, needs: [2]string{"cancelled", "cancelled"}, jobs: func(a, b *github.Job) {
		a.Conclusion, a.Steps[1].Conclusion, b.Conclusion = "cancelled", "cancelled", "cancelled"
	}},
	{name: "dropped", means: nothing, weight: 3, bare: true, conclusion: "cancelled"}, // github/docs#30647
	{name: "startup", means: nothing, weight: 2, bare: true, conclusion: "startup_failure"},
	{name: "stale", means: nothing, weight: 1, bare: true, conclusion: "stale"},
	{name: "skipped", means: neutral, weight: 2, needs: [2]string{"skipped", "skipped"}, jobs: func(a, b *github.Job) {
		a.Conclusion, b.Conclusion, a.Steps, b.Steps = "skipped", "skipped", nil, nil
	}},
	// The jobs that are listed all passed, and the run did not (cli/cli#9341).
	{name: "liar", means: nothing, weight: 3, conclusion: "cancelled"},
	{name: "liar2", means: nothing, weight: 2, conclusion: "failure"},
	// continue-on-error: the job failed, the run did not (actions/runner#1161).
	{name: "may-fail", means: passed, weight: 3, needs: [2]string{"success", "success"}, jobs: func(a, _ *github.Job) { fails(a) }, conclusion: "success"},
}

func fails(j *github.Job) {
	j.Conclusion, j.Steps[1].Conclusion = "failure", "failure"
	j.Steps[1].Log = "not ok 2 - reset\n##[error]Process completed with exit code 1."
}

func wayOf(name string) (way, error) {
	for _, w := range ways {
		if w.name == name {
			return w, nil
		}
	}
	return way{}, fmt.Errorf("there is no way %q", name)
}

// draw picks a way for an attempt: always the same one for the same seed and
// place, whatever else happens.
func draw(seed uint64, place string) way {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", seed, place)
	total := 0
	for _, w := range ways {
		total += w.weight
	}
	n := int(h.Sum64() >> 1 % uint64(total))
	for _, w := range ways {
		if n -= w.weight; n < 0 {
			return w
		}
	}
	return ways[0]
}

// listed are the jobs that GitHub shows of a run that ended so.
func (w way) listed(now time.Time) []github.Job {
	if w.bare {
		return nil
	}
	begin := now.Add(-5 * time.Minute)
	job := func(name string) github.Job {
		return github.Job{
			Name: name, Status: "completed", Conclusion: "success", Started: begin, Completed: now, Runner: "runner-1",
			Steps: []github.Step{
				{Name: "Set up job", Status: "completed", Conclusion: "success", Started: begin, Completed: begin.Add(5 * time.Second)},
				{Name: "Run make test", Status: "completed", Conclusion: "success", Started: begin.Add(5 * time.Second), Completed: now},
			},
		}
	}
	a, b := job("unit"), job("docs")
	if w.jobs != nil {
		w.jobs(&a, &b)
	}
	return []github.Job{a, b}
}
