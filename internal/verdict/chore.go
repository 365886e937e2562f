// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// chores are the jobs of our own autorun.yml that test nothing, each with a step
// that no other job has. Nobody who writes a patch chooses either.
var chores = map[string]string{
	"plan":   "setup: plan the jobs",
	"source": "setup: check out the revision, and pack it with its permissions",
	"lab":    "rig: wait for the lab's runners",
}

// choreStep is a step that all of them have.
const choreStep = "setup: the dispatcher at this workflow's own commit"

// isChore reports whether a job is one that only prepares the tests of others.
func isChore(j change.Job) bool {
	step, ok := chores[lastName(j)]
	return ok && hasStep(j, step) && hasStep(j, choreStep)
}

func hasStep(j change.Job, name string) bool {
	return slices.ContainsFunc(j.Steps, func(s change.Step) bool { return s.Name == name })
}

// counted are the jobs that decide, as people count them: without those that did
// their part in preparing the tests, unless there are no others.
func (r RunResult) counted() []JobResult {
	all := r.decided()
	tests := slices.DeleteFunc(slices.Clone(all), func(j JobResult) bool { return j.Outcome == Passed && isChore(j.Job) })
	if len(tests) == 0 {
		return all
	}
	return tests
}

// stepMarks begin names of steps, by the convention that says which are no tests: it
// is for programs.
var stepMarks = []string{"guest: ", "rig: ", "setup: ", "Rig: ", "Setup: "}

// spoken is a step's name as people say it.
func spoken(step string) string {
	for _, mark := range stepMarks {
		if rest, ok := strings.CutPrefix(step, mark); ok && strings.TrimSpace(rest) != "" {
			return rest
		}
	}
	return step
}
