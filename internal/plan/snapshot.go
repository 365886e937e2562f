// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Snapshot is what was observed. The maps that stand for seldom needed facts
// are nil until a plan asked for them in Needs.
type Snapshot struct {
	// Changes are the project's open changes.
	Changes []change.Change
	// Source are Gerrit's branches by short name.
	Source map[string]change.Revision
	// Tags are the objects of Gerrit's tags by short name: no more than MaxTags, of
	// TagCount.
	Tags     map[string]change.Revision
	TagCount int
	// Mirror is the mirror's ref list.
	Mirror *Mirror
	// Members are account ids by Gerrit group, for the groups of trust gates.
	Members map[string]map[int]bool

	// Fresh are the changes that were read again, one by one, in this pass: the
	// query's index may lag behind.
	Fresh map[int]bool
	// Dropped are changes that were listed and are not among Changes any more.
	Dropped []Dropped
	// Taken names the other project whose changes have run keys that begin so in the same
	// CI repository.
	Taken map[change.Key]string
	// Workflows are the workflow files that were read, by file name, at Ref.
	Workflows map[string]change.WorkflowFile
	// Ref is the branch of the CI repository that workflows run from.
	Ref string
	// Runs are the runs that GitHub knows by key; nil is not asked.
	Runs map[change.Key]change.Run
	// Busy are the runs that have not ended; nil is not asked.
	Busy []change.Run
	// Closed are those of Needs.Closed that Gerrit calls closed; nil is not asked.
	Closed []change.Change
	// Hidden says of those of Needs.Hidden whether our account cannot see them at
	// all.
	Hidden map[int]bool
	// RunsByID are the runs of Needs.RunIDs, those without an ID where GitHub does
	// not know them any more.
	RunsByID map[int64]change.Run
	// Comments tells of changes whose comments were asked for whether they were
	// read: they stand among the Messages then.
	Comments map[int]bool
	// Self is our own account's id in Gerrit; 0 is not asked. Called are the names
	// that people call it by.
	Self   int
	Called []string
	// Issues are what is known of the issues that comments name, and IssueTrouble why
	// some could not be read. IssuesLater is set where a later pass may read them.
	Issues       map[int]command.Issue
	IssueTrouble string
	IssuesLater  bool
	// Merged are changes that were merged of late; nil is not asked.
	Merged []change.Change
	// Origins say where commits come from that Needs.Origins asked for.
	Origins map[change.Revision]change.Origin
	// Private are all patchsets of the project's private changes that our account sees,
	// by commit; nil is not asked. NoPrivate says why they could not be read.
	Private   map[change.Revision]change.ID
	NoPrivate string
	// NoGitHub says why GitHub could not be asked, if it could not. Nothing is
	// dispatched then; patchsets are still relayed.
	NoGitHub string
}

// Needs are facts that would change the plan and were not observed yet.
type Needs struct {
	// Fresh are numbers of changes to read again before anything is done to them.
	Fresh []int
	// Workflows are file names in the CI repository.
	Workflows []string
	// Runs asks for the runs by key, created since RunsSince: no run is older than
	// the patchset that it tests.
	Runs      bool
	RunsSince time.Time
	// Busy asks for the runs that have not ended.
	Busy bool
	// Closed are numbers of changes that may be closed.
	Closed []int
	// Hidden are numbers of changes that may be hidden from our account.
	Hidden []int
	// Self asks for our own account.
	Self bool
	// RunIDs are runs whose state matters.
	RunIDs []int64
	// Comments are numbers of changes whose comments are to be read, Groups are
	// those of the people who may be obeyed, and Issues what comments name.
	Comments []int
	Groups   []string
	Issues   []int
	// Merged asks for the changes that were merged since then; zero does not.
	Merged time.Time
	// Origins are commits below a gated patchset that no open change is at.
	Origins []change.Revision
	// Private asks for the private changes.
	Private bool
}

// None reports whether the plan stands on complete facts.
func (n Needs) None() bool {
	return len(n.Fresh) == 0 && len(n.Workflows) == 0 && !n.Runs && !n.Busy && len(n.Closed) == 0 && len(n.Hidden) == 0 && !n.Self && len(n.RunIDs) == 0 &&
		len(n.Comments) == 0 && len(n.Groups) == 0 && len(n.Issues) == 0 && n.Merged.IsZero() && len(n.Origins) == 0 && !n.Private
}

// Verb says what an action does.
type Verb string

