// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// waiting is one run that should be started as soon as the limits allow.
type waiting struct {
	change *change.Change
	decision
	// depth counts the open changes below it: a chain is tested from below.
	depth int
}

// since is when the patchset came, by which its owner's queue is ordered.
func (w waiting) since() time.Time { return w.change.Current.Created }

// schedule turns the queue into dispatches, as far as the limits allow; the
// rest waits and is told its place.
func (b *builder) schedule() {
	if len(b.queue) == 0 {
		return
	}
	if b.s.NoGitHub != "" {
		for _, w := range b.queue {
			b.wait(w, b.s.NoGitHub)
		}
		return
	}
	usable := b.startable()
	limits := b.p.Limits
	if (limits.Running > 0 || limits.PerOwner > 0) && b.s.Busy == nil {
		b.plan.Needs.Busy = true
	}
	running, byOwner := b.busy()
	started, place := 0, 0
	for _, w := range b.mirroredFirst(takeTurns(usable, byOwner)) {
		owner := w.change.Owner.ID
		if reason := b.limitReason(started, running, byOwner[owner]); reason != "" {
			place++
			b.wait(w, fmt.Sprintf("%s; place %d in the queue", reason, place))
			continue
		}
		started++
		running++
		byOwner[owner]++
		b.dispatch(w)
	}
}

// mirroredFirst lets patchsets go first that are on the mirror already. All
// that waits is relayed in its first pass, so they have waited longer; and a
// patchset that the mirror refuses in each pass anew cannot hold up the others.
func (b *builder) mirroredFirst(queue []waiting) []waiting {
	missing := func(w waiting) int {
		if b.s.Mirror.patchset(w.change.ID()) == "" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(queue, func(x, y waiting) int { return missing(x) - missing(y) })
	return queue
}

func (b *builder) wait(w waiting, reason string) {
	b.add(Action{Verb: Wait, Change: w.change, Key: b.key(w.change, w.workflow, w.attempt), Reason: reason})
}

func (b *builder) dispatch(w waiting) {
	b.touchChain(w.change, w.workflow.Trust)
	key := b.key(w.change, w.workflow, w.attempt)
	b.add(Action{
		Verb: Dispatch, Change: w.change, Key: key, Revision: w.change.Current.Revision,
		Reason: w.reason + b.dependsText(w.change), Call: b.call(w.change, w.workflow, key), Rerun: w.rerun,
	})
}

// dependsText tells people what a patchset says it depends on. It is tested as it
// is all the same.
func (b *builder) dependsText(c *change.Change) string {
	var parts []string
	for _, text := range c.DependsOn {
		for _, n := range slices.Sorted(maps.Keys(b.open)) {
			if other := b.open[n]; other.Names(text) {
				text = fmt.Sprintf("%s, which is open", other.ID())
				break
			}
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	return change.Clip("; depends on "+strings.Join(parts, " and "), 300)
}

// limitReason says which limit is reached, or "".
func (b *builder) limitReason(started, running, ofOwner int) string {
	l := b.p.Limits
	perPass := l.PerPass
	// A claim must be followed by its call well within the grace time, or the
	// next pass would take the call for lost.
	if l.Pace > 0 && b.p.Grace > 0 {
		fit := max(1, int(b.p.Grace/2/l.Pace))
		if perPass == 0 || fit < perPass {
			perPass = fit
		}
	}
	switch {
	case l.Running > 0 && running >= l.Running:
		return fmt.Sprintf("%d runs are busy, limit %d", running, l.Running)
	case l.PerOwner > 0 && ofOwner >= l.PerOwner:
		return fmt.Sprintf("its owner has %d busy runs, limit %d", ofOwner, l.PerOwner)
	case perPass > 0 && started >= perPass:
		return fmt.Sprintf("limit of %d dispatches a pass", perPass)
	}
	return ""
}

// busy counts unfinished runs of the configured workflows, all and by owner.
// Other runs of the CI repository, such as the one this pass may itself be part
// of, are not ours to count.
func (b *builder) busy() (running int, byOwner map[int]int) {
	byOwner = map[int]int{}
	ours := map[string]bool{}
	for _, w := range b.p.Workflows {
		ours[w.File] = w.File != ""
	}
	for _, r := range b.s.Busy {
		key, keyed := r.Key()
		if !keyed && !ours[r.Workflow] {
			continue
		}
		running++
		if c, ok := b.open[key.Change]; keyed && ok && key.Server == b.p.Server(c.Imported) {
			byOwner[c.Owner.ID]++
		}
	}
	return running, byOwner
}

// takeTurns orders the queue so that owners take turns and each owner's oldest
// patchset goes first. Who has least running begins; among equals, who has
// waited longest.
func takeTurns(queue []waiting, byOwner map[int]int) []waiting {
	lines := map[int][]waiting{}
	for _, w := range queue {
		lines[w.change.Owner.ID] = append(lines[w.change.Owner.ID], w)
	}
	owners := make([]int, 0, len(lines))
	for owner, line := range lines {
		slices.SortStableFunc(line, func(x, y waiting) int {
			return cmp.Or(x.since().Compare(y.since()), cmp.Compare(x.depth, y.depth), cmp.Compare(x.change.Number, y.change.Number))
		})
		owners = append(owners, owner)
	}
	slices.SortFunc(owners, func(x, y int) int {
		return cmp.Or(cmp.Compare(byOwner[x], byOwner[y]),
			lines[x][0].since().Compare(lines[y][0].since()), cmp.Compare(x, y))
	})
	ordered := make([]waiting, 0, len(queue))
	for turn := 0; len(ordered) < len(queue); turn++ {
		for _, owner := range owners {
			if line := lines[owner]; turn < len(line) {
				ordered = append(ordered, line[turn])
			}
		}
	}
	return ordered
}
