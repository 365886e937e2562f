// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Standing is where one workflow of a patchset is, for those who report on
// another one: they vote only when all have ended.
type Standing struct {
	Workflow string
	Optional bool
	// Key is the latest attempt; Attempt 0 is none yet.
	Key   change.Key
	RunID int64
	// From is the earlier patchset that the run tested, if its result was carried;
	// else 0.
	From int
	// Claimed: the attempt was claimed and its run is not recorded yet.
	Claimed bool
	// Outcome is set once the attempt has ended and was reported.
	Outcome verdict.Outcome
	// Expected: the workflow has not ended, or is still to be started.
	Expected bool
	// Before is the last earlier attempt with a result, which stands if this one
	// tells nothing.
	Before Before
	// LeftOut says which filter leaves the workflow out, where nothing is to be run.
	LeftOut string
	// CalledOff: a comment called the attempt off.
	CalledOff bool
	// Left: we cancelled its run because the change was left alone.
	Left bool
	// Wasted counts the attempts that ended for reasons which trying again may
	// help.
	Wasted int
}

// Before is an earlier attempt that has a result.
type Before struct {
	Key   change.Key // attempt 0: there is none
	RunID int64
	// From is the earlier patchset that the run tested, if it was carried; else 0.
	From int
	// Part is which attempt of the run it was, where later ones are parts of the same
	// run; else 0, the latest.
	Part    int
	Outcome verdict.Outcome
	// Told: we have told this outcome.
	Told bool
}

// Source is the key under which the run was started.
func (s Standing) Source() change.Key { return sourceKey(s.Key, s.From) }

// Source is the key under which the run was started.
func (b Before) Source() change.Key { return sourceKey(b.Key, b.From) }

func sourceKey(key change.Key, from int) change.Key {
	if from > 0 {
		key.Patchset = from
	}
	return key
}

// Standings tells where the workflows of a patchset are that it should see.
// What is known of one is the ledger's word, or that of our own messages.
func Standings(p *config.Project, s *Snapshot, c *change.Change, now time.Time) []Standing {
	b := newBuilder(p, s, now)
	return b.standings(c, change.Key{})
}

// standings leaves it to the caller to fill in what is being reported.
func (b *builder) standings(c *change.Change, reporting change.Key) []Standing {
	var all []Standing
	for _, w := range b.workflowsFor(c) {
		if st, ok := b.standing(c, w, reporting); ok {
			all = append(all, st)
		}
	}
	return all
}

// standing tells where one workflow is; ok is false where a filter leaves it out.
func (b *builder) standing(c *change.Change, w *config.Workflow, reporting change.Key) (st Standing, ok bool) {
	a := b.attempt(c.ID(), w.Name)
	st = Standing{
		Workflow: w.Name, Optional: w.Optional, Key: b.key(c, w, a.number), RunID: a.runID, From: a.from,
		Claimed: a.number > 0 && !a.recorded, Outcome: a.ended, CalledOff: a.stopped >= max(a.number, 1), Left: a.left, Wasted: a.wasted,
	}
	if !a.ended.Result() {
		st.Before = b.standingBefore(c, w, a)
	}
	if said, told := b.told(c, st.Key, 0); told && st.RunID == 0 && a.number > 0 {
		st.RunID = said.RunID
	}
	if !a.recorded && a.rerun > 0 && a.asked == a.number {
		st.RunID = a.rerun // the call was made, and is not noted yet
	}
	switch {
	case a.called():
		st.Key, st.RunID, st.Outcome, st.Expected = b.key(c, w, a.asked), 0, "", true
	case a.number == 0 && a.calledOff():
		st.Key, st.Expected = b.key(c, w, max(a.asked, 1)), true
	case a.number == 0:
		switch b.decide(c, w).standing {
		case candidate, gated, pending, settled:
			st.Expected = true
		default:
			return st, false
		}
	case st.Key != reporting:
		b.settleStanding(c, w, &st)
		// What a filter leaves out counts only where a comment asked for it, and told
		// something: a change that moved to another branch was tested for the one before.
		if !st.Expected && unwantedReason(c, w) != "" && (a.asked == 0 || !st.stands().Outcome.Result()) {
			return st, false
		}
	}
	return st, true
}

func (b *builder) standingBefore(c *change.Change, w *config.Workflow, a attempt) Before {
	o := b.before(c, w, a)
	if o.attempt == 0 {
		return Before{}
	}
	key := b.key(c, w, o.attempt)
	said, told := b.told(c, key, o.runID)
	return Before{Key: key, RunID: o.runID, From: o.from, Part: o.part, Outcome: o.word, Told: told && said.Outcome == o.word}
}

// settleStanding says how an attempt ended that is not being reported, or that it
// is waited for.
func (b *builder) settleStanding(c *change.Change, w *config.Workflow, st *Standing) {
	st.Outcome, _ = b.ending(c, st.Key, b.attempt(c.ID(), w.Name))
	switch {
	case st.Outcome == "":
		st.Expected = true
	case !st.Outcome.Result():
		switch b.decide(c, w).standing {
		case candidate, gated, later:
			st.Expected = true
		}
	}
}
