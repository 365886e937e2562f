// SPDX-License-Identifier: BSD-3-Clause

package verdict

import "github.com/spdk-community-ci/dispatcher/internal/change"

// LeftOut is a required workflow that a filter leaves out.
type LeftOut struct {
	Key change.Key
	// Why is the filter's reason; it may hold a branch's name.
	Why string
}

// Empty returns the message that filters leave every required workflow of a
// patchset out, so that there is nothing to run. voted says whether a vote goes
// with it, and refused that Gerrit did not take it.
func Empty(left []LeftOut, voted bool, vote int, refused bool) string {
	d := &draft{cleaner: newCleaner(nil)}
	r := Residue{Voted: voted && !refused, Refused: voted && refused}
	if r.Voted {
		r.Vote = vote
	}
	var workflows []string
	for _, l := range left {
		workflows = append(workflows, l.Key.Workflow)
		r = r.with(Run{Key: l.Key}, Skipped, maxText/2)
	}
	d.add(keep, titles(d.cleaner, workflows)+": nothing to run")
	d.next()
	for _, l := range left {
		d.add(otherName, "* "+title(d.cleaner, l.Key.Workflow)+": "+d.span(l.Why))
	}
	d.next()
	d.add(otherName, "A comment `recheck WORKFLOW` runs one all the same.")
	return d.fit(r.String(), maxText)
}
