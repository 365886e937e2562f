// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// likeProjects bounds how many names are read to find a near one.
const likeProjects = 500

// ProjectsLike lists projects whose names share a third with one that is not
// there: a slip of the pen leaves at least one third as it was. It makes one
// request (GET /projects/?r=, rest-api-projects.html in Gerrit's documentation).
func (c *Client) ProjectsLike(ctx context.Context, name string) ([]string, error) {
	var answer map[string]struct{}
	path := fmt.Sprintf("projects/?n=%d&r=%s", likeProjects, url.QueryEscape(likePattern(name)))
	if _, err := c.get(ctx, path, &answer); err != nil {
		return nil, failed("list projects like "+change.OneLine(change.Clip(name, 100)), err)
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(answer)), func(n string) bool { return n == name || n != change.OneLine(n) })
	return names[:min(len(names), likeProjects)], nil
}

// likePattern matches names with one of the three parts of a name in them. Gerrit
// matches whole names, with an automaton that gives a meaning to more signs than
// RE2 does: all but the plainest become "any sign". Names are told apart by large and
// small letters, unlike here.
func likePattern(name string) string {
	signs := []rune(name)
	part := (len(signs) + 2) / 3
	var list []string
	for some := range slices.Chunk(signs, max(part, 1)) {
		text := ""
		for _, r := range some {
			switch small := r | 0x20; {
			case small >= 'a' && small <= 'z':
				text += fmt.Sprintf("[%c%c]", small&^0x20, small)
			case r == '-' || r == '_' || r == '/' || r >= '0' && r <= '9':
				text += string(r)
			default:
				text += "."
			}
		}
		list = append(list, ".*"+text+".*")
	}
	return strings.Join(list, "|")
}

// Status returns the HTTP status that a failure came with, or 0.
func Status(err error) int {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.code
	}
	return 0
}
