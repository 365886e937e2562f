// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// maxClosedLookups bounds how many changes are looked up for pruning in one
// pass: ten requests to Gerrit at most.
const maxClosedLookups = 500

// prune plans the deletion of refs of changes that were closed long enough ago.
// Only Gerrit's own word that a change is closed counts: a change that is merely
// absent from the list may be hidden by a filter or by a permission.
func (b *builder) prune() {
	b.withdraw()
	b.withdrawHidden()
	keep, every := b.p.Prune.Keep, b.p.Prune.Every
	if keep <= 0 || b.now.Sub(b.last(change.Pruned)) < every {
		return
	}
	numbers := b.maybeClosed()
	if len(numbers) == 0 {
		return
	}
	if b.s.Closed == nil {
		b.plan.Needs.Closed = append(b.plan.Needs.Closed, numbers...)
		return
	}
	if !b.hiddenAmong(numbers) {
		return
	}
	b.mark(change.Pruned, b.now)
	for _, c := range b.s.Closed {
		age := b.now.Sub(c.Updated)
		refs := b.s.Mirror.Changes[c.Number]
		if _, open := b.open[c.Number]; open {
			continue
		}
		if c.Status != change.Merged && c.Status != change.Abandoned || age < keep || len(refs) == 0 {
			continue
		}
		b.add(Action{Verb: Prune, Number: c.Number, Refs: refs,
			Reason: fmt.Sprintf("%s %d days ago", statusText(c.Status), int(age.Hours()/24))})
	}
}

// hiddenAmong asks which of some changes that are not open our account cannot see
// any more; false while that is not known.
func (b *builder) hiddenAmong(numbers []int) bool {
	closed := map[int]bool{}
	for _, c := range b.s.Closed {
		closed[c.Number] = true
	}
	all := true
	for _, n := range numbers {
		if closed[n] {
			continue
		}
		_, known := b.hidden(n)
		all = all && known
	}
	return all
}

// withdraw takes the patchsets of changes off the mirror that are private now.
func (b *builder) withdraw() {
	if !b.p.Skip.Private {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(b.s.Mirror.Changes)) {
		if c, open := b.open[number]; open && c.Private {
			b.withdrawOne(number, "private")
			if b.withdrawn[number] {
				b.touch(c) // the list of changes may be old
			}
		}
	}
}

// withdrawHidden does so for changes that our account cannot see any more.
func (b *builder) withdrawHidden() {
	for _, number := range slices.Sorted(maps.Keys(b.s.Hidden)) {
		if _, open := b.open[number]; b.s.Hidden[number] && !open {
			b.withdrawOne(number, "hidden from our account, or deleted")
		}
	}
}

// withdrawOne plans that all refs that hold something of a change leave the
// mirror, once none of its runs goes on, or may be found still. How often each
// workflow was tried stays: no key is used twice.
func (b *builder) withdrawOne(number int, reason string) {
	refs := b.s.Mirror.Changes[number]
	latest, content := map[change.Key]int{}, false
	for _, r := range refs {
		content = content || r.Entry.Kind != change.Ended || r.Entry.Word != string(verdict.Superseded)
		if k := r.Entry.Key; k.Attempt > 0 && !slices.Contains([]change.EntryKind{change.Asked, change.Stopped, change.Left}, r.Entry.Kind) {
			attempt := k.Attempt
			k.Attempt = 0
			latest[k] = max(latest[k], attempt)
		}
	}
	ending := func(a Action) bool { return a.Verb == End && a.Key.Change == number }
	ends := slices.DeleteFunc(slices.Clone(b.plan.Actions), func(a Action) bool { return !ending(a) })
	if !content || b.withdrawn[number] || b.p.Report.On() && len(b.openRuns(number))+len(b.openClaims(number)) > len(ends) {
		return
	}
	b.withdrawn[number] = true
	b.plan.Actions = slices.DeleteFunc(b.plan.Actions, ending) // Keep says it
	a := Action{Verb: Prune, Number: number, Refs: refs, Reason: reason}
	for k, attempt := range latest {
		k.Attempt = attempt
		a.Keep = append(a.Keep, change.Entry{Kind: change.Ended, Key: k, ID: k.ID, Word: string(verdict.Superseded), At: b.now})
	}
	slices.SortFunc(a.Keep, func(x, y change.Entry) int { return strings.Compare(x.Key.String(), y.Key.String()) })
	a.Refs = slices.DeleteFunc(slices.Clone(refs), func(r Ref) bool { // what has the same name cannot be written and deleted
		return slices.ContainsFunc(a.Keep, func(e change.Entry) bool { return b.p.Mirror.Ledger.Ref(e) == r.Name })
	})
	b.add(a)
}

// maybeClosed are the changes with refs on the mirror that are not open. When
// there are more than one pass looks up, passes take turns over the list.
func (b *builder) maybeClosed() []int {
	var numbers []int
	for _, n := range slices.Sorted(maps.Keys(b.s.Mirror.Changes)) {
		if _, open := b.open[n]; !open {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) <= maxClosedLookups {
		return numbers
	}
	turn := int64(0)
	if every := b.p.Prune.Every; every > 0 {
		turn = b.now.UnixNano() / int64(every)
	}
	start := int(turn * maxClosedLookups % int64(len(numbers)))
	rotated := append(numbers[start:len(numbers):len(numbers)], numbers[:start]...)
	return rotated[:maxClosedLookups]
}

func statusText(s change.Status) string {
	if s == change.Merged {
		return "merged"
	}
	return "abandoned"
}
