// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Members returns the ids of all accounts in a group, those of the groups in it
// included. The group is named by its name, UUID or number.
func (c *Client) Members(ctx context.Context, group string) (map[int]bool, error) {
	what := fmt.Sprintf("list the members of group %q", change.OneLine(change.Clip(group, 100)))
	options := &gogerrit.ListGroupMembersOptions{Recursive: true}
	accounts, _, err := c.api.Groups.ListGroupMembers(ctx, escapeSegment(group), options)
	if lostSlash(err, group) {
		if id := c.groupID(ctx, group); id != "" {
			accounts, _, err = c.api.Groups.ListGroupMembers(ctx, id, options)
		}
	}
	if status, ok := errors.AsType[*statusError](err); ok && status.code == http.StatusNotFound {
		return nil, fault.New(fault.Configuration, "failed to %s: %w", what, status).
			WithHint("check the group's name, and that the account used may see it (\"Make group visible to all registered users\")")
	}
	if err != nil {
		return nil, failed(what, err)
	}
	members := make(map[int]bool, len(*accounts))
	for _, a := range *accounts {
		if a.AccountID > 0 {
			members[a.AccountID] = true
		}
	}
	return members, nil
}

// groupID finds a group's id by its name, in the query of a request: some proxies let no
// escaped slash pass in its path. It is "" where that fails, too.
func (c *Client) groupID(ctx context.Context, name string) string {
	var groups map[string]gogerrit.GroupInfo
	if _, err := c.get(ctx, "groups/?g="+url.QueryEscape(name), &groups); err != nil {
		return ""
	}
	id := groups[name].ID // escaped already
	if strings.ContainsAny(id, "/?#") {
		return ""
	}
	return id
}
