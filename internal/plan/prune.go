// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxClosedLookups bounds how many changes are looked up for pruning in one
// pass: ten requests to Gerrit at most.
const maxClosedLookups = 500

// prune plans the deletion of refs of changes that were closed long enough ago.
// Only Gerrit's own word that a change is closed counts: a change that is merely
// absent from the list may be hidden by a filter or by a permission.
func (b *builder) prune() {
	keep, every := b.p.Prune.Keep, b.p.Prune.Every
	if keep <= 0 || b.now.Sub(b.s.Mirror.last(change.Pruned)) < every {
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
