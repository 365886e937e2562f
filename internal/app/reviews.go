// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
)

// reviews lets a pass ask Gerrit in its own words.
type reviews struct{ *gerrit.Client }

// Open asks for files, votes and parents only where a filter or a gate looks at them,
// and for messages where results are told or votes count.
func (r reviews) Open(ctx context.Context, p *config.Project) ([]change.Change, error) {
	q := gerrit.Query{Project: p.Name, Extra: p.Query, MaxAge: p.MaxAge, Messages: p.Report.On()}
	for _, w := range p.Workflows {
		q.Files = q.Files || len(w.Paths)+len(w.PathsIgnore) > 0
		q.Votes = q.Votes || w.Trust.Label != ""
		q.Parents = q.Parents || w.Trust.Required()
	}
	q.Messages = q.Messages || q.Votes // they say which patchset a vote is for
	list, err := r.Client.Open(ctx, q)
	return list, listed(theChanges, p.Gerrit.URL, err)
}

// Merged asks for files only where a filter looks at them.
func (r reviews) Merged(ctx context.Context, p *config.Project, age time.Duration) ([]change.Change, error) {
	q := gerrit.Query{Project: p.Name, MaxAge: age}
	for _, w := range p.Workflows {
		q.Files = q.Files || w.PostMerge && len(w.Paths)+len(w.PathsIgnore) > 0
	}
	return r.Client.Merged(ctx, q)
}

// Change tells a change that is gone from one that cannot be read.
func (r reviews) Change(ctx context.Context, a change.Address) (change.Change, bool, error) {
	c, err := r.Client.Change(ctx, a)
	if errors.Is(err, gerrit.ErrGone) {
		return change.Change{}, false, nil
	}
	return c, err == nil, err
}

// Origin says where a commit comes from. An open change that the query leaves out is
// read whole.
func (r reviews) Origin(ctx context.Context, p *config.Project, rev change.Revision) (change.Origin, error) {
	o, err := r.Client.Origin(ctx, p.Name, rev)
	if err != nil || len(o.Branches) > 0 || o.Change == nil || o.Change.Status != change.New || o.Change.Current.Revision != rev {
		return o, err
	}
	whole, err := r.Client.Change(ctx, o.Change.Address()) // its votes count, and its messages say for what
	if errors.Is(err, gerrit.ErrGone) {
		return change.Origin{}, nil
	}
	o.Change = &whole
	return o, err
}

// Private tells which commits are those of private changes.
func (r reviews) Private(ctx context.Context, p *config.Project) (map[change.Revision]change.ID, error) {
	list, err := r.Client.Private(ctx, p.Name)
	commits := map[change.Revision]change.ID{}
	for _, c := range list {
		for _, patchset := range append(c.Earlier, c.Current) {
			commits[patchset.Revision] = change.ID{Change: c.Number, Patchset: patchset.Number}
		}
	}
	return commits, err
}

// Closed looks for closed changes of a project.
func (r reviews) Closed(ctx context.Context, p *config.Project, numbers []int) ([]change.Change, error) {
	return r.Client.Closed(ctx, p.Name, numbers)
}

// Hidden says which changes the account cannot see at all.
func (r reviews) Hidden(ctx context.Context, p *config.Project, numbers []int) (map[int]bool, error) {
	seen, err := r.Client.Visible(ctx, p.Name, numbers)
	hidden := map[int]bool{}
	for _, n := range numbers {
		_, there := seen[n]
		hidden[n] = !there && seen != nil
	}
	return hidden, err
}
