// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Origin says where a commit of a project comes from: which branches have it, and
// which change it is a patchset of. It makes two requests at the most. A commit that
// nobody knows, or that the account may not see, has neither.
//
// Sources: user-search "commit:", and "Get Included In" of rest-api-projects, in
// Gerrit's documentation.
func (c *Client) Origin(ctx context.Context, project string, rev change.Revision) (change.Origin, error) {
	what := "look for where " + rev.Short() + " comes from"
	if err := checkProject(project); err != nil {
		return change.Origin{}, fault.New(fault.Configuration, "failed to %s: %w", what, err)
	}
	if _, err := change.ParseRevision(string(rev)); err != nil {
		return change.Origin{}, fault.New(fault.Ours, "failed to %s: %w", what, err)
	}
	text := fmt.Sprintf(`commit:%s project:"%s"`, rev, project)
	options := []string{"ALL_REVISIONS", "ALL_COMMITS", "DETAILED_ACCOUNTS", "DETAILED_LABELS", skipDiffstat}
	list, err := c.collect(ctx, text, options, func(ch *change.Change) error {
		has := func(p change.Patchset) bool { return p.Revision == rev }
		if ch.Project != project || !has(ch.Current) && !slices.ContainsFunc(ch.Earlier, has) {
			return errors.New("it was not asked for")
		}
		return nil
	})
	if err != nil {
		return change.Origin{}, failed(what, err)
	}
	o := change.Origin{}
	for i := range list {
		ch := &list[i]
		if ch.Status == change.Merged && ch.Current.Revision == rev {
			o.Branches = append(o.Branches, ch.Branch)
		}
		if o.Change == nil || ch.Status == change.New && ch.Current.Revision == rev {
			o.Change = ch
		}
	}
	if len(o.Branches) > 0 {
		return o, nil
	}
	if o.Branches, err = c.includedIn(ctx, project, rev); err != nil {
		return change.Origin{}, failed(what, err)
	}
	return o, nil
}

// includedIn lists the branches that have a commit.
func (c *Client) includedIn(ctx context.Context, project string, rev change.Revision) ([]string, error) {
	var answer struct {
		Branches []string `json:"branches"`
	}
	_, err := c.get(ctx, "projects/"+escapeSegment(project)+"/commits/"+string(rev)+"/in", &answer)
	if err == nil {
		return answer.Branches, nil
	}
	if at := (change.Address{Project: project}); lostSlash(err, project) && !gone(err, at, string(rev)) {
		err = withSlashHint(err) // there is no other way to ask
	}
	if err = failedOn("list the branches that have it", err, change.Address{Project: project}, string(rev)); errors.Is(err, ErrGone) {
		return nil, nil
	}
	return nil, err
}
