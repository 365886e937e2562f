// SPDX-License-Identifier: BSD-3-Clause

// Package config turns action inputs, a file and the environment into one
// validated value, and reports all problems at once, each with its place and
// what to do. It opens no connection: whether a name exists on a server is not
// its business.
package config

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Config is everything a pass must know. Values here are complete: defaults
// are filled in, secrets are read, names are checked.
type Config struct {
	// Command is what the program is asked to do when it has no arguments.
	Command string
	// DryRun asks to print what a pass would do and to change nothing.
	DryRun   bool
	Projects []Project
}

// Project is one Gerrit project, its mirror and the workflows that test it.
type Project struct {
	// Name is the project's name in Gerrit, slashes included.
	Name   string
	Gerrit Gerrit
	// KeyPrefix begins the keys of the project's runs, or is empty; see Server. OwnPrefix:
	// no other project has it.
	KeyPrefix string
	OwnPrefix bool
	Mirror    Mirror
	CI        CI
	// Branches are globs over target branches; those branches are also mirrored.
	Branches []string
	// Query is extra text for the Gerrit query, in Gerrit's own syntax.
	Query string
	// MaxAge leaves out changes that nobody touched for so long; 0 is no limit.
	MaxAge    time.Duration
	Skip      Skip
	Workflows []Workflow
	// RedParents is what patchsets do above one that failed.
	RedParents ParentPolicy
	Limits     Limits
	Report     Report
	Prune      Prune
	// Grace is how long a claim may stand without a run before the call that
	// should have started it counts as lost.
	Grace time.Duration
}

// Gerrit is a review server and the account used there.
type Gerrit struct {
	// URL is the base, a sub-path included (https://review.example.org/gerrit).
	URL string
	// Name tells several servers apart: the key-prefix of this one; empty for a single
	// one.
	Name     string
	Username string
	// Password is an HTTP password or auth token; empty for anonymous access.
	Password Secret
	// CAFile is a PEM file with extra certificate authorities, or empty.
	CAFile string
}

// Mirror is the git repository that patchsets are relayed to.
type Mirror struct {
	// Repository is OWNER/NAME, used in texts and, without URL, to make the URL.
	Repository string
	// URL is the repository's HTTP address for git.
	URL       string
	Namespace change.Namespace
	Ledger    change.Ledger
	// Tags has the mirror's tags follow Gerrit's.
	Tags bool
	// Username goes with a token; empty where any name will do.
	Username   string
	Credential Credential
	CAFile     string
}

// CI is the repository whose workflows are started.
type CI struct {
	// Repository is OWNER/NAME.
	Repository string
	// APIURL is the REST API's base (https://api.github.com).
	APIURL string
	// Ref is the branch whose workflow files run; empty is the default branch.
	Ref        string
	Credential Credential
}

// Credential says how to get a GitHub token. At most one of Token and App is set;
// with neither, the token that gh uses on this machine is looked up.
type Credential struct {
	Token Secret
	App   *App
	// Setting is the input or variable that it comes from, for hints.
	Setting string
}

// App is a GitHub App's installation as an alternative to a personal token.
type App struct {
	ID int64
	// InstallationID may be 0: it is then looked up for the repository.
	InstallationID int64
	// PrivateKey is the PEM text of the App's key.
	PrivateKey Secret
}

// Skip says which changes are left alone. Every skip is printed with its reason.
type Skip struct {
	WIP     bool
	Private bool
	// Subjects, Owners and Hashtags: a change that matches one is skipped.
	// Subjects are regular expressions (RE2); Owners are user names or e-mail
	// addresses with globs; Hashtags are exact.
	Subjects []string
	Owners   []string
	Hashtags []string
	// OnlyOwners, if not empty, leaves out all other owners.
	OnlyOwners []string
	// MinAge leaves a patchset alone until it is that old.
	MinAge time.Duration
}

// KindPolicy says what a patchset kind means for a workflow.
type KindPolicy string

const (
	// RunKind starts the workflow as for any other patchset.
	RunKind KindPolicy = "run"
	// CarryKind does not start it if the patchset before it was dispatched:
	// its result stands (Gerrit's copy condition carries the vote).
	CarryKind KindPolicy = "carry"
)

// Workflow is one workflow to start for each patchset.
type Workflow struct {
	// Name is the part of the run key: the file's base name or the event type.
	Name string
	// File is the workflow's base name in .github/workflows; empty with Event.
	File string
	// Event is the repository_dispatch event type; empty with File.
	Event string
	// Paths and PathsIgnore are globs with ** over the files of a patchset.
	Paths       []string
	PathsIgnore []string
	// Branches narrows the project's branches; empty is all of them.
	Branches []string
	// TrivialRebase and NoCodeChange are the policies for those kinds.
	TrivialRebase KindPolicy
	NoCodeChange  KindPolicy
	Trust         Trust
	// Inputs are the groups of inputs to send; empty is all groups. Only the
	// inputs that the workflow declares are ever sent.
	Inputs []InputGroup
	// With holds extra inputs with fixed values.
	With map[string]string
	// PostMerge workflows test the branch after a change was merged, and are none
	// of a patchset's.
	PostMerge bool
	// Optional workflows inform, but nobody waits for them and they do not vote.
	Optional bool
}

// ParentPolicy says what a patchset does while a change below it in its relation
// chain has a failed test.
type ParentPolicy string

const (
	// RunChildren tests it all the same.
	RunChildren ParentPolicy = "run"
	// HoldChildren lets it wait.
	HoldChildren ParentPolicy = "hold"
)

// InputGroup names a set of inputs that existing workflows may declare.
type InputGroup string

const (
	// DispatcherInputs are key, project, change, patchset, revision, ref,
	// branch and change_url.
	DispatcherInputs InputGroup = "dispatcher"
	// GerritInputs are Linux Foundation's nine GERRIT_* inputs.
	GerritInputs InputGroup = "gerrit"
	// PrototypeInputs is the single input branch in the prototype's meaning:
	// changes/NN/NNNNNN/P. It wins over the branch of DispatcherInputs.
	PrototypeInputs InputGroup = "prototype"
)

// Trust says what must be true before an author's patchset runs. The zero
// value lets everything run.
type Trust struct {
	// Label and Value: a vote of at least Value, given on the current patchset by
	// neither the owner nor its uploader, is enough. A negative one holds it.
	Label string
	Value int
	// Groups: an owner and an uploader in these Gerrit groups are enough, or an
	// uploader who wrote the patchset anew.
	Groups []string
}

// Required reports whether there is a gate at all.
func (t Trust) Required() bool { return t.Label != "" || len(t.Groups) > 0 }

// Limits bound one pass and what runs at once; 0 is no limit.
type Limits struct {
	PerPass  int // dispatches in one pass
	Running  int // unfinished runs of the CI repository
	PerOwner int // unfinished runs of one change owner
	// Pace is the time between two dispatch calls.
	Pace time.Duration
}

// Prune says when refs of closed changes leave the mirror.
type Prune struct {
	// Keep is how long after a change was closed its refs stay; 0 never prunes.
	Keep time.Duration
	// Every is the time between two looks for closed changes.
	Every time.Duration
}
