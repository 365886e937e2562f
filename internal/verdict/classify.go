// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Rules say how jobs are read. The zero value is of use. In patterns "**"
// stands for anything and "*" for anything without a space; they match whole
// names.
type Rules struct {
	// Ignore are the jobs that are left out, first of all the one that reports;
	// nil stands for ReportJobs. Of these, a job that the reporting one waited for
	// is none.
	Ignore []string `json:"ignore,omitempty"`
	// MayFail are jobs that are shown but do not decide.
	MayFail []string `json:"may_fail,omitempty"`
	// Setup are further names of steps that are not tests.
	Setup []string `json:"setup,omitempty"`
	// Rig are further names of steps that run a test by way of a program of ours,
	// which says whether the test or the rig failed (see Mark).
	Rig []string `json:"rig,omitempty"`
}

// JobResult is what became of one job.
type JobResult struct {
	Job     change.Job
	Outcome Outcome
	// Step is the name of the step that decided, if one did.
	Step string
	// Exit is the exit code of that step or of the test in it, -1 if it is not known.
	Exit int
	// Mark is what a program of ours said of the test, if it did.
	Mark *Mark
	// Doubt: it said different things, so none of them counts.
	Doubt bool
	// Memory: it failed where memory ran out.
	Memory bool
	// MayFail: the job does not decide.
	MayFail bool
}

// Duration is how long the job ran; 0 if that is not known.
func (r JobResult) Duration() time.Duration {
	if r.Job.Started.IsZero() || r.Job.Completed.Before(r.Job.Started) {
		return 0
	}
	return r.Job.Completed.Sub(r.Job.Started)
}

// reader reads jobs by compiled rules.
type reader struct {
	// reports are the patterns of ReportJobs among those of ignore.
	ignore, reports, mayFail patterns
	steps                    stepKinds
}

// ReportJobs are the names by which the reporting job is known where nothing else
// tells.
var ReportJobs = []string{"report", "** / report"}

// ending is what the dispatcher itself did to a run: what was cancelled was
// cancelled for a newer patchset, or because a comment asked for it.
type ending struct{ superseded, calledOff bool }

// cancelled says what became of something that was cancelled.
func (e ending) cancelled() Outcome {
	if e.superseded {
		return Superseded
	}
	return Cancelled
}

func (r Rules) compile() *reader {
	if r.Ignore == nil {
		r.Ignore = ReportJobs
	}
	var ignore, reports []string
	for _, name := range r.Ignore {
		if slices.Contains(ReportJobs, name) {
			reports = append(reports, name)
		} else {
			ignore = append(ignore, name)
		}
	}
	return &reader{
		ignore: newPatterns(ignore), reports: newPatterns(reports), mayFail: newPatterns(r.MayFail),
		steps: stepKinds{setup: newPatterns(r.Setup), rig: append(newPatterns(r.Rig), rigSteps...)},
	}
}

// job says what became of one job.
func (rd *reader) job(j change.Job, end ending) JobResult {
	r := JobResult{Job: j, Exit: -1, MayFail: rd.mayFail.match(j.Name)}
	switch j.Conclusion {
	case "success":
		r.Outcome = Passed
	case "skipped":
		r.Outcome = Skipped
	case "neutral":
		r.Outcome = Neutral
	case "action_required":
		r.Outcome = ActionRequired
	case "startup_failure":
		r.Outcome = StartupFailure
	case "stale":
		r.Outcome = Stale
	case "cancelled", "timed_out", "failure":
		rd.unsuccessful(&r, end)
	case "":
		r.Outcome = unconcluded(j)
	default:
		r.Outcome = Unknown
	}
	return r
}

// unconcluded reads a job without a conclusion. One that ended so with a step
// still open was cut off.
func unconcluded(j change.Job) Outcome {
	switch {
	case j.Status != "completed" && j.Status != "":
		return Running
	case gather(j).lost:
		return RunnerLost
	case len(j.Steps) > 0 && decisive(j.Steps) >= 0 && stepUnfinished(j.Steps[decisive(j.Steps)]):
		return RunnerLost
	}
	return Unknown
}

