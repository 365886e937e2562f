// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"errors"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// post posts the message and the vote on the very revision that was tested.
func (g *gathering) post(ctx context.Context, v verdict.Verdict, done Done) (Done, error) {
	p := g.q.Project
	g.findings(ctx, v)
	g.leaveOut(v)
	if needs := g.change.DependsOn; len(needs) > 0 {
		g.note("it was tested on its own parent; nothing else that it depends on was added", list(needs))
	}
	m := verdict.Message{Verdict: v, Retry: g.retry, Secrets: g.Secrets, Published: g.links, Notes: g.notes,
		Tests: g.found.tests, Findings: g.found.counts}
	m.Hints = g.hints(ctx, m)
	if g.Cell != nil {
		done.Summary = m.Summary(g.Cell)
	}
	notify := g.notify(v, m.Residue())
	if vote, taken := plan.Taken(g.change, g.self); taken && vote == v.Vote && v.Vote != 0 && g.q.Debt == nil && !g.outcome.Result() {
		// Nothing new was found: a person may have removed the vote meanwhile.
		v.Voted, m.Verdict.Voted = false, false
	}
	review := change.Review{Message: m.Text(), Tag: Tag, Comments: g.found.comments, Notify: notify}
	if v.Outcome == verdict.Failed {
		review.Attention = change.OwnerAttention
	}
	if label := p.Report.Label; label != "" && v.Voted && !g.afterMerge() {
		review.Labels = map[string]int{label: v.Vote}
	}
	review.OnlyVoted = g.debt.Refused
	short := m
	if short.Published = nil; len(m.Published) > 0 {
		review.Short = short.Text()
	}
	if m.Refused, short.Refused = true, true; v.Vote != 0 {
		review.Unvoted = m.Text()
		if review.Short != "" {
			review.ShortUnvoted = short.Text()
		}
	}
	return g.send(ctx, review, done)
}

// notify says who is mailed about a verdict. Optional workflows are no news where
// others are required.
func (g *gathering) notify(v verdict.Verdict, r verdict.Residue) string {
	own := g.own()
	var required []string
	for _, run := range v.Required {
		required = append(required, run.Run.Key.Workflow)
	}
	if len(required) > 0 {
		r = r.Only(required)
		for i := range own {
			own[i] = own[i].Only(required)
		}
	}
	return r.Notify(own, g.retry.GivenUp())
}

// send posts a review and says what Gerrit took of it.
func (g *gathering) send(ctx context.Context, review change.Review, done Done) (Done, error) {
	done.Text = review.Message
	if g.q.DryRun {
		done.Review, done.Revision = &review, g.change.Current.Revision
		return done, nil
	}
	label := g.q.Project.Report.Label
	vote, votes := review.Labels[label]
	posted, unsettled, err := g.Reviews.Post(ctx, g.q.address(), g.change.Current.Revision, review)
	if unsettled {
		if err = g.settle(ctx, err); err == nil && g.lastRefused() {
			posted.Refused = map[string]string{label: "the answer was lost, and the message says so"}
		}
	}
	if err != nil {
		return done, fmt.Errorf("failed to report %s: %w", g.q.Key, err)
	}
	done.Refused, done.Advice = posted.Refused[label], posted.Advice[label]
	for _, d := range posted.Dropped {
		g.warn(errors.New(change.OneLine(d.String())))
	}
	if posted.Claimed && review.Unvoted != "" {
		// The label went, or the right, between the look and the post: what stands now
		// claims a vote that was not taken, and the last word must not.
		again := change.Review{Message: review.Unvoted, Tag: review.Tag, Notify: verdict.NotifyNone}
		if _, _, err := g.Reviews.Post(ctx, g.q.address(), g.change.Current.Revision, again); err != nil {
			g.warn(fmt.Errorf("the message on %s claims a vote that Gerrit did not take: %w", g.q.Key.ID, err))
		}
	}
	done.Vote, done.Voted = vote, votes && done.Refused == ""
	return done, nil
}

// settle reads the change again after an answer was lost: the message is there,
// or the next pass reports.
func (g *gathering) settle(ctx context.Context, lost error) error {
	c, found, err := g.Reviews.Change(ctx, g.q.address())
	if err != nil || !found {
		return errors.Join(lost, err)
	}
	g.change = &c
	if g.q.Debt == nil && g.said(g.attempt) || g.q.Debt != nil && len(g.own()) > g.spoken {
		return nil
	}
	return fault.Wrap(fault.Transient, lost)
}

// lastRefused reports whether our last message says that Gerrit refused its vote.
func (g *gathering) lastRefused() bool {
	own := g.own()
	return len(own) > 0 && own[len(own)-1].Refused
}