// The verbs, in the order in which a pass carries them out.
const (
	// Answer replies to comments that are commands. It comes before all else: what
	// it promises is planned once it is there.
	Answer Verb = "answer"
	// DropBranch deletes a branch of the mirror that Gerrit has no more. It comes before
	// others are moved, whose names may need that one's place.
	DropBranch Verb = "delete"
	// MirrorBranch moves a branch of the mirror to where it is in Gerrit.
	MirrorBranch Verb = "mirror"
	// MirrorTags has the mirror's tags follow Gerrit's. It is done last: nothing waits
	// for tags.
	MirrorTags Verb = "tag"
	// Relay brings a patchset to the mirror.
	Relay Verb = "relay"
	// Carry notes that an earlier patchset's result stands for this one.
	Carry Verb = "carry"
	// Ask notes that a comment asks for a run, CallOff that one calls it off.
	Ask     Verb = "ask"
	CallOff Verb = "call off"
	// Record notes the run of a claim that was found again.
	Record Verb = "record"
	// Doubt notes that a claim was seen without a run.
	Doubt Verb = "doubt"
	// Dispatch claims a run and starts it.
	Dispatch Verb = "dispatch"
	// Cancel stops a run that has become pointless.
	Cancel Verb = "cancel"
	// Report tells Gerrit about a run that ended without doing so itself.
	Report Verb = "report"
	// Judge notes how a run ended that nobody is told about now: its result stands
	// for a later patchset, or if the change comes back.
	Judge Verb = "judge"
	// Vote sets a vote that is owed: it was refused or taken back, or nobody told a
	// result, or nothing is to be run at all.
	Vote Verb = "vote"
	// End notes that nothing is left to do about a run.
	End Verb = "end"
	// Prune deletes the refs of a closed change.
	Prune Verb = "prune"
	// Wait does nothing yet: a limit, a gate or a grace time holds it.
	Wait Verb = "wait"
	// NoVerdict does nothing: the last run told nothing, and none is to come.
	NoVerdict Verb = "no verdict"
	// Skip does nothing: a filter says so.
	Skip Verb = "skip"
	// Fail does nothing: something is wrong that a person must put right.
	Fail Verb = "fail"
)

// Action is one line of a plan.
type Action struct {
	Verb   Verb
	Reason string
	// Hint tells a person what to do (Fail only).
	Hint string
	// Branch is set for MirrorBranch and DropBranch; Old is where the mirror's branch is
	// now.
	Branch string
	// Tags are those to create, move and delete (MirrorTags).
	Tags []Tag
	Old  change.Revision
	// Change is set for all verbs about an open change.
	Change *change.Change
	// Revision is what to move, relay, or point ledger refs at.
	Revision change.Revision
	// Key is set for all verbs about one run.
	Key change.Key
	// Call is what to ask GitHub for (Dispatch).
	Call change.Call
	// Rerun, if not 0, is the run whose failed jobs are run again instead of Call,
	// if GitHub still can (Dispatch).
	Rerun int64
	// Entry is what to note in the ledger (Ask, CallOff), if anything, before the run
	// is stopped (Cancel).
	Entry change.Entry
	// Reply is what to say, Asking are the accounts whom it answers, Excused are the
	// failures to note elsewhere first (Answer), and TakesBack is set where our vote
	// goes with that.
	Reply     string
	Asking    []int
	Excused   []Excuse
	TakesBack bool
	// Run is the run that was found (Record), or is looked after (Cancel, Report,
	// End).
	Run change.Run
	// Outcome is what to note of a run (End).
	Outcome verdict.Outcome
	// Standings are the workflows of the patchset (Report, Judge, Vote), Empty those
	// that filters leave out where no other is required (Vote).
	Standings []Standing
	Empty     []Standing
	// Refs are to be deleted (Prune, DropBranch; MirrorTags: once that is done), and
	// Keep is to be noted in place of them.
	Refs []Ref
	Keep []change.Entry
	// Number is the change, where Change is not set.
	Number int
	// Before is what is known of it, or of the branch, having been refused before
	// (MirrorBranch, DropBranch, MirrorTags, Relay, Answer, Report, Vote).
	Before Refusal
}

// Excuse is a failure that somebody calls known.
type Excuse struct {
	// Issues are open issues; Body is what to say there, and Mark a part of it by
	// which it is found again among the comments since then: one for each patchset.
	// Asked is when somebody asked for it.
	Issues []int
	Body   string
	Mark   string
	Since  time.Time
	Asked  time.Time
}

// Plan is what a pass has to do, in order.
type Plan struct {
	Needs   Needs
	Actions []Action
	// Idle says of the listed changes that no action is about why that is so, by
	// number.
	Idle map[int]Rest
	// Below are the open changes that a gate looked at for each change: what is done to
	// it waits where one of them must be read again.
	Below map[int][]int
	// Haves are mirror tips that a relay may offer for each change.
	Haves map[int][]change.Revision
	// Marks are what the ledger should say of when things were done.
	Marks []Mark
	// Full is what is known of open changes on which Gerrit took no more messages.
	Full map[int]Refusal
	// Stale are refs that remember a refusal which is of no interest any more.
	Stale []Ref
	// Warnings are what was seen and does not count.
	Warnings []string
}
