// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

var (
	// ErrUnsettled says that a review may have been posted or not: the change's
	// messages tell.
	ErrUnsettled = errors.New("it is not known whether the server took it")
	// ErrClosed says that a change takes no such vote any more: it is abandoned,
	// or merged with a better one. Nothing was posted.
	ErrClosed = errors.New("the change is closed")
	// ErrFull is change.ErrFull.
	ErrFull = change.ErrFull
)

// Post posts a review on one revision, which may not be the current one. It is
// sent once, unless the server surely did nothing yet; an error that is
// ErrUnsettled leaves it open whether it was posted, any other one means that it
// was not. ErrGone, ErrClosed and ErrFull say that it never will be.
//
// The message and the votes matter more than the rest. What the server refuses is
// left out, part by part (see change.Part), until it takes what is left;
// Posted.Dropped names the parts. A vote that the account may not cast, or that
// the label does not have, is left out, too: the message is the review's Unvoted
// one then and begins with a line about the vote, Posted.Refused has the reason
// and Posted.Advice what a person can do. A vote that the server drops without a
// word is in Posted.Refused, and Posted.Claimed is set. A review that is
// OnlyVoted is not posted without its votes.
//
// Notify is NONE if the review does not say. Automatic rules for the attention
// set are turned off, so nobody is called or sent away who was not named. Gerrit
// drops a comment that is there already. Labels are found whatever their case, as
// Gerrit finds them (LabelTypes#byLabel).
func (c *Client) Post(ctx context.Context, a change.Address, rev change.Revision, r change.Review) (change.Posted, error) {
	what := fmt.Sprintf("post a review on change %d", a.Number)
	if _, err := change.ParseRevision(string(rev)); err != nil {
		return change.Posted{}, fault.New(fault.Ours, "failed to %s: %w", what, err)
	}
	if !c.auth {
		return change.Posted{}, noAccount(what)
	}
	d := c.draft(r)
	var b ballot
	if len(r.Labels) > 0 || r.Attention == change.OwnerAttention {
		var err error
		if b, err = c.ballot(ctx, a); err != nil {
			return change.Posted{}, failedOn(what, err, a)
		}
		d.fit(&b)
		if len(d.posted.Refused) > 0 && b.status != change.New {
			return change.Posted{}, fault.New(fault.Permanent, "failed to %s: %w: it is %s", what, ErrClosed, strings.ToLower(string(b.status)))
		}
	}
	path, err := c.pathOf(ctx, a)
	if err != nil {
		return change.Posted{}, failedOn(what, err, a)
	}
	posted, err := c.send(ctx, path+"/revisions/"+string(rev)+"/review", d)
	if err != nil {
		return change.Posted{}, notPosted(what, err, a, string(rev))
	}
	posted.Advice = c.advice(ctx, &b, r.Labels, posted.Refused)
	return posted, nil
}

// send sends a review, and again without a part that the server refuses.
func (c *Client) send(ctx context.Context, path string, d *draft) (change.Posted, error) {
	for {
		if d.review.OnlyVoted && len(d.posted.Refused) > 0 {
			return d.posted, nil
		}
		// Of the answer only the votes are read: nothing else in it may make a
		// review look lost that was posted.
		var answer gogerrit.ReviewInfo
		_, err := c.api.Call(ctx, http.MethodPost, path, d.input(), &answer)
		switch {
		case err == nil:
			return d.result(answer.Labels), nil
		case d.retreat(err):
		case d.first != nil && harmless(err) && !errors.Is(err, fault.Transient):
			return change.Posted{}, d.first // the others were about less and less
		default:
			return change.Posted{}, err
		}
	}
}

// final returns ErrFull or ErrClosed if a status says so, or nil:
// NoteDbUpdateManager, PostReviewOp (seen on a real 3.13.5).
func final(status *statusError) error {
	switch {
	case status.code != http.StatusConflict:
		return nil
	case fullChange.MatchString(status.reason):
		return ErrFull
	case closedChange.MatchString(status.reason):
		return ErrClosed
	}
	return nil
}

var (
	fullChange   = regexp.MustCompile(`^Change \d+ may not exceed \d+ updates`)
	closedChange = regexp.MustCompile(`closed|^Voting on labels disallowed after submit`)
)

// notPosted tells failures that settle a review from those that leave it open.
func notPosted(what string, err error, a change.Address, parts ...string) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if !harmless(err) {
		e := fault.New(fault.Transient, "failed to %s: %w: %w", what, ErrUnsettled, err)
		return e.WithHint("read the messages of the change before posting again")
	}
	if status, ok := errors.AsType[*statusError](err); ok {
		end := final(status)
		if blamesSum.MatchString(status.reason) {
			end = ErrFull // and no shorter message helped
		}
		if end == ErrFull {
			return fault.New(fault.Configuration, "failed to %s: %w: %w", what, end, status).
				WithHint("go on in a new change, or raise change.maxUpdates or change.cumulativeCommentSizeLimit in gerrit.config")
		}
		if end != nil {
			return fault.New(fault.Permanent, "failed to %s: %w: %w", what, end, status)
		}
	}
	return failedOn(what, err, a, parts...)
}
