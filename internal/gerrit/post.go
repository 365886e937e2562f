// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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
)

// Post posts a review on one revision, which may not be the current one. It is
// sent once, unless the server surely did nothing yet; an error that is
// ErrUnsettled leaves it open whether it was posted, any other one means that it
// was not. ErrGone and ErrClosed say that it never will be.
//
// A vote that the account may not cast, or that the label does not have, is left
// out: the message, which matters more, begins with a line about it then, and
// Posted.Refused has the reason. A vote that the server drops without a word is
// in Posted.Refused only. File comments that the server refuses, because the
// patchset has no such file, are left out too.
//
// Notify is NONE if the review does not say. Automatic rules for the attention
// set are turned off, so nobody is called or sent away who was not named. Gerrit
// drops a comment that is there already.
func (c *Client) Post(ctx context.Context, number int, rev change.Revision, r change.Review) (change.Posted, error) {
	what := fmt.Sprintf("post a review on change %d", number)
	id := strconv.Itoa(number)
	if _, err := change.ParseRevision(string(rev)); err != nil {
		return change.Posted{}, fault.New(fault.Ours, "failed to %s: %w", what, err)
	}
	if !c.auth {
		return change.Posted{}, noAccount(what)
	}
	d := c.draft(r)
	if len(r.Labels) > 0 || r.Attention == change.OwnerAttention {
		b, err := c.ballot(ctx, number)
		if err != nil {
			return change.Posted{}, failedOn(what, err, id)
		}
		d.fit(b)
		if len(d.posted.Refused) > 0 && b.status != change.New {
			return change.Posted{}, fault.New(fault.Permanent, "failed to %s: %w: it is %s", what, ErrClosed, strings.ToLower(string(b.status)))
		}
	}
	path := "changes/" + id + "/revisions/" + string(rev) + "/review"
	for {
		// Of the answer only the votes are read: nothing else in it may make a
		// review look lost that was posted.
		var answer gogerrit.ReviewInfo
		_, err := c.api.Call(ctx, http.MethodPost, path, d.input(), &answer)
		if err == nil {
			return d.result(answer.Labels), nil
		}
		if !d.retreat(err) {
			return change.Posted{}, notPosted(what, err, id, string(rev))
		}
	}
}

// retreat takes out of a review what the server may have refused it for, and
// reports whether there was such a thing. A refused review left nothing behind.
func (d *draft) retreat(err error) bool {
	status, ok := errors.AsType[*statusError](err)
	switch {
	case !ok || status.page:
		return false
	case status.code == http.StatusForbidden && len(d.in.Labels) > 0,
		status.code == http.StatusBadRequest && len(d.in.Labels) > 0 && strings.HasPrefix(status.reason, `label "`):
		for name := range d.in.Labels {
			d.refuse(name, status.reason)
		}
		return true
	case status.code == http.StatusBadRequest && len(d.in.Comments) > 0:
		d.in.Comments, d.posted.CommentsRefused = nil, status.reason
		return true
	}
	return false
}

// notPosted tells failures that settle a review from those that leave it open.
func notPosted(what string, err error, names ...string) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if !harmless(err) {
		e := fault.New(fault.Transient, "failed to %s: %w: %w", what, ErrUnsettled, err)
		return e.WithHint("read the messages of the change before posting again")
	}
	status, ok := errors.AsType[*statusError](err)
	if ok && status.code == http.StatusConflict && strings.Contains(status.reason, "closed") {
		return fault.New(fault.Permanent, "failed to %s: %w: %w", what, ErrClosed, status)
	}
	return failedOn(what, err, names...)
}
