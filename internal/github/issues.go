// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Issue tells whether an issue is open, and its title, which is outside text.
// The error is ErrGone where there is no such issue, and Permanent where the
// number is a pull request's or the issue moved to another repository.
// https://docs.github.com/rest/issues/issues#get-an-issue
func (c *Client) Issue(ctx context.Context, repository string, number int) (open bool, title string, err error) {
	q, err := issueCall("read", repository, number)
	if err != nil {
		return false, "", err
	}
	var answer struct {
		Number int       `json:"number"`
		State  string    `json:"state"`
		Title  string    `json:"title"`
		Pull   *struct{} `json:"pull_request"`
	}
	if _, err := c.read(ctx, q, &answer); err != nil {
		return false, "", c.orGone(ctx, q, repository, err)
	}
	c.markSeen(repository)
	switch {
	case answer.Pull != nil:
		return false, "", fault.New(fault.Permanent, "failed to %s: #%d is a pull request", q.doing, number)
	case answer.State != "open" && answer.State != "closed":
		return false, "", unexpected(q, http.StatusOK)
	case answer.Number != number: // GitHub redirects to where it is now
		return false, "", fault.New(fault.Permanent, "failed to %s: the issue was moved to another repository", q.doing)
	}
	return answer.State == "open", answer.Title, nil
}

// CommentIssue adds a comment, Markdown, to an issue. What GitHub would not take
// of a long body is left out. It is sent once: after ErrUnsettled the comment
// may be there or not. The error is ErrGone where there is no such issue.
// https://docs.github.com/rest/issues/comments#create-an-issue-comment
func (c *Client) CommentIssue(ctx context.Context, repository string, number int, body string) error {
	q, err := issueCall("comment on", repository, number)
	if err != nil {
		return err
	}
	const mark = "..." // of change.Clip
	body = strings.ToValidUTF8(body, "\uFFFD")
	if len(body) > maxComment {
		body = change.Clip(body, maxComment-len(mark))
	}
	if strings.TrimSpace(body) == "" {
		return fault.New(fault.Ours, "failed to %s: the comment is empty", q.doing)
	}
	q.method, q.path, q.needs = http.MethodPost, q.path+"/comments", "Issues: write"
	q.body = map[string]string{"body": body}
	return c.act(ctx, q, repository)
}

// maxRemarks bounds how many comments of an issue are looked through.
const maxRemarks = 300

// Commented tells whether an issue has a comment since then that holds a text. The
// error is ErrGone where there is no such issue, and Permanent where it has more
// comments than are looked through.
// https://docs.github.com/rest/issues/comments#list-issue-comments
func (c *Client) Commented(ctx context.Context, repository string, number int, text string, since time.Time) (bool, error) {
	q, err := issueCall("read the comments on", repository, number)
	if err != nil {
		return false, err
	}
	q.path += "/comments?since=" + since.UTC().Format(time.RFC3339) + "&"
	q.deadline = listDeadline
	type comment struct {
		Body string `json:"body"`
	}
	comments, whole, err := list(ctx, c, q, maxRemarks, func(page []comment) []comment { return page })
	if err != nil {
		return false, c.orGone(ctx, q, repository, err)
	}
	found := slices.ContainsFunc(comments, func(x comment) bool { return strings.Contains(x.Body, text) })
	if !found && !whole {
		return false, fault.New(fault.Permanent, "failed to %s: there are more than %d since %s", q.doing, maxRemarks, since.UTC().Format(time.RFC3339))
	}
	return found, nil
}

// issueCall makes the call that reads an issue.
func issueCall(verb, repository string, number int) (call, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return call{}, err
	}
	if number <= 0 {
		return call{}, fault.New(fault.Permanent, "%d is not the number of an issue", number)
	}
	return call{
		doing:  fmt.Sprintf("%s issue #%d of %s", verb, number, repository),
		method: http.MethodGet, path: fmt.Sprintf("%s/issues/%d", path, number),
		deadline: actDeadline, needs: "Issues: read", missing: checkRepository(repository),
	}, nil
}
