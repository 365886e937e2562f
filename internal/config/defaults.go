// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// defaultFile is read when no other file is named and no Gerrit is given by
// inputs. GitHub keeps its own settings in that folder.
const defaultFile = ".github/dispatcher.yml"

// testReports are the names that tools give to their reports by themselves: Maven
// and Gradle (TEST-), CUnit (CUnitAutomated-Results.xml), NUnit (TestResult.xml),
// vstest (.trx).
var testReports = []pathGlob{"**/*junit*.xml", "**/TEST-*.xml", "**/CUnit*-Results.xml", "**/TestResult*.xml", "**/*.trx", "**/*.sarif"}

const day = 24 * time.Hour

// What holds where nothing is said. Each number names the failure it avoids.
const (
	// defaultCommand is what a scheduled job wants.
	defaultCommand = "sync"
	// defaultWorkflow is the file name that the prototype dispatched.
	defaultWorkflow = "autorun.yml"
	// defaultBranches takes every branch, as the prototype did: a change that
	// is never tested because its branch is in no list is a failure that nobody
	// sees, while a branch too many on the mirror costs one ref.
	defaultBranches = "**"
	// defaultMaxAge is the prototype's -age:6mon: a review that nobody touched
	// for half a year is dead, and a first pass must not test hundreds of them.
	defaultMaxAge = 180 * day
	// defaultSkipSubject is the prototype's -"[RFC]".
	defaultSkipSubject = `\[RFC\]`
	// defaultPerPass is the prototype's limit: at one pass every 15 minutes it
	// lets 20 runs start in an hour, far below GitHub's 500, and the first pass
	// over an old project does not flood the runners.
	defaultPerPass = 5
	// defaultRunning is how many jobs GitHub's free plan runs at once. A deeper
	// queue only grows stale: a job that waits a day for a self-hosted runner
	// is failed by GitHub, and the patchsets that it was for are replaced.
	defaultRunning = 20
	// defaultPace keeps dispatches below GitHub's secondary limit of about 80
	// content-creating requests a minute; its advice is one second between writes.
	defaultPace = time.Second
	// defaultGrace covers the calls of one pass (callsInAnHour at defaultPace)
	// and GitHub's delay until a new run is listed.
	defaultGrace = 10 * time.Minute
	// defaultKeep lets links in recent comments keep working after a merge,
	// without tens of thousands of refs, which make every push slow.
	defaultKeep = 14 * day
	// defaultEvery spares Gerrit the look for closed changes in most passes.
	defaultEvery = 6 * time.Hour
	// defaultRetries is one for each of retryTimes: a lost runner is mostly lost
	// once, a broken lab is back after some hours, and what is still broken the
	// day after wants a person.
	defaultRetries = 4
	// defaultAfter is ample for a report job that waits for a free runner.
	defaultAfter = 10 * time.Minute
	// defaultKeepResults is longer than most reviews take.
	defaultKeepResults = 30 * day
	// defaultPublishTime copies some 10 GB between two data centres, and ends
	// before the job does that README.md shows.
	defaultPublishTime = 3 * time.Minute
	// defaultCoolDown stops a person's second click and two programs that answer
	// each other; ten attempts are more than any flaky test deserves.
	defaultCoolDown = 2 * time.Minute
	defaultAttempts = 10
	// defaultTrustValue is the lowest vote that says yes.
	defaultTrustValue = 1
)

// retryTimes is when a run that told nothing is started again where nothing is
// said: at once, then after times in which a lab is often back.
func retryTimes() []duration {
	return []duration{0, duration(time.Hour), duration(6 * time.Hour), duration(day)}
}

// maxRetryTimes bounds the list; a schedule of more steps is a slip.
const maxRetryTimes = 20

// callsInAnHour stands for "no limit per pass" where a time must be worked out:
// GitHub's secondary limit on content-creating requests in one hour.
const callsInAnHour = 500

// maxFile bounds the configuration file; SPDK's has a few hundred bytes.
const maxFile = 1 << 20

// maxProblems is how many problems are told at once; nobody reads more.
const maxProblems = 100

// maxValues bounds what aliases can blow a file up to.
const maxValues = 100_000

// builtin returns the settings that hold where neither the project nor the
// file's defaults say anything.
func builtin() settings {
	return settings{
		Mirror:     mirror{Namespace: namespace(change.CustomRefs), Ledger: ledger(change.CustomLedger), Tags: true},
		Branches:   []branchGlob{defaultBranches},
		MaxAge:     duration(defaultMaxAge),
		Skip:       skip{WIP: true, Private: true, Subjects: []pattern{defaultSkipSubject}},
		Workflows:  []workflow{{File: defaultWorkflow}},
		Limits:     limits{PerPass: defaultPerPass, Running: defaultRunning, Pace: duration(defaultPace)},
		RedParents: parentPolicy(RunChildren),
		Report: report{Started: startedPolicy(StartedOff), Commands: commands{CoolDown: duration(defaultCoolDown), Attempts: defaultAttempts},
			Retries: defaultRetries, RetryAt: retryTimes(), After: duration(defaultAfter), Nothing: nothingPolicy(NothingVotes),
			Publish: publish{
				PathStyle: pathStyle(pathStyles[0]), Artifacts: []pathGlob{"**"}, Logs: true,
				Keep: duration(defaultKeepResults), Time: duration(defaultPublishTime),
			},
			Comments: comments{Files: slices.Clone(testReports), Max: verdict.MaxComments},
		},
		Prune: prune{Keep: duration(defaultKeep), Every: duration(defaultEvery)},
		Grace: duration(defaultGrace),
	}
}
