// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// refusedReason says that this patchset, or one below it, is known to be
// refused by the mirror.
func (b *builder) refusedReason(c *change.Change) string {
	if len(b.refused) == 0 {
		return ""
	}
	if b.s.Mirror.poisoned(c.ID(), c.Current.Revision) {
		ref := b.p.Mirror.Ledger.Ref(change.Entry{Kind: change.Poisoned, ID: c.ID(), Revision: c.Current.Revision})
		return "the mirror refuses this patchset for good: upload another one, or delete the mirror's " + ref + " to have it tried again"
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
		if id, bad := b.refused[rev]; bad {
			return fmt.Sprintf("held: the mirror refuses %s below it", id)
		}
		if parent, ok := b.tips[rev]; ok {
			next = append(next, parent.Current.Parents...)
		}
	}
	return ""
}
