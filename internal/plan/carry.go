// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// source is the state of an earlier patchset that a later one takes over.
type source struct {
	id     change.ID
	number int // of the attempt
	runID  int64
	// word is how it ended, "" while it goes on.
	word verdict.Outcome
}

// before is the result that stands where the last attempt told nothing: that of an
// earlier attempt, or one that would have been carried, had nobody asked for a run.
func (b *builder) before(c *change.Change, w *config.Workflow, a attempt) outcome {
	if a.before.attempt > 0 || a.number == 0 || a.from > 0 || c.Status != change.New {
		return a.before
	}
	if s, ok, _ := b.carrySource(c, w); ok && s.word.Result() {
		return outcome{attempt: s.number, runID: s.runID, from: s.id.Patchset, word: s.word}
	}
	return outcome{}
}

// carry notes that the result of an earlier patchset stands for the current one,
// also where a comment asks for a run of its own: the result stands until that one
// has ended.
func (b *builder) carry(c *change.Change, w *config.Workflow) bool {
	s, ok := b.carriable(c, w)
	if !ok {
		return false
	}
	e := b.carriedEntry(c, w, s)
	b.add(Action{Verb: Carry, Change: c, Key: e.Key, Revision: c.Current.Revision, Entry: e,
		Reason: fmt.Sprintf("%s: the result of patchset %d stands", kindText(c.Current.Kind), s.id.Patchset)})
	// A patchset that waits at a gate does not come to the mirror.
	at := cmp.Or(b.s.Mirror.patchset(c.ID()), b.s.Mirror.patchset(s.id), c.Current.Revision)
	b.said[c.Number] = append(b.said[c.Number], Ref{ID: c.ID(), Revision: at, Entry: e})
	return true
}

// carriable is the result that may be carried to a patchset of which nothing has
// run yet.
func (b *builder) carriable(c *change.Change, w *config.Workflow) (s source, ok bool) {
	a := b.attempt(c.ID(), w.Name)
	if a.number > 0 || c.Status != change.New || unwantedReason(c, w) != "" {
		return s, false
	}
	s, ok, known := b.carrySource(c, w)
	if !ok || !known || !s.word.Result() || a.called() && a.asked <= s.number {
		return s, false
	}
	// A record that the next pass would not believe is not written.
	word, run := b.sourceResult(b.carriedEntry(c, w, s))
	return s, word != "" && run >= 0
}

// carriedEntry is the record that a source's result stands for a change's current
// patchset.
func (b *builder) carriedEntry(c *change.Change, w *config.Workflow, s source) change.Entry {
	return change.Entry{Kind: change.Carried, Key: b.key(c, w, s.number), ID: c.ID(), From: s.id.Patchset}
}

// carrySource finds the patchset whose state the current one takes over: the
// nearest one that was tested, if nothing but kinds that carry lies between. known
// is false while the kinds of those between must be read.
func (b *builder) carrySource(c *change.Change, w *config.Workflow) (s source, ok, known bool) {
	kind := c.Current.Kind
	for n := c.Current.Number; n > 1; {
		if kindPolicy(w, kind) != config.CarryKind {
			return s, false, true
		}
		earlier, listed := patchsetBefore(c, n)
		s.id = change.ID{Change: c.Number, Patchset: earlier.Number}
		if a := b.attempt(s.id, w.Name); a.number > 0 {
			s = b.sourceOf(c, w, s.id, a)
			return s, s.number > 0, true
		}
		if !listed {
			if b.s.Fresh[c.Number] { // its earlier patchsets cannot be seen
				return s, false, true
			}
			b.touch(c)
			return s, false, earlier.Number == 1
		}
		kind, n = earlier.Kind, earlier.Number
	}
	return s, false, true
}

// patchsetBefore is the one before a patchset; listed is false where only its
// number is known.
func patchsetBefore(c *change.Change, n int) (p change.Patchset, listed bool) {
	for _, e := range slices.Backward(c.Earlier) {
		if e.Number < n {
			return e, true
		}
	}
	return change.Patchset{Number: n - 1}, false
}

// sourceOf reads the state of a tested patchset, or that of the one before whose
// result it carries itself. Where an attempt told nothing, the result of an
// earlier one stands; nobody waits for a run that is not known (number 0).
func (b *builder) sourceOf(c *change.Change, w *config.Workflow, id change.ID, a attempt) source {
	if a.from > 0 {
		id.Patchset = a.from
		a = b.attempt(id, w.Name)
	}
	s := source{id: id, number: a.number, runID: a.runID, word: a.ended}
	switch {
	case !b.p.Report.On():
		return b.unreported(s, a)
	case s.word == "" && !a.recorded:
		return b.claimedSource(c, w, s)
	case s.word == "" && a.runID == 0:
		return source{}
	}
	key := b.key(c, w, a.number)
	key.ID = id
	s.word, _ = b.ending(c, key, a)
	if !s.word.Result() && s.word != "" && a.before.attempt > 0 {
		s.number, s.runID, s.word = a.before.attempt, a.before.runID, a.before.word
		if a.before.from > 0 {
			s.id.Patchset = a.before.from
		}
	}
	return s
}

// kindPolicy maps Gerrit's change kinds to the two policies. A kind that
// changes both the parent and the message needs both.
func kindPolicy(w *config.Workflow, kind change.Kind) config.KindPolicy {
	switch kind {
	case change.TrivialRebase:
		return w.TrivialRebase
	case change.NoCodeChange, change.NoChange:
		return w.NoCodeChange
	case change.TrivialRebaseMessage:
		if w.TrivialRebase == config.CarryKind {
			return w.NoCodeChange
		}
	}
	return config.RunKind
}

func kindText(kind change.Kind) string {
	switch kind {
	case change.TrivialRebase, change.TrivialRebaseMessage:
		return "trivial rebase"
	case change.NoChange:
		return "nothing changed"
	default:
		return "message only"
	}
}

// unreported reads the state of a run from GitHub's word alone: where nothing is
// reported, nobody has noted how it ended.
func (b *builder) unreported(s source, a attempt) source {
	if !a.recorded || a.runID == 0 || b.s.NoGitHub != "" {
		return source{}
	}
	if b.needRun(a.runID) {
		return s
	}
	run, there := b.runByID(a.runID)
	switch {
	case !there:
		return source{}
	case run.Status != "completed":
	case run.Conclusion == "success":
		s.word = verdict.Passed
	default: // a failed test looks like a lost runner from here
		s.word = verdict.Unknown
	}
	return s
}

// claimedSource looks for the run of a claim: the pass that made the call may have
// been killed before it could note that.
func (b *builder) claimedSource(c *change.Change, w *config.Workflow, s source) source {
	if b.s.NoGitHub != "" {
		return source{}
	}
	if b.s.Runs == nil {
		b.needRuns(b.now.Add(-claimAge))
		return s
	}
	key := b.key(c, w, s.number)
	key.ID = s.id
	if _, found := b.s.Runs[key]; found {
		return s
	}
	return source{}
}
