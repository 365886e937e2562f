// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// notKnownYet ends the reasons of gates that only say that something must be observed
// first.
const notKnownYet = "is not known yet"

// commandSnapshot is what comments on a change are judged by; known is false
// while something of it must be observed first.
func (b *builder) commandSnapshot(c *change.Change) (s command.Snapshot, known bool) {
	s = command.Snapshot{Server: b.p.Server(c.Imported), Change: *c, Elsewhere: b.filter.elsewhere(c), Members: b.s.Members,
		Issues: b.s.Issues, IssueTrouble: b.s.IssueTrouble, IssuesLater: b.s.IssuesLater}
	known = true
	for _, w := range b.workflowsFor(c) {
		gate, unwanted := b.objections(c, w)
		known = known && !strings.HasSuffix(gate, notKnownYet)
		s.Workflows = append(s.Workflows, command.Workflow{Name: w.Name, Gate: gate, Unwanted: unwanted})
		runs, ok := b.commandRuns(c, w)
		s.Runs = append(s.Runs, runs...)
		known = known && ok
	}
	return s, known
}

// objections say why a patchset is not to be tested and what can be done about it:
// gate until something else happens, unwanted unless somebody names the workflow.
func (b *builder) objections(c *change.Change, w *config.Workflow) (gate, unwanted string) {
	gate = cmp.Or(b.leftOut(c), b.refusedReason(c), b.gateReason(c, w.Trust))
	unwanted = unwantedReason(c, w)
	return gate, unwanted
}

// leftOut says for people why a change is left alone as a whole, or "".
func (b *builder) leftOut(c *change.Change) string {
	switch {
	case b.filter.scope(c) != "":
		return b.filter.scope(c) + ", so the configuration leaves this change out: ask those who run the tests"
	case b.filter.mode(c) == "":
		return b.filter.state(c)
	case c.Private && b.filter.skip.Private:
		return "the change is private, and is tested once it is public"
	default:
		return "the change is work in progress, and is tested once it is ready for review"
	}
}

// commandRuns are the attempts of a workflow for the current patchset.
func (b *builder) commandRuns(c *change.Change, w *config.Workflow) (runs []command.Run, known bool) {
	states := map[int]*attemptState{}
	for _, r := range b.s.Mirror.Changes[c.Number] {
		k := r.Entry.Key
		if r.ID != c.ID() || k.Workflow != w.Name || !b.counts(r.Entry) {
			continue
		}
		if states[k.Attempt] == nil {
			states[k.Attempt] = &attemptState{}
		}
		states[k.Attempt].attempt.take(r)
		states[k.Attempt].claimed = states[k.Attempt].claimed || r.Entry.Kind == change.Claim
	}
	known = true
	if s, ok := b.carriable(c, w); ok { // it is about to be noted as an attempt
		runs = append(runs, command.Run{Key: b.key(c, w, s.number), State: stateOf(s.word)})
	}
	if a := b.attempt(c.ID(), w.Name); len(states) == 0 && a.number > 0 { // as our messages tell
		runs = append(runs, command.Run{Key: b.key(c, w, a.number), State: stateOf(a.ended)})
	}
	for _, n := range slices.Sorted(maps.Keys(states)) {
		if st := states[n]; !st.claimed && !st.recorded {
			continue
		}
		run, ok := b.commandRun(c, b.key(c, w, n), states[n].attempt)
		runs = append(runs, run)
		known = known && ok
	}
	return runs, known
}

// attemptState is what the ledger says of one attempt.
type attemptState struct {
	attempt
	claimed bool
}

// commandRun tells where one attempt is.
func (b *builder) commandRun(c *change.Change, key change.Key, a attempt) (run command.Run, known bool) {
	run = command.Run{Key: key, State: command.Pending}
	if !a.recorded {
		if !a.lostAt.IsZero() && b.now.Sub(a.lostAt) > b.p.Grace {
			run.State = command.Lost
		}
		return run, true
	}
	outcome, _ := b.ending(c, key, a)
	if outcome == "" && a.from > 0 {
		source := change.ID{Change: c.Number, Patchset: a.from}
		outcome = b.attempt(source, key.Workflow).ended
	}
	if outcome != "" {
		run.State = stateOf(outcome)
		return run, true
	}
	run.State = command.Running
	if a.runID == 0 || b.s.NoGitHub != "" {
		return run, true
	}
	if b.needRun(a.runID) {
		return run, false
	}
	found, there := b.runByID(a.runID)
	run.Created, run.URL = found.Created, found.URL
	switch {
	case !there:
		run.State = command.Lost
	case found.Status == "completed":
		run.State = stateOfConclusion(found.Conclusion)
	}
	return run, true
}

func stateOf(o verdict.Outcome) command.State {
	switch o {
	case verdict.Passed, verdict.Neutral, verdict.Skipped:
		return command.Passed
	case verdict.Failed, verdict.TimedOut:
		return command.Failed
	case verdict.Running:
		return command.Running
	}
	return command.Unclear
}

// stateOfConclusion is for a run that has ended and was not judged yet.
func stateOfConclusion(conclusion string) command.State {
	switch conclusion {
	case "success", "neutral", "skipped":
		return command.Passed
	case "failure":
		return command.Failed
	}
	return command.Unclear
}
