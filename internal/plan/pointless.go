// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// pointless says why nobody waits for a run any more, or ""; known is false
// while that cannot be told.
func (b *builder) pointless(w *config.Workflow, r openRun) (reason string, known bool) {
	c, open := b.open[r.key.Change]
	if !open {
		return b.closedReason(r.key.Change)
	}
	if r.key.Patchset != c.Current.Number {
		if why := b.leftReason(c); why != "" {
			return why, true
		}
		if own := b.attempt(c.ID(), w.Name); own.number > 0 && own.from == 0 {
			return fmt.Sprintf("patchset %d replaced it", c.Current.Number), true
		}
		source, found, known := b.carrySource(c, w)
		if found && source.id == r.key.ID && source.number == r.key.Attempt {
			return "", true
		}
		return fmt.Sprintf("patchset %d replaced it", c.Current.Number), known
	}
	return b.leftReason(c), true
}

// leftReason says why a change is left alone that was taken before, or "".
func (b *builder) leftReason(c *change.Change) string {
	if why := b.filter.mode(c); why != "" {
		return fmt.Sprintf("the change is %s now", why)
	}
	if why := b.filter.scope(c); why != "" {
		return "the change is left out now: " + why
	}
	return ""
}

// closedReason asks Gerrit about a change that is not among the open ones: it
// may be closed, hidden from our account, or left out by the configured query.
func (b *builder) closedReason(number int) (string, bool) {
	if b.s.Closed == nil {
		b.plan.Needs.Closed = append(b.plan.Needs.Closed, number)
		return "", false
	}
	for _, c := range b.s.Closed {
		if c.Number == number {
			return "the change was " + statusText(c.Status), true
		}
	}
	if hidden, known := b.hidden(number); !known || !hidden {
		return "", false
	}
	return "the change is hidden from our account, or deleted", true
}

// hidden reports whether a change that is neither open nor closed is one that our
// account cannot see at all.
func (b *builder) hidden(number int) (hidden, known bool) {
	hidden, known = b.s.Hidden[number]
	if !known {
		b.plan.Needs.Hidden = append(b.plan.Needs.Hidden, number)
	}
	return hidden, known
}
