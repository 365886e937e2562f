// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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
	otherWaits    = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}
)

// maxCount bounds what is counted: more of them change nothing.
const maxCount = 9

// Known reports whether anything is remembered.
func (r Refusal) Known() bool { return len(r.Refs) > 0 }

// Next is when to try again, zero for at once.
func (r Refusal) Next() time.Time {
	waits := otherWaits
	if r.Kind == change.Unrelayed {
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

// skew is how far the clocks of those who write the ledger may differ.
const skew = 5 * time.Minute

// refusalOf makes one of what refs say. What is not plausible counts for nothing:
// a time to come, or one before the thing was there. Where refs differ, that counts
// which has it tried first, so that nobody silences anything by adding one.
func (b *builder) refusalOf(kind change.EntryKind, refs []Ref, since time.Time) Refusal {
	r := Refusal{Kind: kind}
	for _, ref := range refs {
		e := ref.Entry
		if old := e.Kind == change.Poisoned; !old && (e.At.After(b.now.Add(skew)) || e.At.Before(since.Add(-skew))) {
			continue
		}
		said := Refusal{Kind: kind, Word: e.Word, Count: e.Count, At: e.At}
		if !r.Known() || said.Next().Before(r.Next()) {
			said.Refs = r.Refs
			r = said
		}
		r.Refs = append(r.Refs, ref)
	}
	return r
}

// refusal is what is remembered of a change's current patchset. What the mirror
// holds it has not refused, whoever says so.
func (b *builder) refusal(c *change.Change) Refusal {
	if b.s.Mirror.patchset(c.ID()) != "" {
		return Refusal{Kind: change.Unrelayed}
	}
	var refs []Ref
	for _, ref := range b.s.Mirror.Changes[c.Number] {
		e := ref.Entry
		if (e.Kind == change.Unrelayed || e.Kind == change.Poisoned) && e.ID == c.ID() && e.Revision == c.Current.Revision {
			refs = append(refs, ref)
		}
	}
	return b.refusalOf(change.Unrelayed, refs, c.Current.Created)
}

// refusedBranch is what is remembered of a branch.
func (b *builder) refusedBranch(name string) Refusal {
	return b.refusalOf(change.Unmoved, b.s.Mirror.unmoved[name], time.Time{})
}

// maxRetried is how many patchsets that were refused before are tried in one pass:
// each costs a fetch and a push of its own.
const maxRetried = 8

// recall looks up which patchsets were refused before, and picks those that are
// tried again: those that are due, the longest waiting first.
func (b *builder) recall() {
	b.refused, b.retried = map[int]Refusal{}, map[int]bool{}
	for number, c := range b.open {
		if r := b.refusal(c); r.Known() {
			b.refused[number] = r
		}
	}
	due := slices.DeleteFunc(slices.Sorted(maps.Keys(b.refused)), func(n int) bool { return b.refused[n].Next().After(b.now) })
	slices.SortStableFunc(due, func(x, y int) int { return b.refused[x].At.Compare(b.refused[y].At) })
	for _, n := range due[:min(len(due), maxRetried)] {
		b.retried[n] = true
	}
}

// refusedReason says that this patchset, or one below it, is known to be refused
// by the mirror, and not tried in this pass.
func (b *builder) refusedReason(c *change.Change) string {
	if len(b.refused) == 0 {
		return ""
	}
	if r, refused := b.refused[c.Number]; refused && !b.retried[c.Number] {
		outlook := r.Outlook()
		if !r.Next().After(b.now) {
			outlook = fmt.Sprintf("%d others are tried again first", maxRetried)
		}
		return fmt.Sprintf("the mirror refuses this patchset: %s (%s); %s, a new patchset at once",
			change.RefusalText(r.Word), r.times(), outlook)
	}
	seen := map[change.Revision]bool{}
	next := slices.Clone(c.Current.Parents)
	for len(next) > 0 {
		rev := next[0]
		next = next[1:]
		if seen[rev] {
			continue
		}
		seen[rev] = true
		if parent, ok := b.tips[rev]; ok {
			if _, bad := b.refused[parent.Number]; bad {
				return fmt.Sprintf("held: the mirror refuses %s below it", parent.ID())
			}
			next = append(next, parent.Current.Parents...)
		}
	}
	return ""
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

// mute holds back what would be said on changes that take no more messages.
func (b *builder) mute() {
	b.plan.Full = map[int]Refusal{}
	for number := range b.open {
		refs := slices.DeleteFunc(slices.Clone(b.s.Mirror.Changes[number]), func(r Ref) bool { return r.Entry.Kind != change.Full })
		if r := b.refusalOf(change.Full, refs, time.Time{}); r.Known() {
			b.plan.Full[number] = r
		}
	}
	for i := range b.plan.Actions {
		a := &b.plan.Actions[i]
		if a.Verb != Answer && a.Verb != Report && a.Verb != Vote || a.Change == nil {
			continue
		}
		if a.Before = b.plan.Full[a.Change.Number]; a.Before.Next().After(b.now) {
			a.Reason = fmt.Sprintf("Gerrit takes no more messages on this change (%s); %s: %s", a.Before.times(), a.Before.Outlook(), cmp.Or(a.Reason, string(a.Verb)))
			a.Verb = Skip
		}
	}
}

// refusalBefore is what is remembered of a change that is relayed now.
func (b *builder) refusalBefore(c *change.Change) Refusal {
	if r, known := b.refused[c.Number]; known {
		return r
	}
	return Refusal{Kind: change.Unrelayed}
}

// forget plans that the ledger loses what it remembers of refusals that are over:
// of older patchsets, of what the mirror has, and of branches that are in place.
func (b *builder) forget() {
	for _, number := range slices.Sorted(maps.Keys(b.open)) {
		c := b.open[number]
		if b.withdrawn[number] {
			continue // all of it goes
		}
		for _, ref := range b.s.Mirror.Changes[number] {
			e := ref.Entry
			if (e.Kind == change.Unrelayed || e.Kind == change.Poisoned) && (e.ID.Patchset < c.Current.Number || b.s.Mirror.patchset(e.ID) == e.Revision) {
				b.plan.Stale = append(b.plan.Stale, ref)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.s.Mirror.unmoved)) {
		if tip, there := b.s.Source[name]; !there || b.s.Mirror.Branches[name] == tip {
			b.plan.Stale = append(b.plan.Stale, b.s.Mirror.unmoved[name]...)
		}
	}
}
