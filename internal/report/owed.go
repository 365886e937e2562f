// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// agrees holds a request against the ledger: only runs that the dispatcher started
// are reported. replaced says which later attempt stands in its place, or is "".
func (g *gathering) agrees() (replaced string, err error) {
	if g.q.Key.Patchset < g.change.Current.Number || g.change.Status != change.New && !g.afterMerge() {
		return "", nil // nothing is said about it
	}
	refuse := func(why string) error {
		return fault.New(fault.Configuration, "run %d is not the dispatcher's run of %s: %s", g.q.RunID, g.q.Key, why).
			WithHint("give report the key and the number of the run that was started for it")
	}
	if g.q.Key.Patchset > g.change.Current.Number {
		return "", refuse(fmt.Sprintf("the change has %d patchsets", g.change.Current.Number))
	}
	for _, st := range g.q.Standings(g.change) {
		switch {
		case st.Workflow != g.q.Key.Workflow:
		case st.Key.Attempt < g.q.Key.Attempt:
			return "", refuse("the ledger on the mirror knows no such attempt")
		case st.Key == g.q.Key && st.RunID != 0 && st.RunID != g.q.RunID:
			return "", refuse(fmt.Sprintf("the ledger on the mirror says that run %d is", st.RunID))
		case st.Key.Attempt > g.q.Key.Attempt:
			return fmt.Sprintf("attempt %d replaced it", st.Key.Attempt), nil
		default:
			return "", nil
		}
	}
	// The workflow was taken out of the configuration since, or a filter leaves it out.
	if g.q.Started != nil && !g.q.Started(g.q.Key, g.q.RunID) {
		return "", refuse("the ledger on the mirror knows no such attempt")
	}
	return "", nil
}

// Judge says how a run ended that nobody is told about.
func (r *Reporter) Judge(ctx context.Context, q Request) (verdict.Outcome, error) {
	c := change.Change{Number: q.Key.Change, Current: change.Patchset{Number: q.Key.Patchset}}
	g := newGathering(r, q, &c)
	_, err := g.believed(ctx, q.Key, q.Key, q.RunID)
	return g.outcome, err
}

// Vote tells a patchset what it is owed, unless that has changed meanwhile. It
// posts only what Gerrit takes the vote of.
func (r *Reporter) Vote(ctx context.Context, q Request) (Done, error) {
	c, found, err := r.Reviews.Change(ctx, q.address())
	if err != nil {
		return Done{}, fmt.Errorf("failed to read the change that is voted on: %w", err)
	}
	if !found || c.Status != change.New || c.Current.Number != q.Key.Patchset {
		return Done{Silent: "the change has moved on"}, nil
	}
	g := newGathering(r, q, &c)
	if g.self, err = r.Reviews.Self(ctx); err != nil {
		return Done{}, err
	}
	debt := q.Debt(&c, g.self)
	if debt.Reason == "" {
		return Done{Silent: "it is not owed any more"}, nil
	}
	g.q.Key, g.debt, g.spoken = debt.Key, debt, len(g.own())
	if debt.Again {
		g.note(debt.Reason, "")
	}
	if len(q.Empty) > 0 {
		done, err := g.sendEmpty(ctx)
		done.Warnings = g.warnings
		return done, err
	}
	for _, st := range q.Standings(&c) {
		if st.Key == debt.Key {
			g.q.RunID = st.RunID
		}
	}
	v, err := g.verdict(ctx)
	switch {
	case err != nil:
		return Done{Warnings: g.warnings}, err
	case !v.Ready:
		return Done{Silent: "other workflows have not ended: " + list(v.Workflows(verdict.Running)), Warnings: g.warnings}, nil
	}
	if why := unfounded(v, debt); why != "" {
		return Done{Outcome: v.Outcome, Silent: why, Warnings: g.warnings}, nil
	}
	done, err := g.post(ctx, v, Done{Outcome: v.Outcome})
	done.Warnings = g.warnings
	return done, err
}

// unfounded says why a verdict does not pay a debt, or "": GitHub does not tell any
// more what the ledger says. What does not pay it must not be posted in each pass.
func unfounded(v verdict.Verdict, debt plan.Debt) string {
	if debt.Differs && v.Vote == debt.Was {
		return "the vote stands, as GitHub tells"
	}
	if debt.Again && !debt.Refused && !debt.Differs && v.Vote == 0 {
		return "the result that stood before cannot be read any more"
	}
	founded := debt.Again
	for _, run := range v.Required {
		founded = founded || run.Run.Key == debt.Key && run.Outcome.Result()
	}
	if !founded {
		return "its result cannot be read any more"
	}
	return ""
}

// sendEmpty says that nothing is to be run for a patchset, and votes as if all had
// passed.
func (g *gathering) sendEmpty(ctx context.Context) (Done, error) {
	var left []verdict.LeftOut
	for _, st := range g.q.Empty {
		left = append(left, verdict.LeftOut{Key: st.Key, Why: st.LeftOut})
	}
	p := g.q.Project
	vote := verdict.NewPolicy(p.Report.Votes).Vote(verdict.Passed)
	review := change.Review{
		Message: verdict.Empty(left, p.Report.Label != "", vote, false), Tag: Tag, Notify: verdict.NotifyNone,
		Unvoted: verdict.Empty(left, p.Report.Label != "", vote, true),
	}
	if p.Report.Label != "" {
		review.Labels = map[string]int{p.Report.Label: vote}
	}
	review.OnlyVoted = g.debt.Refused
	return g.send(ctx, review, Done{Outcome: verdict.Skipped})
}
