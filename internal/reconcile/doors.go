// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Reviews reads changes from Gerrit.
type Reviews interface {
	// Open returns the open changes of a project.
	Open(ctx context.Context, p *config.Project) ([]change.Change, error)
	// Change reads one change whole; found is false when it is gone.
	Change(ctx context.Context, a change.Address) (c change.Change, found bool, err error)
	// Closed returns those of a project's changes that are merged or abandoned.
	Closed(ctx context.Context, p *config.Project, numbers []int) ([]change.Change, error)
	// Hidden says which of a project's changes our account cannot see at all. What
	// it could not find out is not hidden; the map is good with an error, too.
	Hidden(ctx context.Context, p *config.Project, numbers []int) (map[int]bool, error)
	// Merged returns the changes of a project that were merged within that time.
	Merged(ctx context.Context, p *config.Project, age time.Duration) ([]change.Change, error)
}

// Origins tells where commits come from.
type Origins interface {
	// Origin says of a commit of a project which branches have it and what change it
	// is of; a commit that nobody knows is no error.
	Origin(ctx context.Context, p *config.Project, rev change.Revision) (change.Origin, error)
	// Private returns all patchsets of a project's private changes that our account
	// sees, by commit.
	Private(ctx context.Context, p *config.Project) (map[change.Revision]change.ID, error)
}

// Talk is what is said on changes.
type Talk interface {
	// Self is our own account.
	Self(ctx context.Context) (change.Account, error)
	// Replies returns the comments on a change's patchsets as wholes; its messages
	// come with the change.
	Replies(ctx context.Context, a change.Address) ([]change.Message, error)
	// Post posts on a revision and tells what Gerrit made of it; unsettled is set
	// when nobody can tell whether it was posted.
	Post(ctx context.Context, a change.Address, rev change.Revision, r change.Review) (posted change.Posted, unsettled bool, err error)
}

// Issues are those that comments may name.
type Issues interface {
	Issue(ctx context.Context, repository string, number int) (command.Issue, error)
	// Note comments on an issue, unless one of its comments since then holds the mark.
	Note(ctx context.Context, repository string, number int, body, mark string, since time.Time) error
}

// Rerunner runs the failed jobs of a run again.
type Rerunner interface {
	Rerun(ctx context.Context, repository string, runID int64) (change.Outcome, error)
}

// Groups tells who is in a Gerrit group.
type Groups interface {
	Members(ctx context.Context, group string) (map[int]bool, error)
}

// Refs lists the refs of a repository below any of the prefixes.
type Refs interface {
	ListRefs(ctx context.Context, prefixes []string, visit func(name string, rev change.Revision) error) error
}

// Mover changes the mirror.
type Mover interface {
	Move(ctx context.Context, branches, items []relay.Item) (branchResults, itemResults []relay.ItemResult)
	Delete(ctx context.Context, updates []relay.Update) []relay.UpdateResult
}

// Workflows reads the CI repository's workflow files.
type Workflows interface {
	DefaultBranch(ctx context.Context, repository string) (string, error)
	WorkflowFile(ctx context.Context, repository, ref, file string) (change.WorkflowFile, error)
}

// Runs lists the CI repository's workflow runs.
type Runs interface {
	// Runs returns the dispatched runs that were created since then.
	Runs(ctx context.Context, repository string, since time.Time) ([]change.Run, error)
	// Busy returns the runs that have not ended.
	Busy(ctx context.Context, repository string) ([]change.Run, error)
}

// RunReader reads one run; found is false when GitHub does not know it any more.
type RunReader interface {
	Run(ctx context.Context, repository string, id int64) (run change.Run, found bool, err error)
}

// Canceller stops a run; one that has ended already is no error.
type Canceller interface {
	Cancel(ctx context.Context, repository string, runID int64) error
}

// Reporter tells Gerrit about runs that ended.
type Reporter interface {
	// Report tells about a run.
	Report(ctx context.Context, p *config.Project, a plan.Action) (Told, error)
	// Judge tells nothing: it says how a run ended.
	Judge(ctx context.Context, p *config.Project, a plan.Action) (verdict.Outcome, error)
	// Vote tells what is owed, unless that has changed, and only if Gerrit takes the
	// vote.
	Vote(ctx context.Context, p *config.Project, a plan.Action) (Told, error)
}

// Told is what became of a report.
type Told struct {
	// Outcome is that of the run.
	Outcome verdict.Outcome
	// Note says for people what was posted, or why nothing was.
	Note string
	// Refused says why Gerrit did not take the vote, or is nil.
	Refused error
}

// Starter asks GitHub for a run. The run's ID is 0 where GitHub does not say.
type Starter interface {
	Dispatch(ctx context.Context, call change.Call) (change.Outcome, change.Run, error)
}

// Doors are the ways out of a pass.
type Doors struct {
	Reviews   Reviews
	Origins   Origins
	Groups    Groups
	Source    Refs
	Mirror    Refs
	Mover     Mover
	Workflows Workflows
	Runs      Runs
	Starter   Starter
	// The rest is used only for projects whose results are reported.
	RunReader RunReader
	Canceller Canceller
	Reporter  Reporter
	Talk      Talk
	Issues    Issues
	Rerunner  Rerunner
}
