// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Refusal is what the ledger remembers of something that was refused before: a
// patchset (Kind is change.Unrelayed) or a branch (change.Unmoved) by the mirror,
// a message on a change (change.Full) by Gerrit.
type Refusal struct {
	Kind change.EntryKind
	// Word is why: see change.RefusalText.
	Word string
	// Count is how often it was refused, in passes far enough apart, and At when:
	// the first time as long as Count is 1, then the latest. An older version of
	// this program noted no time: Count is 0 and At zero then.
	Count int
	At    time.Time
	// Revision is what was refused then.
	Revision change.Revision
	// Refs are all refs that say so.
	Refs []Ref
}

// A patchset that was refused once is only suspected: it is tried in each pass,
// quietly. Refused again after an hour it is believed to be at fault, and tried
// after ever longer waits. A person puts right what holds a branch or a change,
// so these are tried once a day at least.
const suspicion = time.Hour

var (
	patchsetWaits = []time.Duration{0, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
	borrowedWaits = patchsetWaits[:4]
	otherWaits    = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}
)

// maxCount bounds what is counted: more of them change nothing.
const maxCount = 9

// Known reports whether anything is remembered.
func (r Refusal) Known() bool { return len(r.Refs) > 0 }

// Next is when to try again, zero for at once.
func (r Refusal) Next() time.Time {
	waits := otherWaits
	switch {
	case r.Kind == change.Unrelayed && r.Word == change.Borrowed:
		waits = borrowedWaits
	case r.Kind == change.Unrelayed:
		waits = patchsetWaits
	}
	if r.Count == 0 {
		return time.Time{}
	}
	if wait := waits[min(r.Count, len(waits))-1]; wait > 0 {
		return r.At.Add(wait)
	}
	return time.Time{}
}

// Again is what to remember once it was refused at the time now, too. note is
// false where that adds nothing to what is known.
func (r Refusal) Again(now time.Time, word string) (next Refusal, note bool) {
	next = Refusal{Kind: r.Kind, Word: word, Count: 1, At: now, Refs: r.Refs}
	switch {
	case !r.Known():
	case r.Kind == change.Unrelayed && r.Count == 1 && now.Sub(r.At) < suspicion:
		return r, false
	case r.Count == 0:
		next.Count = 2
	default:
		next.Count = min(r.Count+1, maxCount)
	}
	return next, true
}

// Outlook says in words when it is tried again.
func (r Refusal) Outlook() string {
	if next := r.Next(); !next.IsZero() {
		return "tried again after " + next.UTC().Format("2006-01-02 15:04 UTC")
	}
	return "tried again in each pass"
}

// times says how often it was refused.
func (r Refusal) times() string {
	switch r.Count {
	case 0:
		return "noted by an older version"
	case 1:
		return "once, at " + r.At.UTC().Format("2006-01-02 15:04 UTC")
	default:
		return fmt.Sprintf("%d times, the last at %s", r.Count, r.At.UTC().Format("2006-01-02 15:04 UTC"))
	}
}
