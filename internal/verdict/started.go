// SPDX-License-Identifier: BSD-3-Clause

package verdict

// Started returns the message that work on a patchset has begun: a sentence,
// the pages of the runs, and a residue with outcome=running. reset tells that
// the message takes an earlier vote away.
func Started(runs []Run, reset bool) string {
	d := &draft{cleaner: newCleaner(nil)}
	var workflows []string
	r := Residue{Voted: reset}
	for _, run := range runs {
		workflows = append(workflows, run.Key.Workflow)
		r = r.with(run, Running, maxText/2)
	}
	text := titles(d.cleaner, workflows) + ": started"
	if len(runs) == 1 {
		text += attempt(runs[0])
	}
	d.add(keep, text)
	for _, run := range runs {
		d.url(runURL, run.Run.URL)
	}
	return d.fit(r.String(), maxText)
}
