// SPDX-License-Identifier: BSD-3-Clause

package verdict

import "github.com/spdk-community-ci/dispatcher/internal/change"

// Empty returns the message that filters leave every required workflow of a
// patchset out, so that there is nothing to run. voted says whether a vote goes
// with it, and refused that Gerrit did not take it.
func Empty(left []change.Key, voted bool, vote int, refused bool) string {
	d := &draft{cleaner: newCleaner(nil)}
	r := Residue{Voted: voted && !refused, Refused: voted && refused}
	if r.Voted {
		r.Vote = vote
	}
	var workflows []string
	for _, key := range left {
		workflows = append(workflows, key.Workflow)
		r = r.with(Run{Key: key}, Skipped, maxText/2)
	}
	d.add(keep, titles(d.cleaner, workflows)+": nothing to run")
	d.next()
	d.add(keep, "The paths and branches of the required workflows leave this patchset out. A comment `recheck` with a workflow's name runs it all the same.")
	return d.fit(r.String(), maxText)
}
