// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"net/http"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrGone says that a run, a job, an artifact or an issue is not there, or not
// any more: GitHub forgets runs and artifacts after a while.
var ErrGone = errors.New("it is not there, or not any more")

// ErrUnsettled says that a call which must not be repeated blindly may have
// been carried out or not: its answer was lost, or made no sense.
var ErrUnsettled = errors.New("whether it was done is not known")

// orGone turns the failure of a call into ErrGone where GitHub says that a
// thing is not there, and the repository is.
func (c *Client) orGone(ctx context.Context, q call, repository string, err error) error {
	e, ok := errors.AsType[*apiError](err)
	if !ok || errors.Is(e, errPage) || e.status != http.StatusNotFound && e.status != http.StatusGone {
		return err
	}
	if err := c.checkSeen(ctx, repository); err != nil {
		return err
	}
	return fault.New(fault.Permanent, "failed to %s: %w: %w", q.doing, ErrGone, e)
}

// checkSeen returns an error if a repository is not there or may not be seen:
// GitHub answers 404 to that, too.
func (c *Client) checkSeen(ctx context.Context, repository string) error {
	c.mu.Lock()
	seen := c.seen[repository]
	c.mu.Unlock()
	if seen {
		return nil
	}
	_, err := c.DefaultBranch(ctx, repository)
	return err
}

// act makes a call that must not be repeated blindly, and that GitHub answers
// with 201 when it was carried out.
func (c *Client) act(ctx context.Context, q call, repository string) error {
	resp, err := c.once(ctx, q, nil)
	switch {
	case err == nil && resp.StatusCode == http.StatusCreated:
		return nil
	case err == nil:
		err = unexpected(q, resp.StatusCode)
	case outcomeOf(err) == change.Refused:
		return c.orGone(ctx, q, repository, err)
	}
	return fault.New(fault.KindOf(err), "%w; %w", err, ErrUnsettled)
}
