// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// rank says how long a part of a message is kept when there is no room for all
// of it: the higher, the earlier it goes.
type rank int

const (
	// keep is never left out.
	keep rank = iota
	failedName
	otherName
	testName
	bestLine
	published
	runURL
	failedURL
	moreLines
	otherURL
	passedNames
	account
)

// unit is a line of a message, or (glued) the rest of the line before it.
type unit struct {
	text       string
	rank       rank
	section    int
	glued, pre bool
	// heading: it is written only if something of its section follows.
	heading bool
}

// draft is a message before it is cut to its size.
type draft struct {
	cleaner
	units   []unit
	section int
	// head waits for the first item of its list.
	head *unit
}

// next begins a section; sections have a blank line between them.
func (d *draft) next() {
	d.section++
	d.head = nil
}

func (d *draft) add(r rank, text string) {
	d.units = append(d.units, unit{text: text, rank: r, section: d.section})
}

// heading is written if an item follows.
func (d *draft) heading(r rank, text string) {
	d.head = &unit{text: text, rank: r, section: d.section, heading: true}
}

func (d *draft) item(r rank, text string) {
	if d.head != nil {
		d.units, d.head = append(d.units, *d.head), nil
	}
	d.add(r, "* "+text)
}

// glue adds to the line before. r must not outlive that line's rank.
func (d *draft) glue(r rank, text string) {
	d.units = append(d.units, unit{text: text, rank: r, section: d.section, glued: true})
}

// url adds a line with an address, if it is one.
func (d *draft) url(r rank, address string) {
	if address = d.link(address); address != "" {
		d.add(r, address)
	}
}

// glueURL adds an address to the line before, and reports whether it is one.
func (d *draft) glueURL(r rank, address string) bool {
	if address = d.link(address); address == "" {
		return false
	}
	d.glue(r, ": "+address)
	return true
}

// pre adds a line to a preformatted block.
func (d *draft) pre(r rank, line string) {
	if line = d.cleaner.pre(line); line != "" {
		d.units = append(d.units, unit{text: "    " + line, rank: r, section: d.section, pre: true})
	}
}

// fit returns the text with last as its last line, in at most limit bytes. What
// has no room is left out by rank, from the end of the text on, and counted.
func (d *draft) fit(last string, limit int) string {
	order := make([]int, len(d.units)) // unit numbers, the first to go first
	for i := range order {
		order[i] = len(order) - 1 - i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(d.units[b].rank, d.units[a].rank) })
	droppable := slices.IndexFunc(order, func(i int) bool { return d.units[i].rank == keep })
	if droppable < 0 {
		droppable = len(order)
	}
	limit -= len("\n\n" + last)
	text := d.without(nil)
	if len(text) > limit {
		limit -= len(leftOut(len(order)))
		n := sort.Search(droppable, func(n int) bool { return len(d.without(order[:n])) <= limit })
		text = d.without(order[:n]) + leftOut(n)
	}
	return text + "\n\n" + last
}

func leftOut(n int) string { return fmt.Sprintf("\n\n... %d lines left out", n) }

// without writes the text without some units.
func (d *draft) without(out []int) string {
	var b strings.Builder
	gone := make([]bool, len(d.units))
	for _, i := range out {
		gone[i] = true
	}
	var before, heading *unit
	write := func(u *unit) {
		if before != nil {
			b.WriteString(u.separator(before))
		}
		b.WriteString(u.text)
		before = u
	}
	for i := range d.units {
		u := &d.units[i]
		switch {
		case gone[i]:
			continue
		case u.heading:
			heading = u
			continue
		case heading != nil && heading.section == u.section:
			write(heading)
		}
		heading = nil
		write(u)
	}
	return b.String()
}

// separator is what stands between a unit and the one before it. Blank lines
// are around preformatted blocks, or Markdown takes them for paragraphs.
func (u *unit) separator(before *unit) string {
	switch {
	case u.glued:
		return ""
	case u.section != before.section || u.pre != before.pre:
		return "\n\n"
	}
	return "\n"
}
