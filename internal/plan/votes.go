// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// votes plans what is owed to patchsets of which no run is reported in this pass:
// the vote that is wanted differs from the one that our messages say was taken,
// and we know why.
func (b *builder) votes() {
	if !b.p.Report.On() || b.s.NoGitHub != "" {
		return
	}
	reported := map[int]bool{}
	for _, a := range b.plan.Actions {
		if a.Verb == Report {
			reported[a.Key.Change] = true
		}
	}
	for _, c := range b.owing {
		if c.Status != change.New || c.Messages == nil || reported[c.Number] {
			continue // messages that are not known may hold the vote
		}
		if a, owed := b.owed(c); owed {
			b.touch(c)
			b.add(a)
		}
	}
}

// owed plans the vote that a patchset is owed, if it is.
func (b *builder) owed(c *change.Change) (a Action, owed bool) {
	standings := b.standings(c, change.Key{})
	d := Owed(b.p, standings, c, b.self())
	if d.Reason == "" && !slices.ContainsFunc(standings, func(s Standing) bool { return !s.Optional }) {
		a.Empty = b.empty(c)
		d = owedEmpty(b.p, a.Empty, c, b.self())
	}
	if d.Reason == "" {
		return a, false
	}
	a.Verb, a.Change, a.Reason, a.Standings, a.Number = Vote, c, d.Reason, standings, c.Number
	a.Key, a.Revision = d.Key, c.Current.Revision
	return a, true
}

// empty are the required workflows of a patchset, where filters leave all of them
// out.
func (b *builder) empty(c *change.Change) []Standing {
	var all []Standing
	for _, w := range b.workflowsFor(c) {
		if w.Optional {
			continue
		}
		why := unwantedReason(c, w)
		if _, stands := b.standing(c, w, change.Key{}); why == "" || stands {
			return nil
		}
		all = append(all, Standing{Workflow: w.Name, Key: b.key(c, w, 1), LeftOut: why})
	}
	return all
}

// Debt is a vote that is owed.
type Debt struct {
	// Reason says why; "" owes nothing.
	Reason string
	// Key is the attempt that the vote is told for.
	Key change.Key
	// Again: its result was told before. Refused: Gerrit did not take the vote then.
	Again, Refused bool
	// Differs: Gerrit took Was, and the results ask for another vote.
	Differs bool
	Was     int
}

// Owed compares the vote that the results of a patchset ask for with what our own
// messages say that Gerrit took. A vote that Gerrit took and somebody removed
// later is not owed.
func Owed(p *config.Project, standings []Standing, c *change.Change, self change.Account) Debt {
	votes := verdict.NewPolicy(p.Report.Votes)
	red, open, last := false, false, Standing{}
	for _, s := range standings {
		if s.Optional {
			continue
		}
		s = s.stands()
		open = open || s.Expected
		if !s.Expected {
			last = s
			red = red || votes.Vote(s.Outcome) < 0
		}
	}
	if last.Workflow == "" || open && !red {
		return Debt{}
	}
	said := saidOf(c, self)
	for _, s := range standings {
		if s = s.stands(); !s.Optional && !s.Expected && s.Outcome.Result() && !said.told(s) {
			return Debt{Reason: "its result was not told yet", Key: s.Key}
		}
	}
	if p.Report.Label == "" {
		return Debt{}
	}
	switch {
	case said.refused:
		return Debt{Reason: "Gerrit did not take the vote before", Key: last.Key, Again: true, Refused: true}
	case said.reset:
		return Debt{Reason: "the vote was taken back, and no other result has come", Key: last.Key, Again: true}
	}
	if v := wanted(votes, standings); said.voted && v.Voted && v.Vote != said.vote {
		return Debt{Reason: "the results ask for another vote now", Key: last.Key, Again: true, Differs: true, Was: said.vote}
	}
	return Debt{}
}

// wanted is the verdict on the results that stand.
func wanted(votes verdict.Policy, standings []Standing) verdict.Verdict {
	var wants []verdict.Want
	for _, s := range standings {
		s = s.stands()
		w := verdict.Want{Key: s.Key, Optional: s.Optional, Expected: s.Expected}
		if s.Outcome != "" {
			w.Run = &verdict.RunResult{Outcome: s.Outcome}
		}
		wants = append(wants, w)
	}
	return votes.Combine(wants)
}

