// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"strings"
	"time"
)

// place is what follows the kind in the name of an entry about what we put on the
// mirror.
func (e Entry) place() string {
	if e.Tag != "" {
		return fmt.Sprintf("tags/%s/%s", e.Revision, e.Tag)
	}
	return "heads/" + e.Branch
}

func parsePlace(e Entry, rest string) (Entry, bool) {
	if branch, ok := strings.CutPrefix(rest, "heads/"); ok {
		e.Branch = branch
		return e, CheckBranch(branch) == nil
	}
	place, ok := strings.CutPrefix(rest, "tags/")
	revision, tag, _ := strings.Cut(place, "/")
	var err error
	e.Revision, err = ParseRevision(revision)
	e.Tag = tag
	return e, ok && err == nil && CheckTag(tag) == nil
}

func parseGone(e Entry, rest string) (Entry, bool) {
	seconds, rest, _ := strings.Cut(rest, "/")
	n, ok := decimal(seconds, 18)
	e.At = time.Unix(int64(n), 0).UTC()
	if tag, isTag := strings.CutPrefix(rest, "tags/"); isTag {
		e.Tag = tag
		return e, ok && CheckTag(tag) == nil
	}
	branch, isBranch := strings.CutPrefix(rest, "heads/")
	e.Branch = branch
	return e, ok && isBranch && CheckBranch(branch) == nil
}
