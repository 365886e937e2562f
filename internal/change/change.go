// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"regexp"
	"time"
)

// Revision is a commit's object id: 40 lower-case hex digits. The zero value
// means "none".
type Revision string

// ZeroRevision is git's null object id: on the wire it stands for "no ref".
const ZeroRevision Revision = "0000000000000000000000000000000000000000"

var revisionPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)

// ParseRevision checks an object id as Gerrit and git write it.
func ParseRevision(s string) (Revision, error) {
	if !revisionPattern.MatchString(s) || Revision(s) == ZeroRevision {
		return "", fmt.Errorf("%q is not a commit id of 40 lower-case hex digits", Clip(s, 60))
	}
	return Revision(s), nil
}

// Short returns the first ten digits, for people.
func (r Revision) Short() string { return string(r[:min(len(r), 10)]) }

// Kind is how a patchset differs from the one before it (Gerrit's ChangeKind).
type Kind string

// The change kinds of Gerrit's REST documentation (RevisionInfo.kind).
const (
	Rework                 Kind = "REWORK"
	TrivialRebase          Kind = "TRIVIAL_REBASE"
	TrivialRebaseMessage   Kind = "TRIVIAL_REBASE_WITH_MESSAGE_UPDATE"
	MergeFirstParentUpdate Kind = "MERGE_FIRST_PARENT_UPDATE"
	NoCodeChange           Kind = "NO_CODE_CHANGE"
	NoChange               Kind = "NO_CHANGE"
)

// Status is a change's state in Gerrit.
type Status string

// The states of Gerrit's REST documentation (ChangeInfo.status).
const (
	New       Status = "NEW"
	Merged    Status = "MERGED"
	Abandoned Status = "ABANDONED"
)

// Account is a Gerrit user. Every field but ID may be empty or hostile text.
type Account struct {
	ID       int    `json:"id"`
	Username string `json:"username,omitempty"`
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
}

// Vote is one account's vote on one label of a change's current patchset.
type Vote struct {
	Label   string  `json:"label"`
	Value   int     `json:"value"`
	Account Account `json:"account"`
	// At is when it was given; zero where Gerrit does not say. Of a vote that was
	// copied from an earlier patchset it is that time or a later one (ApprovalInfo.date).
	At time.Time `json:"at,omitzero"`
}

// Patchset is one revision of a change.
type Patchset struct {
	Number   int       `json:"number"`
	Revision Revision  `json:"revision"`
	Kind     Kind      `json:"kind,omitempty"`
	Created  time.Time `json:"created"`
	Uploader Account   `json:"uploader"`
	// Parents are the commit's parents; nil until details were read.
	Parents []Revision `json:"parents,omitempty"`
}

// Change is a review as Gerrit describes it, at its current patchset.
type Change struct {
	Project  string `json:"project"`
	Number   int    `json:"number"`
	ChangeID string `json:"change_id"`
	// Imported: it came from another server with its number, which a change of this one
	// may have, too.
	Imported bool      `json:"imported,omitempty"`
	Branch   string    `json:"branch"`
	Topic    string    `json:"topic,omitempty"`
	Subject  string    `json:"subject"`
	Status   Status    `json:"status"`
	Owner    Account   `json:"owner"`
	WIP      bool      `json:"wip,omitempty"`
	Private  bool      `json:"private,omitempty"`
	Hashtags []string  `json:"hashtags,omitempty"`
	Updated  time.Time `json:"updated"`
	// Submitted is when it was merged; zero for all others.
	Submitted time.Time `json:"submitted,omitzero"`
	Current   Patchset  `json:"current"`

	// The rest is read only for changes that a pass may act on.

	// Files are the paths that the current patchset touches, magic files
	// (/COMMIT_MSG, /MERGE_LIST) left out.
	Files []string `json:"files,omitempty"`
	// Votes are all non-zero votes on the current patchset.
	Votes []Vote `json:"votes,omitempty"`
	// Messages are the change's message list, oldest first.
	Messages []Message `json:"messages,omitempty"`
	// DependsOn is what its commit message names in "Depends-On:" lines.
	DependsOn []string `json:"depends_on,omitempty"`
	// Earlier are the patchsets before the current one, oldest first.
	Earlier []Patchset `json:"earlier,omitempty"`
}

// Origin is where a commit comes from that is the current patchset of no open change
// at hand.
type Origin struct {
	// Branches have it in their history, as far as is known.
	Branches []string
	// Change is one that has or had it as a patchset, with the parents of all its
	// patchsets; nil if none is seen.
	Change *Change
}

// ID returns the change's current patchset as a pair of numbers.
func (c Change) ID() ID { return ID{Change: c.Number, Patchset: c.Current.Number} }

// ID names one patchset of one change of one Gerrit server.
type ID struct {
	Change   int `json:"change"`
	Patchset int `json:"patchset"`
}

// String returns "12345/6".
func (id ID) String() string { return fmt.Sprintf("%d/%d", id.Change, id.Patchset) }

// Valid reports whether both numbers are positive.
func (id ID) Valid() bool { return id.Change > 0 && id.Patchset > 0 }
