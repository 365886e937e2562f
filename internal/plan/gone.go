// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// patience is how long a branch or a tag stays on the mirror that Gerrit shows no
// more. Gerrit answers alike where it was deleted and where our account lost the right
// to read it, and what leaves GitHub takes pull requests and releases with it: people
// have a day to see that a right is gone.
const patience = 24 * time.Hour

// leaving is what to do about one branch or tag that is gone from Gerrit.
type leaving struct {
	// since are the ledger's entries that say when it was first missed.
	since []Ref
	// until is how long it stays; zero if it leaves now.
	until time.Time
}

// leave looks up, or plans to note, when it was first missed. A name that Gerrit could
// not have beside those that it has (v1 beside v1/x) was deleted there for certain.
func (b *builder) leave(e change.Entry, inGerrit map[string]change.Revision) leaving {
	e.Kind, e.At = change.Gone, b.now
	l := leaving{since: b.s.Mirror.placed.gone[e.Branch+"\x00"+e.Tag]}
	var first time.Time
	for _, r := range l.since {
		if at := r.Entry.At; !at.After(b.now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	name := e.Branch + e.Tag
	inTheWay := false
	for other := range inGerrit {
		inTheWay = inTheWay || strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/")
	}
	switch {
	case inTheWay || change.CheckRef(b.p.Mirror.Ledger.Ref(e)) != nil:
		return l
	case first.IsZero():
		b.plan.Marks = append(b.plan.Marks, Mark{Entry: e, Old: l.since})
		first = b.now
	}
	if until := first.Add(patience); until.After(b.now) {
		l.until = until
	}
	return l
}

// returned drops what was noted about what is not missed any more.
func (b *builder) returned(of func(change.Entry) bool, missed func(change.Entry) bool) {
	for _, refs := range b.s.Mirror.placed.gone {
		for _, r := range refs {
			if of(r.Entry) && !missed(r.Entry) {
				b.plan.Stale = append(b.plan.Stale, r)
			}
		}
	}
}

// when is a time in a line.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
