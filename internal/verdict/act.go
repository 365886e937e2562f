// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// What act writes when a step and when a job has failed (pkg/runner/step.go and
// job_executor.go of nektos/act and of its forks; newer ones add how long a step
// took, and leave out the flag). It is the runner of Gitea and Forgejo.
var (
	actStepFailed = regexp.MustCompile(`^\s*\x{274c}\s+Failure - Main (.{1,500}?)(?: \[[\dhmsµ.]+\])?$`)
	actJobFailed  = regexp.MustCompile(`^(?:\x{1f3c1}\s+)?Job failed$`)
)

// actEnd is how near to its end the log must say that the job has failed.
const actEnd = 3

// fromAct gives a failed job whose server tells no steps, as Gitea 1.25.5 never
// does (seen: its API does not load them), the step that failed by the words of
// act. Without them nothing is known: Gitea also says failure of a job whose
// runner is gone.
func fromAct(j change.Job) change.Job {
	if j.Conclusion != "failure" || len(j.Steps) > 0 {
		return j
	}
	lines := tail(j.LogTail, maxTail)
	if !slices.ContainsFunc(lines[max(0, len(lines)-actEnd):], actJobFailed.MatchString) {
		return j
	}
	for _, line := range slices.Backward(lines) {
		m := actStepFailed.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name := m[1]
		if strings.Contains(name, "@") && actionPattern.MatchString(name) {
			name = "Run " + name // as GitHub calls a step without a name
		}
		j.Steps = []change.Step{{Number: 1, Name: name, Status: "completed", Conclusion: "failure"}}
		break
	}
	return j
}
