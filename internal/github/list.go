// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"net/url"
	"strconv"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// list reads a list page by page, at most most entries of it; whole is false if
// there are more. The path of q ends where the parameters of the page go, and
// entries finds the list in an answer of type A: nil if there is none.
func list[A, E any](ctx context.Context, c *Client, q call, most int, entries func(A) []E) (all []E, whole bool, err error) {
	path := q.path
	for number := 1; ; number++ {
		var answer A
		v := url.Values{}
		c.page(v, strconv.Itoa(number))
		q.path = path + v.Encode()
		if _, err := c.read(ctx, q, &answer); err != nil {
			return nil, false, err
		}
		page := entries(answer)
		if page == nil { // an empty or foreign answer must not pass for an empty list
			return nil, false, fault.New(fault.Transient, "failed to %s: the answer is not what GitHub's REST API describes", q.doing).
				WithHint("check that the GitHub API URL is right")
		}
		all = append(all, page...)
		ends, _ := any(answer).(interface{ isLast() bool })
		switch {
		case c.lastPage(len(page)), ends != nil && ends.isLast():
			return all[:min(len(all), most)], len(all) <= most, nil
		case len(all) > most:
			return all[:most], false, nil
		}
	}
}
