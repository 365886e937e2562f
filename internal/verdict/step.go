// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// phase is what a step does for its job.
type phase int

const (
	testPhase phase = iota
	setupPhase
	teardownPhase
)

// setupSteps are the names that the runner and GitHub's own actions give to
// steps which test nothing, as the jobs API shows them; and the convention that
// a name beginning with "setup:" or "rig:" is not a test's.
var setupSteps = newPatterns([]string{
	"Set up job", "Set up runner", "Initialize containers", "Prepare all required actions",
	"Pull *", "Build container for action use**", "Build */*@*",
	"Run actions/checkout@*", "Run actions/setup-*", "Run actions/cache*", "Run actions/download-artifact@*",
	"Run docker/login-action@*", "Run docker/setup-*",
	"Checkout", "Checkout code", "Checkout repository", "Check out **",
	"setup:**", "Setup:**", "rig:**", "Rig:**",
})

var teardownSteps = newPatterns([]string{
	"Complete job", "Complete runner", "Stop containers", "Run actions/upload-artifact@*", "Run actions/cache/save@*",
})

// rigSteps run a test through a rig of ours whose exit code tells its own
// failures from the test's (see rigExit).
var rigSteps = newPatterns([]string{"guest:**", "Run dispatcher guest run **"})

// rigExit is the lowest exit code with which a rig says that it failed itself,
// as docker and env do.
const rigExit = 125

// stepKinds knows which steps of a job are tests.
type stepKinds struct{ setup, rig patterns }

// phaseOf says what the i-th step is for. The runner derives the names of the
// steps around an action from the action's own: "Post NAME" and "Pre NAME" are
// not tests where the job has a step NAME.
func (s stepKinds) phaseOf(all []change.Step, i int) phase {
	name := all[i].Name
	switch {
	case isAround(all, name, "Post "), teardownSteps.match(name):
		return teardownPhase
	case isAround(all, name, "Pre "), setupSteps.match(name), s.setup.match(name):
		return setupPhase
	}
	return testPhase
}

func isAround(all []change.Step, name, prefix string) bool {
	of, ok := strings.CutPrefix(name, prefix)
	return ok && slices.ContainsFunc(all, func(s change.Step) bool { return s.Name == of })
}

// decisive returns the index of the step that decided how the job ended: the
// first that failed, else the first that was cancelled, else the first that
// never ended; -1 if all is well with all of them.
func decisive(all []change.Step) int {
	for _, is := range []func(change.Step) bool{stepFailed, stepCancelled, stepUnfinished} {
		if i := slices.IndexFunc(all, is); i >= 0 {
			return i
		}
	}
	return -1
}

func stepFailed(s change.Step) bool {
	return s.Conclusion == "failure" || s.Conclusion == "timed_out"
}

func stepCancelled(s change.Step) bool { return s.Conclusion == "cancelled" }

func stepUnfinished(s change.Step) bool { return s.Conclusion == "" }

// maxName is how much of a name and of a pattern is looked at, in bytes.
const maxName = 500

// patterns match names as wholes. "**" stands for anything and "*" for
// anything without a space in it.
type patterns []*regexp.Regexp

func newPatterns(globs []string) patterns {
	var p patterns
	for _, g := range globs {
		s := regexp.QuoteMeta(strings.ToValidUTF8(g[:min(len(g), maxName)], ""))
		s = strings.ReplaceAll(s, `\*\*`, `.*`)
		s = strings.ReplaceAll(s, `\*`, `[^ ]*`)
		p = append(p, regexp.MustCompile(`(?s)^`+s+`$`))
	}
	return p
}

func (p patterns) match(name string) bool {
	name = change.Clip(name, maxName)
	return slices.ContainsFunc(p, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}
