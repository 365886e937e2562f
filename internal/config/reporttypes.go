// SPDX-License-Identifier: BSD-3-Clause

package config

import "time"

// Report says what is told to Gerrit, and how results are read.
type Report struct {
	// Label is what is voted on; empty never votes.
	Label string
	// Messages are posted although there is no Label.
	Messages bool
	// Votes are votes by outcome, over the defaults of package verdict.
	Votes map[string]int
	// Retries bounds how often a workflow is started again for a patchset whose
	// run failed without a failed test.
	Retries int
	// RetryAfter is how long after the end of such a run its first, second, ...
	// retry starts; the last entry holds for all later ones. It is never empty
	// and does not decrease.
	RetryAfter []time.Duration
	// NothingToRun is what is told where every required workflow is left out.
	NothingToRun NothingPolicy
	// After is how long a pass leaves a run that has ended to the run's own report.
	After time.Duration
	// Started is what is told when runs start.
	Started StartedPolicy
	// Commands says which comments are obeyed.
	Commands Commands
	// Ignore, MayFail and Setup are patterns over the names of jobs and steps, as
	// in verdict.Rules.
	Ignore, MayFail, Setup []string
	Publish                Publish
	Comments               Comments
}

// Wait is the time from the end of a run that told nothing to its n-th retry.
func (r Report) Wait(n int) time.Duration {
	if len(r.RetryAfter) == 0 || n < 1 {
		return 0
	}
	return r.RetryAfter[min(n, len(r.RetryAfter))-1]
}

// Publish says where results are copied to for readers without a GitHub account.
// What is missing or wrong in it is found out when something is published: it
// must not keep a verdict from being told.
type Publish struct {
	On bool
	// Endpoint, Bucket, Region, Prefix and PathStyle are those of store.Options,
	// URL is its PublicURL.
	Endpoint, Bucket, Region, Prefix, PathStyle, URL string
	Key, Secret                                      Secret
	// Artifacts are globs over the names of artifacts.
	Artifacts []string
	Logs      bool
	// Keep is how long copies stay; 0 is for ever.
	Keep time.Duration
	// Time is how long copying may take in one process.
	Time time.Duration
}

// Comments says which test reports are read, and how many findings become comments
// on lines.
type Comments struct {
	// Files are globs over the paths of files in artifacts.
	Files []string
	// Max is the most comments of one report; 0 is none, and only the names of
	// failed tests are told.
	Max int
}

// On reports whether anything is told to Gerrit.
func (r Report) On() bool { return r.Label != "" || r.Messages }

// Obeys reports whether comments are read for commands.
func (r Report) Obeys() bool { return r.On() && !r.Commands.Off }

// StartedPolicy says what is told to Gerrit when runs of a patchset start.
type StartedPolicy string

const (
	// StartedOff tells nothing.
	StartedOff StartedPolicy = "off"
	// StartedMessage posts a message with the pages of the runs.
	StartedMessage StartedPolicy = "message"
	// StartedReset takes the earlier vote back, too.
	StartedReset StartedPolicy = "reset"
)

// NothingPolicy says what is told to Gerrit if paths and branches leave out every
// required workflow of a patchset.
type NothingPolicy string

const (
	// NothingVotes says so and votes as if all had passed.
	NothingVotes NothingPolicy = "vote"
	// NothingSilent tells nothing.
	NothingSilent NothingPolicy = "silent"
)

// Commands says whose comments are obeyed, and how often.
type Commands struct {
	Off bool
	// Owner and Groups: any one of them is enough; without both, everybody who is
	// registered is obeyed. "false positive" is for the owner, the uploader and Groups
	// only.
	Owner  bool
	Groups []string
	// CoolDown is the least time between two comments on a change that start runs.
	CoolDown time.Duration
	// Attempts bounds the attempts of a workflow for one patchset.
	Attempts int
	// Issues is OWNER/NAME whose issues "false positive: #N" speaks of; empty is
	// the mirror.
	Issues string
}
