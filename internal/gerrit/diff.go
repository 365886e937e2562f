// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

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
	err := c.about(ctx, a, below, &diff, string(rev), file)
	if err == nil {
		return changedLines(diff.Content), nil
	}
	if !lostSlash(err, file) || gone(err, a, string(rev), file) {
		return nil, failedOn(what, err, a, string(rev), file)
	}
	lines, other := c.patchedLines(ctx, a, rev, file)
	if other != nil {
		return nil, failedOn(what, withSlashHint(err), a, string(rev), file)
	}
	return lines, nil
}

// patchedLines is ChangedLines by a request that names the file in its query, where a
// slash needs no escape. A merge has no patch.
// https://gerrit-review.googlesource.com/Documentation/rest-api-changes.html#get-patch
func (c *Client) patchedLines(ctx context.Context, a change.Address, rev change.Revision, file string) ([][2]int, error) {
	var patch string // it is JSON because go-gerrit asks for that (RestApiServlet#replyBinaryResult)
	if err := c.about(ctx, a, "/revisions/"+string(rev)+"/patch?path="+url.QueryEscape(file), &patch, string(rev)); err != nil {
		return nil, err
	}
	return addedLines(patch), nil
}

// hunkPattern is where the newer side of a hunk begins.
var hunkPattern = regexp.MustCompile(`^@@ -[0-9]+(?:,[0-9]+)? \+([0-9]{1,9})(?:,[0-9]+)? @@`)

// addedLines reads a unified diff of one file.
func addedLines(patch string) [][2]int {
	lines := [][2]int{}
	at := 0 // the next line of the newer side; 0 is before the first hunk
	for text := range strings.Lines(patch) {
		if hunk := hunkPattern.FindStringSubmatch(text); hunk != nil {
			n, _ := strconv.Atoi(hunk[1]) // digits
			at = max(n, at, 1)
			continue
		}
		if at == 0 || text[0] != '+' && text[0] != ' ' {
			continue
		}
		if text[0] == '+' {
			if last := len(lines) - 1; last >= 0 && lines[last][1] == at-1 {
				lines[last][1] = at
			} else {
				lines = append(lines, [2]int{at, at})
			}
		}
		at++
	}
	return lines
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