// Taken is the vote that our last message which has one says that Gerrit took, and
// that we have not taken back since.
func Taken(c *change.Change, self change.Account) (vote int, ok bool) {
	said := saidOf(c, self)
	return said.vote, said.voted && !said.reset && !said.refused
}

// Red reports whether a required workflow has a red result that stands, none of
// those that are named: its vote is not taken back when another workflow starts.
func Red(p *config.Project, standings []Standing, but []string) bool {
	votes := verdict.NewPolicy(p.Report.Votes)
	return slices.ContainsFunc(standings, func(s Standing) bool {
		s = s.stands()
		return !s.Optional && !s.Expected && votes.Vote(s.Outcome) < 0 && !slices.Contains(but, s.Workflow)
	})
}

// owedEmpty is Owed for a patchset for which nothing is to be run.
func owedEmpty(p *config.Project, left []Standing, c *change.Change, self change.Account) Debt {
	if len(left) == 0 || p.Report.NothingToRun != config.NothingVotes {
		return Debt{}
	}
	said := saidOf(c, self)
	if !said.empty {
		return Debt{Reason: "nothing is to be run for it", Key: left[0].Key}
	}
	switch vote := verdict.NewPolicy(p.Report.Votes).Vote(verdict.Passed); {
	case p.Report.Label == "":
	case said.refused:
		return Debt{Reason: "Gerrit did not take the vote before", Key: left[0].Key, Refused: true}
	case said.reset, said.voted && said.vote != vote:
		return Debt{Reason: "the vote was taken back, and no other result has come", Key: left[0].Key}
	}
	return Debt{}
}

// Owes says what a change is still owed that a Vote was planned for.
func (a Action) Owes(p *config.Project, c *change.Change, self change.Account) Debt {
	if d := Owed(p, a.Standings, c, self); d.Reason != "" {
		return d
	}
	return owedEmpty(p, a.Empty, c, self)
}

// stands is the standing with the result that stands where the latest attempt told
// nothing.
func (s Standing) stands() Standing {
	if !s.Expected && !s.Outcome.Result() && s.Before.Key.Attempt > 0 {
		s.Key, s.RunID, s.Outcome = s.Before.Key, s.Before.RunID, s.Before.Outcome
	}
	return s
}

// verify looks at ends that the ledger tells of the current patchset's runs: we
// have told them, or the run itself must be there and have ended. A ref alone ends
// nothing; but what was stopped may never have had a run.
func (b *builder) verify(c *change.Change) {
	if b.p.Report.On() && c.Messages == nil {
		return
	}
	for _, w := range b.workflowsFor(c) {
		for b.verifyLast(c, w) { // what stands before it may be made up as well
		}
	}
}

// verifyLast looks at the end of a workflow's last attempt, and reports whether it
// does not count.
func (b *builder) verifyLast(c *change.Change, w *config.Workflow) (untrue bool) {
	a := b.attempt(c.ID(), w.Name)
	if a.ended == "" || a.from > 0 {
		return false
	}
	key := b.key(c, w, a.number)
	if said, told := b.told(c, key, a.runID); told && said.Outcome != verdict.Missing {
		return false // a run that was missing may be there again
	}
	why := ""
	switch run, there := b.runByID(a.runID); {
	case a.runID == 0 && a.ended != verdict.Superseded:
		why = key.String() + " has no run"
	case !b.p.Report.On(): // nobody looks after runs
	case a.runID == 0 || b.s.NoGitHub != "" || b.needRun(a.runID):
	case there && run.Status != "completed":
		why = fmt.Sprintf("run %d goes on", a.runID)
	case there && (a.ended == verdict.Missing || run.Conclusion == "success" && !a.ended.Result()):
		why = fmt.Sprintf("run %d has ended with %s", a.runID, change.OneLine(change.Clip(run.Conclusion, 40)))
	}
	if why == "" || b.untrue[key] {
		return false
	}
	b.untrue[key] = true
	b.refuse(change.Entry{Kind: change.Ended, Key: key, Word: string(a.ended), At: a.endedAt}, why)
	return true
}

// unspoken is a number for an attempt to be made, from one on, of which the ledger
// does not tell an end already: a made-up end would become that of the run.
func (b *builder) unspoken(c *change.Change, w *config.Workflow, attempt int) int {
	for b.untrue[b.key(c, w, attempt)] {
		attempt++
	}
	return attempt
}
