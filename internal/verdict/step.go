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

// runnerSteps are the names of the runner's own steps (actions/runner
// JobExtension.cs, ContainerOperationProvider.cs, ActionManager.cs).
var runnerSteps = map[string]phase{
	"Set up job": setupPhase, "Set up runner": setupPhase, "Initialize containers": setupPhase, "Prepare all required actions": setupPhase,
	"Stop containers": teardownPhase, "Complete job": teardownPhase, "Complete runner": teardownPhase,
}

// setupSteps are the names that GitHub's own actions give to steps which test
// nothing, as the jobs API shows them; and the convention that a name beginning
// with "setup:" or "rig:" is not a test's.
var setupSteps = newPatterns([]string{
	"Pull *", "Build container for action use**", "Build */*@*",
	"Run actions/checkout@*", "Run actions/setup-*", "Run actions/cache*", "Run actions/download-artifact@*",
	"Run docker/login-action@*", "Run docker/setup-*",
	"Checkout", "Checkout code", "Checkout repository", "Check out **",
	"setup:**", "Setup:**", "rig:**", "Rig:**",
})

var teardownSteps = newPatterns([]string{"Run actions/upload-artifact@*", "Run actions/cache/save@*"})

// Actions that test nothing, without their version, as OWNER/NAME or OWNER/NAME/PATH.
// Those that report on tests are not among them: they may fail because of the tests.
var (
	setupActions = newPatterns([]string{
		"actions/checkout", "actions/cache", "actions/cache/restore", "actions/download-artifact", "actions/create-github-app-token",
		"*/setup-*", "*/action-setup", "*/*-action-setup", "*/setup-*-action", "*/*-login-action", "*/*-login", "*/login-action", "*/login",
		"aws-actions/configure-aws-credentials", "google-github-actions/auth", "docker/metadata-action",
		"dawidd6/action-download-artifact", "robinraju/release-downloader",
		"*/rust-cache", "*/cache-apt-pkgs-action", "*/ccache-action", "*/sccache-action", "*/gha-setup-*",
		"*/free-disk-space", "*/maximize-build-space", "step-security/harden-runner", "tailscale/github-action", "webfactory/ssh-agent",
		"*/install-nix-action", "*/nix-installer-action", "*/rust-toolchain", "*/toolchain",
		"./.dispatcher/actions/*", "spdk-community-ci/dispatcher/actions/*",
	})
	teardownActions = newPatterns([]string{
		"actions/upload-artifact", "actions/upload-artifact/merge", "actions/cache/save", "actions/upload-pages-artifact", "actions/deploy-pages",
		"actions/attest", "actions/attest-*", "actions/upload-release-asset", "github/codeql-action/upload-sarif",
		"codecov/codecov-action", "coverallsapp/github-action", "softprops/action-gh-release", "peaceiris/actions-gh-pages",
		"slackapi/slack-github-action", "spdk-community-ci/dispatcher", "./.dispatcher",
	})
	actionPattern = regexp.MustCompile(`^(\./\S+|[\w.-]+/[\w./-]+)(?:@\S+)?$`)
)

// rigSteps run a test by way of a program of ours (see own), as far as their names
// tell.
var rigSteps = newPatterns([]string{"guest:**", "Run dispatcher guest run **", "Run dispatcher environments run **"})

// rigExit is the status with which our programs end where nothing ran, as docker
// and env do. It tells only where the program did not say more.
const rigExit = 125

// stepKinds knows which steps of a job are tests.
type stepKinds struct{ setup, rig patterns }

// phaseOf says what the i-th step is for. The runner derives the names of the
// steps around an action from the action's own: "Post NAME" and "Pre NAME" are
// not tests where the job has a step NAME. What a step ran, if that is known, says
// more than the name that people gave it.
func (s stepKinds) phaseOf(all []change.Step, i int, run string) phase {
	name := all[i].Name
	if p, ok := runnerSteps[name]; ok {
		return p
	}
	switch {
	case isAround(all, name, "Post "):
		return teardownPhase
	case isAround(all, name, "Pre "):
		return setupPhase
	}
	if p, ok := phaseOfRun(run); ok {
		return p
	}
	if p, ok := phaseOfAction(name); ok && run == "" { // which is GitHub's name for a step without one
		return p
	}
	switch {
	case teardownSteps.match(name):
		return teardownPhase
	case setupSteps.match(name), s.setup.match(name):
		return setupPhase
	}
	return testPhase
}

// phaseOfRun says what is known to be no test from what a step ran.
func phaseOfRun(run string) (phase, bool) {
	if p, ok := phaseOfAction(run); ok {
		return p, true
	}
	what, ok := strings.CutPrefix(run, "Run ")
	return setupPhase, ok && isSetupScript(what)
}

// phaseOfAction does so for actions. Of a script the name of a step has the first
// line alone.
func phaseOfAction(run string) (phase, bool) {
	what, ok := strings.CutPrefix(run, "Run ")
	m := actionPattern.FindStringSubmatch(change.Clip(what, maxName))
	if !ok || m == nil || !strings.Contains(what, "@") && !strings.HasPrefix(what, "./") {
		return testPhase, false
	}
	switch {
	case teardownActions.match(m[1]):
		return teardownPhase, true
	case setupActions.match(m[1]):
		return setupPhase, true
	}
	return testPhase, false
}

// isOurs reports whether a step ran a test by way of a program of ours: what it ran
// tells, or its name as long as that is not known.
func (s stepKinds) isOurs(step change.Step, run string) bool {
	if what, ok := strings.CutPrefix(run, "Run "); ok {
		return isOurScript(what)
	}
	return s.rig.match(step.Name)
}

// ourCheckout are the actions that say whether a patchset can be checked out at all:
// checkout, and source, which runs it. Forks of this repository keep its name.
var ourCheckout = regexp.MustCompile(`^(?:\./\.dispatcher|[\w.-]+/dispatcher)/actions/(?:checkout|source)(?:@\S+)?$`)

// isCheckout reports whether a step ran it: what it ran tells, or the names that
// autorun.yml gives to steps as long as that is not known.
func isCheckout(step change.Step, run string) bool {
	if run == "" {
		return step.Name == "setup: the source" || strings.HasPrefix(step.Name, "setup: check out the revision")
	}
	what, ok := strings.CutPrefix(run, "Run ")
	return ok && ourCheckout.MatchString(change.Clip(what, maxName))
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
