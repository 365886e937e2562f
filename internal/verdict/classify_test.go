// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// What GitHub and the runner write about jobs, as found in the wild.
const (
	lostText     = "The self-hosted runner: lab-17 lost communication with the server. Verify the machine is running and has a healthy network connection."
	hostedText   = "The hosted runner: GitHub Actions 9 lost communication with the server. Anything in your workflow that terminates the runner process can cause this error."
	shutdownText = "The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled."
	cancelText   = "The operation was canceled."
	limitText    = "The job has exceeded the maximum execution time of 1h0m0s"
	oldLimitText = "The job running on runner GitHub Actions 3 has exceeded the maximum execution time of 10 minutes."
	stepText     = "The action 'Run make test' has timed out after 10 minutes."
	notTakenText = "The job was not acquired by Runner of type hosted even after multiple attempts"
	billingText  = "The job was not started because recent account payments have failed or your spending limit needs to be increased."
	strategyText = "Error when evaluating 'strategy' for job 'build'. .github/workflows/x.yml (Line: 41, Col: 15): Unexpected value ''"
	exit1        = "Process completed with exit code 1."
)

// jobOf makes a job that ended so, with steps given as "NAME=CONCLUSION".
func jobOf(conclusion string, names ...string) change.Job {
	j := change.Job{ID: 7, Name: "unit", Status: "completed", Conclusion: conclusion, Runner: "GitHub Actions 7"}
	for i, s := range names {
		name, c, _ := strings.Cut(s, "=")
		j.Steps = append(j.Steps, change.Step{Number: i + 1, Name: name, Status: "completed", Conclusion: c})
	}
	return j
}

// with adds remarks of level failure.
func with(j change.Job, remarks ...string) change.Job {
	for _, text := range remarks {
		j.Annotations = append(j.Annotations, change.Annotation{Level: "failure", Path: ".github", Text: text})
	}
	return j
}

func logged(j change.Job, lines ...string) change.Job {
	for _, line := range lines {
		j.LogTail = append(j.LogTail, "2026-11-24T12:11:59.9484027Z "+line)
	}
	return j
}

func edited(j change.Job, edit func(*change.Job)) change.Job {
	edit(&j)
	return j
}

// stepRan says what the failing step ran.
func stepRan(j change.Job, run string) change.Job {
	j.FailedRun = run
	return j
}

// What our programs say (internal/environments).
const (
	rigMark   = `{"v":1,"by":"rig","environment":"nvme","shard":1,"shards":1,"optional":false,"exit":251,"timed_out":false,"why":"the guest did not come up"}`
	patchMark = `{"v":1,"by":"patch","exit":1,"why":"the submodule dpdk wants a commit that is not there"}`
	testMark  = `{"v":1,"by":"test","environment":"nvme","shard":1,"shards":1,"optional":false,"exit":139,"timed_out":false}`
)

// marked adds what a program of ours says of a test.
func marked(j change.Job, text string) change.Job {
	j.Annotations = append(j.Annotations, change.Annotation{Level: "notice", Path: ".github", Title: MarkTitle, Text: text})
	return j
}

// jobCase is one way in which a job may end.
type jobCase struct {
	// says describes it in docs/verdicts.md; "" keeps it out of there.
	says string
	job  change.Job
	want Outcome
	// source is where it was read or seen, beyond what these tests have from GitHub's
	// documentation of its conclusions.
	source string
	// rules and what follows are those of the run.
	rules      Rules
	superseded bool
	calledOff  bool
}

