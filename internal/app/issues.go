// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	talk "github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
)

// issues are those of a repository on GitHub.
type issues struct{ *github.Client }

// Issue tells what is known of an issue. A pull request is none.
func (i issues) Issue(ctx context.Context, repository string, number int) (talk.Issue, error) {
	open, _, err := i.Client.Issue(ctx, repository, number)
	switch {
	case errors.Is(err, github.ErrGone), errors.Is(err, fault.Permanent):
		return talk.Missing, nil
	case err != nil:
		return talk.Missing, err
	case open:
		return talk.Open, nil
	}
	return talk.Closed, nil
}

// Note comments once.
func (i issues) Note(ctx context.Context, repository string, number int, body, mark string, since time.Time) error {
	there, err := i.Commented(ctx, repository, number, mark, since)
	if err != nil || there {
		return err
	}
	return i.CommentIssue(ctx, repository, number, body)
}

// rerunner turns GitHub's answer to a rerun into an outcome.
type rerunner struct{ *github.Client }

// Rerun runs the failed jobs of a run again.
func (r rerunner) Rerun(ctx context.Context, repository string, runID int64) (change.Outcome, error) {
	err := r.Client.Rerun(ctx, repository, runID, true)
	switch {
	case err == nil:
		return change.Accepted, nil
	case errors.Is(err, github.ErrUnsettled):
		return change.Unsettled, err
	}
	return change.Refused, err
}
