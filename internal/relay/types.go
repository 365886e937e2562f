// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// Source is the review server's repository; *gitwire.Remote is one.
type Source interface {
	// Fetch opens the pack that holds the wants without what the haves reach.
	Fetch(ctx context.Context, q gitwire.FetchRequest) (io.ReadCloser, error)
}

// Mirror is the repository that patchsets go to; *gitwire.Remote is one.
type Mirror interface {
	ListRefs(ctx context.Context, prefixes []string, visit func(gitwire.Ref) error) error
	Push(ctx context.Context, q gitwire.PushRequest) (*gitwire.Report, error)
}

// Update is one change of one ref. An empty Old creates, an empty New deletes.
type Update struct {
	Ref      string
	Old, New change.Revision
}

// Item is one branch, one patchset or one tag with everything that is pushed for it.
type Item struct {
	// ID names the patchset; it is zero for a branch and for a tag, which goes with the
	// patchsets. Tags go in a Move of their own: what is refused costs fewer pushes then.
	ID change.ID
	// Want is the object that must be on the mirror.
	Want change.Revision
	// OnMirror says that it is there already: nothing is fetched for the item.
	OnMirror bool
	// Updates are the item's own ref, which goes to Want and may be absent,
	// and then its ledger refs. Deletes go through Relay.Delete.
	Updates []Update
	// Parents are the commit's parents where known; they tell relation chains.
	Parents []change.Revision
	// Haves are objects that the mirror has whole, worth offering for the item.
	Haves []change.Revision
	// Known, if set, must be an object that the source has too, or the item is
	// left alone with ErrForeign: where a branch is now, so that commits which
	// somebody else put on it are not lost.
	Known change.Revision
	// Suspect says that the mirror has refused it before: it is pushed by itself,
	// after all others, so that it costs them nothing.
	Suspect bool
	// Unbased says that it is not known whether the mirror has what the item builds
	// on: the pack may bring commits that others are to blame for.
	Unbased bool
}

// ErrForeign says that a branch of the mirror holds commits that the source
// does not have.
var ErrForeign = errors.New("it holds commits that Gerrit does not have")

// State is what became of one update.
type State int

const (
	// NotTried: nothing was pushed for it, or it was pushed and is known not to
	// have happened. The next pass may try again.
	NotTried State = iota
	// Done: the ref has the new value.
	Done
	// Existed: a ledger ref that was to be created is there already. For a
	// claim that means that somebody else won.
	Existed
	// Refused: the mirror answered that it will not do it.
	Refused
	// Unsettled: the mirror's answer was lost, and reading the refs again could
	// not tell whether this update or another writer's did it.
	Unsettled
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"not tried", "done", "existed", "refused", "unsettled"}[s]
}

// UpdateResult is an update with what became of it. Err is nil only for Done.
type UpdateResult struct {
	Update
	State State
	Err   error
}

// ItemResult is what became of an item: one result per update, in order.
type ItemResult struct {
	Updates []UpdateResult
	// Err is nil when all updates are Done.
	Err error
	// Refused is why the mirror does not take the item, by one of package change's
	// words, if it said so definitely: for a patchset a verdict over its own
	// content, or change.Borrowed where it brings commits of others along; for a
	// branch one that it is not to move there. It is never set for what may be
	// trouble of the mirror itself. One such answer is a suspicion; whoever remembers it should hear it twice.
	Refused string
}

// Relay moves objects and refs from Source to Mirror. All fields without a
// default must be set. It is not for use by several goroutines at once.
type Relay struct {
	Source Source
	Mirror Mirror
	// Allowed says whether a ref lies in a namespace that may be written.
	Allowed func(ref string) bool
	// MaxPack is the most bytes that one push may carry; 0 is DefaultMaxPack.
	MaxPack int64
	Sleep   func(ctx context.Context, d time.Duration) error
	Now     func() time.Time
	// Log, if set, gets one line per push and per wait, without secrets.
	Log func(format string, args ...any)

	spool  bool        // the mirror may want Content-Length
	over   *oversize   // the smallest pack that the mirror found too large, or nil
	pushed []time.Time // when the latest pushes began, oldest first
}

// DefaultMaxPack is GitHub's documented 2 GiB for one push less a margin: its
// server counts the pack after the bases of a thin one were added.
const DefaultMaxPack = 2<<30 - 64<<20

// maxPack is the most bytes that a push may carry, as far as is known.
func (r *Relay) maxPack() int64 {
	limit := int64(DefaultMaxPack)
	if r.MaxPack > 0 {
		limit = r.MaxPack
	}
	if r.over != nil {
		limit = min(limit, r.over.bytes-1)
	}
	return limit
}

func (r *Relay) logf(format string, args ...any) {
	if r.Log != nil {
		r.Log(format, args...)
	}
}

const tagPrefix = "refs/tags/"

// isTag reports whether an item's own ref is a tag.
func isTag(it Item) bool {
	return len(it.Updates) > 0 && strings.HasPrefix(it.Updates[0].Ref, tagPrefix)
}

// isLedger tells the bookkeeping refs from those of branches and patchsets.
func isLedger(ref string) bool {
	return strings.HasPrefix(ref, string(change.CustomLedger)) || strings.HasPrefix(ref, string(change.BranchLedger))
}