// jobCases are shown in docs/verdicts.md in this order.
func jobCases() []jobCase {
	ok, test := "Set up job=success", "Run make test="
	ended := func(c string) change.Job { return jobOf(c, ok, test+c) }
	return []jobCase{
		{says: "`success`", job: ended("success"), want: Passed},
		{says: "`skipped`", job: jobOf("skipped"), want: Skipped},
		{says: "`neutral`", job: jobOf("neutral"), want: Neutral},
		{says: "`action_required`", job: jobOf("action_required"), want: ActionRequired},
		{says: "`stale`", job: jobOf("stale"), want: Stale},
		{says: "`startup_failure`", job: jobOf("startup_failure"), want: StartupFailure},
		{says: "none (null), status other than `completed`", job: change.Job{ID: 7, Status: "in_progress"}, want: Running},
		{says: "none (null), status `completed`", job: jobOf("", ok), want: Unknown},
		{says: "none (null), status `completed`, a step has not ended", job: jobOf("", ok, test), want: RunnerLost},
		{says: "a word that is not known here", job: jobOf("exploded"), want: Unknown},

		{says: "`failure`, the first step that failed is a test", job: with(ended("failure"), exit1), want: Failed},
		{says: "`failure`, a test step reached its own time limit", job: with(ended("failure"), stepText), want: Failed},
		{says: "`failure`, a test failed and then the runner was lost", job: with(ended("failure"), exit1, lostText), want: Failed},
		{says: "`failure`, a test step ended by a signal (exit code 130, 137, 143), nothing else is said", job: with(ended("failure"), "Process completed with exit code 137."), want: Failed},
		{says: "`failure`, a test step ended by a signal, and the runner was lost or told to stop", job: with(ended("failure"), "Process completed with exit code 143.", shutdownText, cancelText), want: RunnerLost},
		{says: "`failure`, the first step that failed is set-up: \"Set up job\", checkout, image pull, \"Initialize containers\"", job: with(jobOf("failure", ok, "Run actions/checkout@v7=failure", "Run make test=skipped"), exit1), want: SetupFailed},
		{says: "`failure`, the step is named \"setup: ...\" or \"rig: ...\"", job: jobOf("failure", ok, "rig: reserve a host=failure"), want: SetupFailed},
		{says: "`failure`, the step matches a configured set-up pattern", job: jobOf("failure", ok, "Reserve the lab=failure"), rules: Rules{Setup: []string{"Reserve **"}}, want: SetupFailed},
		{says: "`failure`, a test passed and a \"Post ...\" step failed", job: jobOf("failure", ok, "Run x/y@v1=success", "Run make test=success", "Post Run x/y@v1=failure"), want: SetupFailed},
		{says: "`failure`, the step ran an action that tests nothing (`actions/upload-artifact`, `actions/cache`, ...), whatever its name is", job: stepRan(jobOf("failure", ok, test+"success", "Upload test logs=failure"), "Run actions/upload-artifact@v4"), want: SetupFailed, source: "actions/upload-artifact#307"},
		{says: "`failure`, the step's script only fetches and installs (`apt-get install`, `docker pull`, `git clone`, ...)", job: with(stepRan(jobOf("failure", ok, "Install dependencies=failure"), "Run sudo apt-get update && sudo apt-get install -y gcc"), "Process completed with exit code 100."), want: SetupFailed, source: "apt-get(8)"},
		{says: "`failure`, the runner or an action of GitHub's says what failed (\"Docker pull failed\", \"Failed to CreateArtifact\", ...), and no script ended with an exit code", job: with(jobOf("failure", ok, "Collect=failure"), "Failed to CreateArtifact: Artifact storage quota has been hit. Unable to upload any new artifacts."), want: SetupFailed, source: "actions/upload-artifact#307"},
		{says: "`failure`, a test step of ours (\"guest: ...\") says that the rig failed", job: marked(with(jobOf("failure", ok, "guest: nvme=failure"), "Process completed with exit code 251."), rigMark), want: SetupFailed, source: "internal/environments"},
		{says: "`failure`, a test step of ours says that the test failed, whatever its exit code is (1, 125, 126 to 255)", job: marked(with(jobOf("failure", ok, "guest: nvme=failure"), "Process completed with exit code 139."), testMark), want: Failed, source: "internal/environments"},
		{says: "`failure`, the checkout of ours says that the patchset is at fault (a submodule of a commit that does not exist, a broken `.gitmodules`)", job: marked(with(stepRan(jobOf("failure", ok, "setup: check out the revision=failure"), "Run ./.dispatcher/actions/checkout"), exit1), patchMark), want: Failed, source: "actions/checkout"},
		{says: "`failure`, a test step of ours says nothing and ended with exit code 125", job: with(jobOf("failure", ok, "guest: nvme=failure"), "Process completed with exit code 125."), want: SetupFailed, source: "internal/app/guest.go"},
		{says: "`failure`, a test step of ours says nothing and ended otherwise", job: with(jobOf("failure", ok, "guest: nvme=failure"), "Process completed with exit code 251."), want: Failed, source: "internal/app/guest.go"},
		{says: "`failure`, any other step ended with any exit code, such as 125 to 255 (not found, crashed, ...)", job: with(ended("failure"), "Process completed with exit code 127."), want: Failed, source: "sh(1)"},
		{says: "`failure`, a set-up step reached its time limit", job: with(jobOf("failure", ok, "Check out the patchset=failure"), "The action 'Check out the patchset' has timed out after 5 minutes."), want: TimedOutSetup},
		{says: "`failure`, one of the last ten lines of the log ends in \"No space left on device\"", job: logged(with(ended("failure"), exit1), "cc1: error writing to /tmp/x.s: No space left on device", "##[error]"+exit1), want: OutOfDisk},
		{says: "`failure`, the runner says that it has no space left", job: with(jobOf("failure", ok, test), "System.IO.IOException: No space left on device : '/home/runner/_diag/Worker.log'"), want: OutOfDisk},
		{says: "`failure`, \"The job [running on runner ...] has exceeded the maximum execution time\", a test was running", job: with(jobOf("failure", ok, test+"cancelled"), limitText, cancelText), want: TimedOut},
		{says: "`failure`, the same, set-up was running", job: with(jobOf("failure", ok, "Run actions/checkout@v7=cancelled"), oldLimitText), want: TimedOutSetup},
		{says: "`failure`, \"The self-hosted runner lost communication\", \"The runner has received a shutdown signal\", ...", job: with(jobOf("failure", ok, test), lostText), want: RunnerLost},
		{says: "`failure`, no step failed, but one never ended", job: jobOf("failure", ok, "Run x/y@v1=success", test, "Post Run x/y@v1="), want: RunnerLost},
		{says: "`failure`, no step failed, one was stopped (\"The operation was canceled\")", job: with(jobOf("failure", ok, test+"cancelled"), cancelText), want: RunnerLost},
		{says: "`failure`, no step failed, one was stopped, nothing is said", job: jobOf("failure", ok, test+"cancelled"), want: Unknown},
		{says: "`failure`, all steps are well", job: jobOf("failure", ok, test+"success"), want: Unknown},
		{says: "`failure`, no steps, no runner", job: edited(jobOf("failure"), func(j *change.Job) { j.Runner = "" }), want: RunnerLost},
		{says: "`failure`, no steps, \"The job was not started because ...\", \"Error when evaluating ...\"", job: with(jobOf("failure"), billingText), want: StartupFailure},
		{says: "`failure`, only the result is known (`needs`)", job: change.Job{Name: "unit", Status: "completed", Conclusion: "failure"}, want: Unknown},

		{says: "`failure`, make or pytest ended with 2, and the runner was told to stop", job: with(ended("failure"), "Process completed with exit code 2.", shutdownText), want: RunnerLost, source: "actions/runner#4160"},
		{says: "`cancelled`", job: with(ended("cancelled"), cancelText), want: Cancelled},
		{says: "`cancelled` before it began, \"Canceling since a higher priority waiting request\"", job: with(edited(jobOf("cancelled"), func(j *change.Job) { j.Runner = "" }), "Canceling since a higher priority waiting request for 'autorun-7' exists"), want: Dropped, source: "geniusyield/atlas#92"},
		{says: "`cancelled`, a newer patchset is there", job: with(ended("cancelled"), cancelText), superseded: true, want: Superseded},
		{says: "`cancelled`, the job's time limit was reached while a test ran", job: with(ended("cancelled"), limitText, cancelText), want: TimedOut},
		{says: "`cancelled`, the job's time limit was reached after a test had failed", job: with(jobOf("cancelled", ok, test+"failure", "Run actions/upload-artifact@v6=cancelled"), exit1, limitText), want: Failed},
		{says: "`cancelled`, the runner was lost or none took the job", job: with(edited(jobOf("cancelled"), func(j *change.Job) { j.Runner = "" }), notTakenText), want: RunnerLost},
		{says: "`timed_out`, a test was running", job: jobOf("timed_out", ok, test+"cancelled"), want: TimedOut},
		{says: "`timed_out`, set-up or tear-down was running", job: jobOf("timed_out", "Set up job=cancelled"), want: TimedOutSetup},
		{says: "`timed_out`, a test had failed", job: with(jobOf("timed_out", ok, test+"failure"), exit1), want: Failed},

		// What a job prints is no proof of anything else.
		{job: edited(ended("failure"), func(j *change.Job) {
			j.Annotations = []change.Annotation{{Level: "failure", Path: "lib/x.c", Text: lostText}, {Level: "warning", Text: lostText}}
		}), want: Failed},
		{job: with(ended("failure"), "test says: "+lostText), want: Failed},
		{job: logged(with(ended("failure"), exit1), lostText, "##[error]"+lostText), want: Failed},
		{job: logged(with(ended("failure"), exit1), "write: No space left on device, as it should be", "1 of 9 failed"), want: Failed},
		{job: logged(with(ended("failure"), exit1), append([]string{"write: No space left on device"}, strings.Fields("a b c d e f g h i j")...)...), want: Failed},
		{job: logged(ended("failure"), "##[error]Process completed with exit code 143.", "##[error]"+shutdownText), want: RunnerLost},
		{job: logged(ended("failure"), "x: No space left on device (os error 28)"), want: OutOfDisk},
		{job: with(jobOf("failure", ok, test), hostedText), want: RunnerLost},
		{job: with(jobOf("failure", ok, test), lostText, "No space left on device"), want: OutOfDisk},
		{job: with(jobOf("failure"), strategyText), want: StartupFailure},
		{job: with(ended("success"), lostText, limitText), want: Passed},
		{job: with(ended("cancelled"), limitText), superseded: true, want: Superseded},
		// A run that is superseded may have failed before.
		{job: with(ended("failure"), exit1), superseded: true, want: Failed},
		{job: change.Job{}, want: Unknown},
		// What we stopped was stopped by us, whatever the runner makes of it.
		{job: with(edited(jobOf("cancelled"), func(j *change.Job) { j.Runner = "" }), "Canceling since a higher priority waiting request for 'x' exists"), superseded: true, want: Superseded},
		{job: with(ended("cancelled"), "Runner lab-1 did not respond to a cancelation request with 00:05:00."), calledOff: true, want: Cancelled, source: "CloudSnorkel/cdk-github-runners#537"},
		{job: with(ended("failure"), "Process completed with exit code 143.", cancelText), calledOff: true, want: Cancelled},
		{job: with(ended("failure"), exit1, cancelText), calledOff: true, want: Failed},
		{job: with(ended("cancelled"), "Canceling since a higher priority waiting request for 'x' exists", cancelText), want: Cancelled, source: "ncihtan/data-models#252"},
		{job: change.Job{Status: "a new word"}, want: Running},
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	for i, tt := range jobCases() {
		if got := tt.rules.compile().job(tt.job, ending{tt.superseded, tt.calledOff}).Outcome; got != tt.want {
			t.Errorf("case %d, %s: got %s, want %s: %+v", i, tt.says, got, tt.want, tt.job)
		}
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	steps := func(names ...string) (all []change.Step) {
		for _, n := range names {
			all = append(all, change.Step{Name: n})
		}
		return all
	}
	tests := []struct {
		steps []change.Step // the first is asked for
		want  phase
	}{
		{steps("Set up job"), setupPhase}, {steps("Set up runner"), setupPhase}, {steps("Initialize containers"), setupPhase},
		{steps("Run actions/checkout@v7"), setupPhase}, {steps("Run actions/setup-go@0123abc"), setupPhase},
		{steps("Pull ghcr.io/x/y:1"), setupPhase}, {steps("Build x/y@v1"), setupPhase}, {steps("setup: hugepages"), setupPhase},
		{steps("Pre Run x/y@v1", "Run x/y@v1"), setupPhase},
		{steps("Complete job"), teardownPhase}, {steps("Stop containers"), teardownPhase}, {steps("Run actions/upload-artifact@v6"), teardownPhase},
		{steps("Post Run x/y@v1", "Run x/y@v1"), teardownPhase},
		{steps("Post Run x/y@v1"), testPhase}, {steps("Post results"), testPhase}, {steps("POST /api"), testPhase},
		{steps("Pull request lint"), testPhase}, {steps("Build spdk"), testPhase}, {steps("Set up job and test"), testPhase},
		{steps("Checkout flow tests"), testPhase}, {steps("Run ./.github/actions/test"), testPhase}, {steps(""), testPhase},
		{steps("Run make\nsetup: x"), testPhase}, {steps("mysetup: x"), testPhase},
	}
	for _, tt := range tests {
		if got := (stepKinds{}).phaseOf(tt.steps, 0, ""); got != tt.want {
			t.Errorf("%q: got phase %d, want %d", tt.steps[0].Name, got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"report", "report", true}, {"report", "reporter", false}, {"** / report", "autorun / report", true},
		{"*", "a b", false}, {"*", "a/b", true}, {"**", "", true}, {"a*c", "abbc", true}, {"a.c", "abc", false},
		{"(x|y)+", "x", false}, {"(x|y)+", "(x|y)+", true}, {"a **", "a b\nc", true}, {"\xff", "", true},
		{"x**", strings.Repeat("x", 1<<20), true},
	}
	for _, tt := range tests {
		if got := newPatterns([]string{tt.pattern}).match(tt.name); got != tt.want {
			t.Errorf("%q on %.20q: got %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}
