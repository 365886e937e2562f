// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Repositories lists names (OWNER/NAME) of an owner's repositories, a page at
// most, the last pushed first. An organisation's list holds the private ones that
// the token may see; a user's holds the public ones.
// https://docs.github.com/rest/repos/repos
func (c *Client) Repositories(ctx context.Context, owner string) ([]string, error) {
	var answer []struct {
		FullName string `json:"full_name"`
	}
	var err error
	for _, kind := range []string{"orgs", "users"} {
		q := call{
			doing: "list the repositories of " + change.OneLine(change.Clip(owner, 100)), method: http.MethodGet,
			path:     fmt.Sprintf("%s/%s/repos?sort=pushed&per_page=%d", kind, url.PathEscape(owner), pageSize),
			deadline: readDeadline, needs: "Metadata: read", missing: "check that " + change.OneLine(change.Clip(owner, 100)) + " is right",
		}
		if _, err = c.read(ctx, q, &answer); Status(err) != http.StatusNotFound {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range answer {
		if repositoryPattern.MatchString(r.FullName) {
			names = append(names, r.FullName)
		}
	}
	return names[:min(len(names), pageSize)], nil
}

// Status returns the HTTP status that a failure came with, or 0.
func Status(err error) int {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.status
	}
	return 0
}
