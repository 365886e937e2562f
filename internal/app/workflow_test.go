// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"regexp"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

var (
	theCall = regexp.MustCompile(`/dispatches$`)
	theFile = regexp.MustCompile(`/contents/\.github/workflows/`)
	theAPI  = regexp.MustCompile(`^/repos/`)
)

// TestWorkflowCannotBeStarted puts one mistake after the other into the
// workflow. Nothing is claimed that could only be refused, patchsets are
// relayed meanwhile, and once the file is right each is tested once.
func TestWorkflowCannotBeStarted(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	for _, wrong := range []struct{ name, file string }{
		{"There is no such file.", ""},
		{"It lacks the trigger.", "on: push\n"},
		{"It requires what nobody gives.", "on: {workflow_dispatch: {inputs: {key: {required: true}, flavour: {required: true}, size: {required: true}}}}\n"},
		{"It allows other values only.", "on: {workflow_dispatch: {inputs: {key: {}, branch: {type: choice, options: [main, next]}}}}\n"},
		{"It has no inputs.", "on: workflow_dispatch\n"},
		{"It is not told what to test.", "run-name: ${{ inputs.key }}\non: {workflow_dispatch: {inputs: {key: {required: true}, project: {}}}}\n"},
		{"It is not YAML.", "on: [push\n::error::hello\n"},
		{"Its trigger is malformed.", "on: {workflow_dispatch: [1, 2]}\n"},
	} {
		c := s.push("ann", "bdev: "+wrong.name, nil)
		s.workflow("autorun.yml", wrong.file)
		s.says(wrong.name)
		s.pass(ExitConfiguration)
		for _, r := range s.writes() {
			if theCall.MatchString(r) {
				t.Errorf("%s: got the call %s", wrong.name, r)
			}
		}
		if got := s.mirror.Refs()[c.Ref()]; got != string(c.Revision()) {
			t.Errorf("%s: its patchset was not relayed", wrong.name)
		}
		s.workflow("autorun.yml", autorun)
		s.recovers(c)
	}
	s.endsWell()
}

// TestOneBrokenWorkflow stops no other one.
func TestOneBrokenWorkflow(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [autorun.yml, docs.yml, style.yml]")
	s.workflow("docs.yml", "on: [push\n")
	s.workflow("style.yml", "on: push\n")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitConfiguration)
	s.runs("101/1/autorun.yml/1")
	s.workflow("docs.yml", autorun)
	s.workflow("style.yml", autorun)
	s.endsWell(one)
	s.runs("101/1/autorun.yml/1", "101/1/docs.yml/1", "101/1/style.yml/1")
}

// TestFixedInputs are those that the configuration sets.
func TestFixedInputs(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [{file: autorun.yml, with: {flavor: debug}}]")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.says("The workflow declares another input.")
	s.workflow("autorun.yml", autorun+"      flavour: {required: true}\n")
	s.pass(ExitConfiguration)
	s.says("The configuration is corrected.")
	s.configure(defaultConfig("workflows: [{file: autorun.yml, with: {flavour: debug}}]"))
	s.pass(ExitDone)
	if got := s.github.Runs()[0].Inputs["flavour"]; got != "debug" {
		t.Errorf("the input is %q", got)
	}
	s.endsWell(one)
}

// TestGitHubAnswers lets GitHub's REST API answer wrongly.
func TestGitHubAnswers(t *testing.T) {
	t.Parallel()
	refusal := func(status int, text string) []faults.Rule {
		return one(faults.Rule{Path: theCall, Do: faults.Answer(status, `{"message":"`+text+`"}`, "Content-Type", "application/json")})
	}
	s := begin(t, "limits: {pace: 0s}")
	s.play(&s.github.Faults, []trouble{
		{"A login page answers.", one(faults.Rule{Path: theAPI, Do: page}), ExitConfiguration, 0},
		{"A login page answers the call.", one(faults.Rule{Path: theCall, Do: page}), ExitDone, 0},
		{"The workflow is disabled.", refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow"), ExitConfiguration, 0},
		{"The token may not start workflows.", refusal(403, "Resource not accessible by personal access token"), ExitConfiguration, 0},
		{"500 for everything.", one(faults.Rule{Path: theAPI, Do: faults.Answer(500, "oops")}), ExitFailed, 3 * time.Second},
		{"500 for the call: it may have been carried out.", one(faults.Rule{Path: theCall, Do: faults.Answer(500, "oops")}), ExitDone, 0},
		{"The answer to the call is lost, and it was carried out.", one(faults.Rule{Path: theCall, Do: faults.LoseReply()}), ExitDone, 0},
		{"The answer to the call is cut.", one(faults.Rule{Path: theCall, Do: faults.Truncate(20)}), ExitDone, 0},
		{"A rate limit for the call, with a time.", one(faults.Rule{Path: theCall, Do: faults.Answer(429, `{"message":"You have exceeded a secondary rate limit"}`, "Retry-After", "60")}), ExitFailed, 0},
		{"A rate limit for reading, with a time.", one(faults.Rule{Path: theFile, Times: 1, Do: faults.Answer(403, `{"message":"You have exceeded a secondary rate limit"}`, "Retry-After", "60")}), ExitDone, time.Minute},
		{"The hourly limit is spent.", one(faults.Rule{Path: theAPI, Do: faults.Answer(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999")}), ExitFailed, 0},
		{"The list of runs is not one.", []faults.Rule{{Path: regexp.MustCompile(`/actions/runs\?`), Do: faults.Answer(200, `{}`, "Content-Type", "application/json")}}, ExitFailed, 0},
	})
}