// unsuccessful reads a job that was cancelled, timed out or failed. GitHub uses
// these three words loosely (a job whose runner was killed "failed", one that
// reached its limit was "cancelled"), so the evidence is asked in turn.
func (rd *reader) unsuccessful(r *JobResult, end ending) {
	j, ev := fromAct(r.Job), gather(r.Job)
	at, in := decisive(j.Steps), testPhase
	if at >= 0 {
		in = rd.steps.phaseOf(j.Steps, at, j.FailedRun)
		r.Step = j.Steps[at].Name
		r.Mark, r.Doubt = rd.steps.markOf(j, j.Steps[at], ev.exit)
	}
	// A test that failed by itself has failed, whatever came later.
	failed := at >= 0 && (in == testPhase || r.Mark.patch()) && stepFailed(j.Steps[at])
	proven := failed && (!ev.maybeKilled() || r.Mark.test() || r.Mark.patch())
	killed := failed && ev.cancel && ev.signalled() && j.Conclusion == "failure"
	ours := end.superseded || end.calledOff
	switch {
	case ours && (j.Conclusion == "cancelled" || killed && !proven):
		r.Outcome = end.cancelled()
	case j.Conclusion == "cancelled" && at < 0 && j.Runner == "" && ev.dropped:
		r.Outcome = Dropped
	case !proven && (ev.jobLimit || j.Conclusion == "timed_out" && !failed):
		r.Outcome = timedOut(in)
	case !proven && (ev.lost || killed):
		r.Outcome = ev.loss()
	case j.Conclusion == "cancelled" && !(proven && ev.jobLimit):
		r.Outcome = Cancelled
	case at < 0:
		r.Outcome = stepless(j, ev)
	default:
		rd.byStep(r, ev, j.Steps[at], in)
	}
	r.Memory = ev.memory && r.Outcome == Failed
	if r.Mark.patch() { // what git printed on the way tells less
		r.Job.Told = change.LogReport{Failures: []change.Failure{{Text: r.Mark.Why}}}
	}
}

// timedOut reads a time limit that was reached in a phase.
func timedOut(in phase) Outcome {
	if in == testPhase {
		return TimedOut
	}
	return TimedOutSetup
}

// stepless reads a failure that no step shows.
func stepless(j change.Job, ev evidence) Outcome {
	switch {
	case len(j.Steps) > 0: // all of them are well
		return Unknown
	case ev.notStarted:
		return StartupFailure
	case j.ID != 0 && j.Runner == "":
		return RunnerLost
	}
	return Unknown
}

// byStep reads a failure from the step that shows it.
func (rd *reader) byStep(r *JobResult, ev evidence, step change.Step, in phase) {
	switch {
	case stepUnfinished(step):
		r.Outcome = ev.loss()
		return
	case stepCancelled(step):
		// Nobody cancelled the job, yet the runner was told to stop it.
		if r.Outcome = Unknown; ev.cancel {
			r.Outcome = ev.loss()
		}
		return
	}
	r.Exit = ev.exit
	switch {
	case ev.disk:
		r.Outcome = OutOfDisk
	case in != testPhase && ev.stepLimit:
		r.Outcome = TimedOutSetup
	case r.Mark.patch():
		r.Outcome, r.Exit = Failed, -1 // it is the checkout's own
	case in != testPhase, r.Mark.rig():
		r.Outcome = SetupFailed
	case r.Mark.test():
		r.Outcome, r.Exit = Failed, r.Mark.Exit
	case r.Mark != nil: // the test passed
		r.Outcome = SetupFailed
	case ev.exit == rigExit && rd.steps.isOurs(step, r.Job.FailedRun):
		r.Outcome = SetupFailed
	case ev.exit == -1 && ev.tool:
		r.Outcome = SetupFailed
	case r.Job.Unread: // what it ran would say whether it is a test
		r.Outcome = Unknown
	default:
		r.Outcome = Failed
	}
}
