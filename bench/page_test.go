// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"fmt"
	"strings"
	"time"
)

// page is docs/performance.md before it is written.
type page struct {
	machine  string
	project  int64 // the size of its pack
	servers  []numbers
	snapshot pass
	start    sample
	binary   int64
	plan     time.Duration
}

const introduction = `# Performance

Written by ` + "`make bench`" + `; every number was measured in the same run, on one machine:
%s.
All servers and clients run on it, so nothing waits for a network, and they share its cores.

The project has %d commits in a pack of %s, and %d open changes. Gerrit is a real one
with its default settings, the mirror is C git's http-backend behind nginx, and GitHub's REST API is
a stand-in. Durations are medians, with the shortest and the longest in parentheses.

The **old way** is what a job had to do without the dispatcher: clone the project, then fetch
and push each patchset with git. **A pass** is the whole built program from its start to its end: it
queries Gerrit, lists both servers' refs, relays the patchsets, claims and starts a workflow run for
each, and records the runs. The old way's time has none of that in it but clone, fetch and push.
`

// markdown returns the page.
func (p page) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, introduction, p.machine, commits, bytesText(p.project), openChanges)
	for _, n := range p.servers {
		n.section(&b)
	}
	p.programSection(&b)
	return b.String()
}

// section writes the tables about one source server.
func (n numbers) section(b *strings.Builder) {
	fmt.Fprintf(b, "\n## A Gerrit %s in the project's repository\n\n", n.source)
	base := n.baseline
	b.WriteString("| work | old way | a pass | ratio | goal |\n|---|---|---|---|---|\n")
	n.versus(b, "1 new patchset", base.total(1), n.passOne.wall, "15")
	n.versus(b, "100 new patchsets, one by one", base.total(100), n.passHundred.wall, "80")
	n.versus(b, "100 new patchsets, all in one fetch and one push", base.clone.median()+base.batch.median(), n.passHundred.wall, "")
	fmt.Fprintf(b, "\nThe old way: %s for the clone, %s for one patchset, %s for all 100 at once.\n",
		base.clone, base.each, base.batch)

	b.WriteString("\n| work | source alone | relay | ratio | goal |\n|---|---|---|---|---|\n")
	n.against(b, "1 patchset", n.drainOne, n.relayOne, "at most 1.2")
	n.against(b, "100 patchsets", n.drainHundred, n.relayHundred, "")
	b.WriteString("\n\"Source alone\" is Gerrit's answer to the same request, thrown away; \"relay\" brings it to the mirror.\n")

	b.WriteString("\n| pack for | C git would send | Gerrit sends | we push | ratio to what Gerrit sends | goal |\n|---|---|---|---|---|---|\n")
	fmt.Fprintf(b, "| 1 patchset | %s | %s | %s | %.2f | at most 1.1 |\n", bytesText(n.thinOne), bytesText(n.sentOne),
		bytesText(n.passOne.pushed), float64(n.passOne.pushed)/float64(n.sentOne))
	fmt.Fprintf(b, "| 100 patchsets | %s | %s | %s | %.2f | at most 1.1 |\n", bytesText(n.thinHundred), bytesText(n.sentHundred),
		bytesText(n.passHundred.pushed), float64(n.passHundred.pushed)/float64(n.sentHundred))
	b.WriteString("\n\"We push\" has all pushes of a pass in it, with HTTP's headers, the claims and the records of the runs.\n")

	b.WriteString("\n| pass | time | memory | requests to Gerrit | to the mirror | to GitHub |\n|---|---|---|---|---|---|\n")
	n.passOne.row(b, "1 new patchset")
	n.passHundred.row(b, "100 new patchsets")
	n.fromEmpty.row(b, "empty mirror: the whole history and 1 patchset")
	n.idle.row(b, fmt.Sprintf("nothing to do, %d open changes", openChanges))
}

func (n numbers) versus(b *strings.Builder, work string, old time.Duration, ours sample, goal string) {
	fmt.Fprintf(b, "| %s | %s | %s | %.0f | %s |\n", work, round(old), ours, ratio(old, ours.median()), goal)
}

func (n numbers) against(b *strings.Builder, work string, source, ours sample, goal string) {
	fmt.Fprintf(b, "| %s | %s | %s | %.2f | %s |\n", work, source, ours, ratio(ours.median(), source.median()), goal)
}

func (p pass) row(b *strings.Builder, name string) {
	fmt.Fprintf(b, "| %s | %s | %s | %d (%d fetches or ref lists) | %d (%d pushes) | %d |\n",
		name, p.wall, bytesText(p.peak), p.gerrit, p.fetches, p.mirror, p.pushes, p.hub)
}

func (p page) programSection(b *strings.Builder) {
	b.WriteString("\n## The program\n\n| what | measured | goal |\n|---|---|---|\n")
	row := func(what, measured, goal string) { fmt.Fprintf(b, "| %s | %s | %s |\n", what, measured, goal) }
	most := int64(0)
	for _, n := range p.servers {
		most = max(most, n.passOne.peak, n.passHundred.peak, n.fromEmpty.peak)
	}
	row("peak memory of any pass above, whatever the pack's size", bytesText(most), "under 40 MB")
	row("requests to Gerrit and GitHub of a pass with nothing to do, "+fmt.Sprint(openChanges)+" open changes",
		fmt.Sprint(p.servers[0].idle.gerrit+p.servers[0].idle.hub), "at most 4 (3, and 1 for the second 500)")
	row(fmt.Sprintf("peak memory, %d open changes and %d mirror refs", manyChanges, manyRefs), bytesText(p.snapshot.peak), "under 200 MB")
	row("the same, time of a pass with nothing to do", p.snapshot.wall.String(), "")
	row(fmt.Sprintf("plan over %d changes, 100000 refs, 5000 runs", manyChanges), round(p.plan), "under 50 ms")
	row("from start to first request", p.start.String(), "under 100 ms")
	row("size of the program", bytesText(p.binary), "under 15 MB")
	b.WriteString("\nThe Gerrit of the large snapshot is a stand-in that only lists; its mirror is a real one.\n")
}
