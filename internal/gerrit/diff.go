// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// diffPart is DiffContent, as far as it is used: lines of both sides, those of
// the newer one alone, or how many are left out.
type diffPart struct {
	AB   []string `json:"ab"`
	B    []string `json:"b"`
	Skip int      `json:"skip"`
}

// ChangedLines returns the lines of a file that a revision adds or changes, as
// pairs of first and last, from 1. The error is ErrGone where there is no such
// file or change.
// https://gerrit-review.googlesource.com/Documentation/rest-api-changes.html#get-diff
func (c *Client) ChangedLines(ctx context.Context, a change.Address, rev change.Revision, file string) ([][2]int, error) {
	what := fmt.Sprintf("read what change %d changes in a file", a.Number)
	if _, err := change.ParseRevision(string(rev)); err != nil {
		return nil, fault.New(fault.Ours, "failed to %s: %w", what, err)
	}
	below := fmt.Sprintf("/revisions/%s/files/%s/diff?context=0&intraline=false&whitespace=IGNORE_NONE", rev, escapeSegment(file))
	var diff struct {
		Content []diffPart `json:"content"`
	}
	if err := c.about(ctx, a, below, &diff, string(rev), file); err != nil {
		return nil, failedOn(what, err, a, string(rev), file)
	}
	return changedLines(diff.Content), nil
}

// changedLines counts through a diff.
func changedLines(parts []diffPart) [][2]int {
	lines := [][2]int{}
	line := 1
	for _, part := range parts {
		if n := len(part.B); n > 0 {
			lines = append(lines, [2]int{line, line + n - 1})
		}
		line += len(part.AB) + len(part.B) + max(part.Skip, 0)
	}
	return lines
}
