// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// claimAge is how far back runs are looked for whose claim nobody waits for: when
// it was made is not known, and a pass that was killed is followed by another one.
const claimAge = 24 * time.Hour

// openClaims are the claims of a change without a run, by their keys.
func (b *builder) openClaims(number int) []openRun {
	var claims []openRun
	known := map[change.Key]bool{}
	for _, r := range b.refsOf(number) {
		switch e := r.Entry; e.Kind {
		case change.Claim:
			claims = append(claims, openRun{key: e.Key, rev: r.Revision})
		case change.RunOf, change.Ended:
			known[e.Key] = known[e.Key] || b.believes(e)
		}
	}
	claims = slices.DeleteFunc(claims, func(r openRun) bool {
		return known[r.key] || !b.watched(r.key) || workflowByName(b.p, r.key.Workflow) == nil
	})
	slices.SortFunc(claims, func(x, y openRun) int { return cmp.Compare(x.key.String(), y.key.String()) })
	return claims
}

// lookForRun looks for the run of a claim that the current patchset does not look
// for itself. A pass that was killed after the call has not noted its run, which must
// be found to be cancelled, or for its result to be carried.
func (b *builder) lookForRun(w *config.Workflow, r openRun) {
	reason, known := b.pointless(w, r)
	if !known || reason == "" && !b.isOld(r.key.ID) {
		return
	}
	a := b.attempt(r.key.ID, w.Name)
	act := Action{Key: r.key, Revision: r.rev, Number: r.key.Change, Reason: reason}
	if a.rerun != 0 && a.asked == r.key.Attempt && b.needRun(a.rerun) {
		return
	}
	if b.s.Runs == nil {
		b.needRuns(b.now.Add(-claimAge))
		return
	}
	run, found := b.s.Runs[r.key]
	if again, ok := b.rerunSeen(a); ok && a.number == r.key.Attempt {
		run, found = again, true
	}
	switch {
	case found:
		act.Verb, act.Run, act.Reason = Record, run, "its run was found by its key"
	case a.number != r.key.Attempt:
		act.Verb, act.Outcome = End, verdict.Superseded
	case a.lostAt.IsZero():
		act.Verb, act.Reason = Doubt, fmt.Sprintf("attempt %d is claimed and no run is seen; lost if that lasts %s", r.key.Attempt, b.p.Grace)
	case b.now.Sub(a.lostAt) < b.p.Grace:
		act.Verb, act.Reason = Wait, "its run may still be seen"
	default:
		act.Verb, act.Outcome = End, verdict.Superseded
	}
	b.add(act)
}

// unseenYet plans to look again for a run that GitHub does not know: parts of its API
// may be late, so it is gone only if that lasts.
func (b *builder) unseenYet(a *Action, r openRun) bool {
	lost := b.attempt(r.key.ID, r.key.Workflow).lostAt
	switch left := lost.Add(b.p.Grace).Sub(b.now); {
	case r.from > 0 || !lost.IsZero() && left <= 0:
		return false
	case lost.IsZero():
		a.Verb, a.Reason = Doubt, fmt.Sprintf("GitHub does not know run %d; it counts as gone if that lasts %s", r.id, b.p.Grace)
	default:
		a.Verb, a.Reason = Wait, fmt.Sprintf("GitHub does not know run %d; it counts as gone in %s", r.id, left.Round(time.Second))
	}
	return true
}
