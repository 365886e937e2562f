// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
	"github.com/spdk-community-ci/dispatcher/internal/report"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// reporter connects what reports on runs of a project. others are its open
// changes with their messages.
func (w *wiring) reporter(p *config.Project, review *gerrit.Client, hub *github.Client, others func(context.Context) ([]change.Change, error)) *report.Reporter {
	source := downloads{hub}
	r := &report.Reporter{
		Runs: runReader{hub}, Details: hub, Reviews: poster{reviews{review}}, Secrets: w.secrets, Cell: action.Cell,
		Artifacts: source, Lines: review,
		Others: others, ChangeURL: review.ChangeURL, Now: w.app.Now,
	}
	if p.Report.Publish.On {
		r.Publisher = &results{project: p, wire: w, source: source}
	}
	return r
}

// projectOf finds the project that a run's key belongs to. Where several
// projects are of one server, Gerrit tells which the change is in.
func (w *wiring) projectOf(ctx context.Context, cfg *config.Config, key change.Key) (*config.Project, error) {
	var found []*config.Project
	for i := range cfg.Projects {
		if cfg.Projects[i].Owns(key.Server) {
			found = append(found, &cfg.Projects[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, fault.New(fault.Configuration, "the run %s belongs to no configured Gerrit server", key).
			WithHint("give the same configuration to report as to sync")
	case 1:
		return found[0], nil
	}
	review, err := w.gerrit(found[0].Gerrit)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range found {
		names = append(names, p.Name)
	}
	changes, err := review.Find(ctx, key.Change, names)
	if err != nil {
		return nil, err
	}
	changes = slices.DeleteFunc(changes, func(c change.Change) bool {
		return found[slices.Index(names, c.Project)].Server(c.Imported) != key.Server
	})
	switch len(changes) {
	case 0:
		return nil, fault.New(fault.Configuration, "no configured project has a change %d that the account may see", key.Change).
			WithHint("give the same configuration to report as to sync")
	case 1:
		return found[slices.Index(names, changes[0].Project)], nil
	}
	return nil, fault.New(fault.Configuration, "the projects %s and %s have a change %d each", change.OneLine(changes[0].Project), change.OneLine(changes[1].Project), key.Change).
		WithHint("give one of them a key-prefix of its own")
}

// ledgerOf reads what the mirror's refs say about one change.
func (w *wiring) ledgerOf(ctx context.Context, p *config.Project, key change.Key) (*plan.Mirror, error) {
	mirror, err := w.mirror(p)
	if err != nil {
		return nil, err
	}
	index := plan.NewMirror(p.Mirror.Namespace, p.Mirror.Ledger)
	err = refs{mirror, theMirror, p.Mirror.URL}.ListRefs(ctx, index.PrefixesOf(key.Server, key.Change), func(name string, rev change.Revision) error {
		index.Add(name, rev)
		return nil
	})
	return index, err
}

// runReader tells a run that is gone from one that cannot be read.
type runReader struct{ *github.Client }

// Run reads one run.
func (r runReader) Run(ctx context.Context, repository string, id int64) (change.Run, bool, error) {
	run, err := r.Client.Run(ctx, repository, id)
	if errors.Is(err, github.ErrGone) {
		return change.Run{}, false, nil
	}
	return run, err == nil, err
}

// RunAttempt reads one attempt of a run.
func (r runReader) RunAttempt(ctx context.Context, repository string, id int64, attempt int) (change.Run, bool, error) {
	run, err := r.Client.RunAttempt(ctx, repository, id, attempt)
	if errors.Is(err, github.ErrGone) {
		return change.Run{}, false, nil
	}
	return run, err == nil, err
}

// Cancel stops a run that has not ended.
func (r runReader) Cancel(ctx context.Context, repository string, runID int64) error {
	return r.Client.Cancel(ctx, repository, runID, false)
}

// poster reads changes, whose messages come along, and posts.
type poster struct{ reviews }

// Post tells a review that was refused from one that may have been taken.
func (p poster) Post(ctx context.Context, a change.Address, rev change.Revision, r change.Review) (change.Posted, bool, error) {
	posted, err := p.reviews.Post(ctx, a, rev, r)
	return posted, errors.Is(err, gerrit.ErrUnsettled), err
}

// lastResort reports, from a pass, on runs that did not report themselves.
type lastResort struct {
	*report.Reporter
	warn func([]error)
}

// request is what an action asks for.
func (r lastResort) request(p *config.Project, a plan.Action) report.Request {
	return report.Request{
		Project: p, Key: a.Key, RunID: a.Run.ID, Run: a.Run,
		Standings: func(*change.Change) []plan.Standing { return a.Standings },
	}
}

// Report reports on the run of an action.
func (r lastResort) Report(ctx context.Context, p *config.Project, a plan.Action) (reconcile.Told, error) {
	done, err := r.Reporter.Report(ctx, r.request(p, a))
	r.warn(done.Warnings)
	return toldOf(p, done), err
}

// Judge says how the run of an action ended.
func (r lastResort) Judge(ctx context.Context, p *config.Project, a plan.Action) (verdict.Outcome, error) {
	return r.Reporter.Judge(ctx, r.request(p, a))
}

// Vote tells what a change is owed.
func (r lastResort) Vote(ctx context.Context, p *config.Project, a plan.Action) (reconcile.Told, error) {
	q := r.request(p, a)
	q.Empty = a.Empty
	q.Debt = func(c *change.Change, self change.Account) plan.Debt { return a.Owes(p, c, self) }
	done, err := r.Reporter.Vote(ctx, q)
	r.warn(done.Warnings)
	told := toldOf(p, done)
	if len(a.Empty) > 0 {
		told.Note = strings.Replace(told.Note, string(done.Outcome), "nothing to run", 1)
	}
	return told, err
}

// toldOf says for a pass what came of a report.
func toldOf(p *config.Project, done report.Done) reconcile.Told {
	told := reconcile.Told{Outcome: done.Outcome, Note: fmt.Sprintf("%s: posted without a vote", done.Outcome)}
	switch {
	case done.Silent != "":
		told.Note = fmt.Sprintf("%s: nothing was posted: %s", done.Outcome, done.Silent)
	case done.Refused != "":
		told.Note = fmt.Sprintf("%s: posted, but Gerrit did not take the vote", done.Outcome)
		told.Refused = refusal(p, done)
	case done.Voted:
		told.Note = fmt.Sprintf("%s: voted %s", done.Outcome, voteText(p.Report.Label, done.Vote))
	}
	return told
}

// refusal is the failure that Gerrit did not take a vote.
func refusal(p *config.Project, done report.Done) error {
	return fault.New(fault.Configuration, "the label %s: %s", change.OneLine(p.Report.Label), done.Refused).
		WithHint("%s", cmp.Or(done.Advice, "give the account the right to vote on the label, or correct its name in the configuration"))
}

// voteText is a vote as Gerrit shows it; 0 takes an earlier one back.
func voteText(label string, vote int) string {
	if vote == 0 {
		return label + " 0"
	}
	return fmt.Sprintf("%s%+d", label, vote)
}
