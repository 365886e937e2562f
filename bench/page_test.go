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
	machine     string
	project     int64 // the size of its pack
	servers     []numbers
	snapshot    pass
	start       sample
	binary      int64
	plan, index time.Duration
	guest       guestBoot
	images      transfers
}

const introduction = `# Performance

Written by ` + "`make bench`" + `; every number was measured in the same run, on one machine:
%s.
All servers and clients run on it, so nothing waits for a network, and they share its cores.

The project has %d commits in a pack of %s, and %d open changes. Gerrit is a real one
with its default settings, the mirror is C git's http-backend behind nginx, and GitHub's REST API is
a stand-in. Durations are medians, with the shortest and the longest in parentheses.

The **old way** is what a job had to do without the dispatcher: clone the project, then fetch
and push each patchset with git. The **relay** does the same work, for all patchsets at once. **A pass**
is the whole program from its start to its end: it queries Gerrit, lists both servers' refs, reads each
new change again, relays them, claims and starts a workflow run for each, and records the runs. None of
that is in the old way's time.
`

// notes say what a reader would otherwise take for a mistake.
const notes = `
## Reading the numbers

- "Source alone" and "mirror alone" were given the same request and the same pack, from memory. The
  goal is meant for a source that walks its history for long; one that answers faster than the mirror
  stores cannot be met, since a mirror must have the whole pack before it can begin to check it.
- "Pushed" has all pushes of a pass in it: HTTP's headers, commands, claims and the records of runs.
- Gerrit makes no new deltas for what it sends unless pack.deltacompression is set, and C git makes no
  thin ones where there is a bitmap. git fetch receives the same pack from Gerrit as the relay does.
- Most of a pass over many new patchsets is spent on reading each change again before anything is done
  to it, and on one call after the other to GitHub.
- A guest by hand is one line of QEMU, and ssh again and again until it answers. Under emulation, and on
  a machine that does other work, single boots differ by half.
- The Gerrit of the large snapshot is a stand-in that only lists; its mirror is a real one.
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
	b.WriteString("| work | old way | relay | ratio | goal | a pass | ratio |\n|---|---|---|---|---|---|---|\n")
	n.hundred.versus(b, "100 new patchsets, one by one", base.total(100), "80")
	n.hundred.versus(b, "100 new patchsets, all in one fetch and one push", base.clone.median()+base.batch.median(), "")
	n.one.versus(b, "1 new patchset", base.total(1), "15")
	fmt.Fprintf(b, "\nThe old way: %s for the clone, then %s for each patchset, or %s for all 100 at once.\n",
		base.clone, base.each, base.batch)

	b.WriteString("\n| relay | source alone | mirror alone | relay | ratio to the source | goal | ratio to both |\n|---|---|---|---|---|---|---|\n")
	n.one.against(b, "1 patchset", "at most 1.2")
	n.hundred.against(b, "100 patchsets", "")

	b.WriteString("\n| bytes | C git's thin pack | Gerrit's pack | pushed | ratio to Gerrit's | goal |\n|---|---|---|---|---|---|\n")
	n.one.bytes(b, "1 patchset")
	n.hundred.bytes(b, "100 patchsets")

	b.WriteString("\n| pass | time | memory | requests to Gerrit | to the mirror | to GitHub |\n|---|---|---|---|---|---|\n")
	n.one.pass.row(b, "1 new patchset")
	n.hundred.pass.row(b, "100 new patchsets")
	n.fromEmpty.row(b, "empty mirror: the whole history and 1 patchset")
	n.idle.row(b, fmt.Sprintf("nothing to do, %d open changes", openChanges))
}

func (m work) versus(b *strings.Builder, name string, old time.Duration, goal string) {
	fmt.Fprintf(b, "| %s | %s | %s | %.0f | %s | %s | %.0f |\n", name, round(old),
		m.relay, ratio(old, m.relay.median()), goal, m.pass.wall, ratio(old, m.pass.wall.median()))
}

func (m work) against(b *strings.Builder, name, goal string) {
	fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f | %s | %.2f |\n", name, m.source, m.mirror, m.relay,
		ratio(m.relay.median(), m.source.median()), goal, ratio(m.relay.median(), m.source.median()+m.mirror.median()))
}

func (m work) bytes(b *strings.Builder, name string) {
	fmt.Fprintf(b, "| %s | %s | %s | %s | %.2f | at most 1.1 |\n", name, bytesText(m.thin), bytesText(m.sent),
		bytesText(m.pass.pushed), float64(m.pass.pushed)/float64(m.sent))
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
		most = max(most, n.one.pass.peak, n.hundred.pass.peak, n.fromEmpty.peak)
	}
	row("peak memory of any pass above, whatever the pack's size", bytesText(most), "under 40 MB")
	row("requests to Gerrit and GitHub of a pass with nothing to do, "+fmt.Sprint(openChanges)+" open changes",
		fmt.Sprint(p.servers[0].idle.gerrit+p.servers[0].idle.hub), "at most 4 (3, and 1 for the second 500)")
	row(fmt.Sprintf("peak memory, %d open changes and %d mirror refs", manyChanges, manyRefs), bytesText(p.snapshot.peak), "under 200 MB")
	row("the same, time of a pass with nothing to do", p.snapshot.wall.String(), "")
	row(fmt.Sprintf("plan over %d changes, 100000 refs, 5000 runs", manyChanges), round(p.plan), "under 50 ms")
	row("sorting that list of refs in, while it comes", round(p.index), "")
	row("from start to first request", p.start.String(), "under 100 ms")
	row("size of the program in the container action", bytesText(p.binary), "under 15 MB")
	p.guest.row(b)
	p.images.section(b)
	b.WriteString(notes)
}
