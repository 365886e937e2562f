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
		said := Refusal{Kind: kind, Word: e.Word, Count: e.Count, At: e.At, Revision: e.Revision}
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

// waits reports whether a branch that was refused is not tried yet. One that moved since
// is tried after an hour: where it is allowed again, it need not wait for a day.
func (r Refusal) waits(tip change.Revision, now time.Time) bool {
	moved := r.Revision != tip && now.Sub(r.At) >= otherWaits[0]
	return r.Next().After(now) && !moved
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
	due := slices.DeleteFunc(slices.Sorted(maps.Keys(b.refused)), func(n int) bool { return !b.due(n) })
	slices.SortStableFunc(due, func(x, y int) int { return b.refused[x].At.Compare(b.refused[y].At) })
	for _, n := range due[:min(len(due), maxRetried)] {
		b.retried[n] = true
	}
}

// due reports whether a refused patchset is tried again. What was refused with commits
// that it brought along is another matter once these are on the mirror.
func (b *builder) due(number int) bool {
	r := b.refused[number]
	return !r.Next().After(b.now) || r.Word == change.Borrowed && b.based(b.open[number])
}

// based reports whether the mirror is known to have what a change builds on.
func (b *builder) based(c *change.Change) bool {
	return !slices.ContainsFunc(c.Current.Parents, func(p change.Revision) bool {
		for _, tip := range b.s.Mirror.Branches {
			if tip == p {
				return false
			}
		}
		below, open := b.tips[p]
		return !open || !b.s.Mirror.Holds(below.ID(), p)
	})
}

// refusedReason says that this patchset, or one below it, is known to be refused
// by the mirror, and not tried in this pass.
func (b *builder) refusedReason(c *change.Change) string {
	if len(b.refused) == 0 {
		return ""
	}
	if r, refused := b.refused[c.Number]; refused && !b.retried[c.Number] {
		outlook := r.Outlook()
		if b.due(c.Number) {
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
			if b.holds(parent) {
				return fmt.Sprintf("held: the mirror refuses %s below it", parent.ID())
			}
			next = append(next, parent.Current.Parents...)
		}
	}
	return ""
}

// holds reports whether a refused patchset holds those on top of it. One that is due
// and left alone itself, a draft say, is tried with what comes first on top of it:
// a refusal is remembered of that one, too, and a mistaken one ends there.
func (b *builder) holds(parent *change.Change) bool {
	_, refused := b.refused[parent.Number]
	return refused && (b.filter.reason(parent) == "" || !b.due(parent.Number))
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
		tip, there := b.s.Source[name]
		_, leaves := b.s.Mirror.Placed(name) // and may be kept from that
		if !there && !leaves || there && b.s.Mirror.Branches[name] == tip {
			b.plan.Stale = append(b.plan.Stale, b.s.Mirror.unmoved[name]...)
		}
	}
}
