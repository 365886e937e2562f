// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// relatedInfo is RelatedChangeAndCommitInfo, as far as it is used.
type relatedInfo struct {
	Commit struct {
		Commit  string `json:"commit"`
		Subject string `json:"subject"`
	} `json:"commit"`
	Number   int    `json:"_change_number"`
	Patchset int    `json:"_revision_number"`
	Current  int    `json:"_current_revision_number"`
	Status   string `json:"status"`
}

// Related returns the relation chain of a patchset, its tip first: what builds on
// the change, the change itself, and what the patchset builds on, merged and
// abandoned changes included. A patchset without relatives has an empty one. A
// member's Current differs from its Patchset where the chain builds on an old
// one. The error is ErrGone where there is no such change or patchset.
func (c *Client) Related(ctx context.Context, a change.Address, rev change.Revision) ([]change.Related, error) {
	what := fmt.Sprintf("read the relation chain of change %d", a.Number)
	if _, err := change.ParseRevision(string(rev)); err != nil {
		return nil, fault.New(fault.Ours, "failed to %s: %w", what, err)
	}
	var answer struct {
		Changes []relatedInfo `json:"changes"`
	}
	if err := c.about(ctx, a, "/revisions/"+string(rev)+"/related", &answer, string(rev)); err != nil {
		return nil, failedOn(what, err, a, string(rev))
	}
	var chain []change.Related
	for _, info := range answer.Changes {
		if info.Number == 0 {
			continue // a commit that never was a change
		}
		r, err := decodeRelated(info)
		if err != nil {
			c.notes(change.OneLine(fmt.Sprintf("change %d: a member of its relation chain is left out: %v", a.Number, err)))
			continue
		}
		chain = append(chain, r)
	}
	return chain, nil
}

func decodeRelated(info relatedInfo) (change.Related, error) {
	revision, err := change.ParseRevision(info.Commit.Commit)
	if err != nil {
		return change.Related{}, err
	}
	r := change.Related{
		ID: change.ID{Change: info.Number, Patchset: info.Patchset}, Current: info.Current, Revision: revision,
		Status: change.Status(info.Status), Subject: change.Clip(info.Commit.Subject, maxText),
	}
	if !r.Valid() || r.Current < r.Patchset {
		return change.Related{}, fmt.Errorf("patchset %s of %d cannot be", r.ID, r.Current)
	}
	return r, checkStatus(r.Status)
}
