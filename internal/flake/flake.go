// SPDX-License-Identifier: BSD-3-Clause

// Package flake ranks tests and jobs that seem to fail by chance, from what was
// seen and what people said: failures that went away on the same revision,
// false positives, rechecks. What we and people wrote on changes is its only
// source, so that no store is kept. It reads nothing from a server and decides
// nothing about a change.
package flake

import (
	"cmp"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	maxNames  = 10_000 // of tests and jobs that are ranked
	maxIssues = 20     // of one row
	maxName   = 200    // bytes
)

// Kind is what an event says about a name.
type Kind uint8

const (
	// Flipped: it failed and then passed on the same revision.
	Flipped Kind = iota
	// FalsePositive: somebody said that its failure is a known issue.
	FalsePositive
	// Rechecked: somebody asked to run it again after it failed.
	Rechecked
)

// Event is one thing that was seen of a test or a job.
type Event struct {
	// Name is the test's full name, or the job's: outside text.
	Name string
	Kind Kind
	// ID and Attempt are the patchset and the run in which it failed.
	ID      change.ID
	Attempt int
	At      time.Time
	// Issue is the number that a FalsePositive names, or 0.
	Issue int
}

// Row is what is known about one name.
type Row struct {
	Name string
	// Count is the number of failed runs that some event is about.
	Count int
	// Changes is how many changes those runs belong to.
	Changes int
	// Flipped, FalsePositive and Rechecked count those runs by kind; one run may
	// be of several.
	Flipped, FalsePositive, Rechecked int
	// Last is the time of the latest event.
	Last time.Time
	// Issues are the known issues' numbers, the lowest first.
	Issues []int
}

// run is one failed run of a test or a job.
type run struct {
	id      change.ID
	attempt int
}

// entry gathers the events of one name.
type entry struct {
	row  Row
	runs map[run]kinds
}

// kinds is a set of kinds, one bit each.
type kinds uint8

func (s kinds) has(k Kind) int { return int(s >> k & 1) }

// Rank joins events by name and orders the rows, the flakiest first. An event
// that is given twice counts once. What fails on many changes ranks above what
// fails often on few: one broken change fails its own test again and again.
func Rank(events []Event) []Row {
	entries := map[string]*entry{}
	for _, e := range events {
		name := change.Clip(change.OneLine(e.Name), maxName)
		known := entries[name]
		if known == nil {
			if name == "" || len(entries) == maxNames {
				continue
			}
			known = &entry{row: Row{Name: name}, runs: map[run]kinds{}}
			entries[name] = known
		}
		known.add(e)
	}
	rows := make([]Row, 0, len(entries))
	for _, known := range entries {
		rows = append(rows, known.sum())
	}
	slices.SortFunc(rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(y.Changes, x.Changes), cmp.Compare(y.Count, x.Count), y.Last.Compare(x.Last), cmp.Compare(x.Name, y.Name))
	})
	return rows
}

func (n *entry) add(e Event) {
	n.runs[run{e.ID, e.Attempt}] |= 1 << e.Kind
	if e.At.After(n.row.Last) {
		n.row.Last = e.At
	}
	if e.Issue > 0 && len(n.row.Issues) < maxIssues && !slices.Contains(n.row.Issues, e.Issue) {
		n.row.Issues = append(n.row.Issues, e.Issue)
	}
}

// sum counts runs and changes.
func (n *entry) sum() Row {
	row := n.row
	changes := map[int]bool{}
	for r, seen := range n.runs {
		changes[r.id.Change] = true
		row.Flipped += seen.has(Flipped)
		row.FalsePositive += seen.has(FalsePositive)
		row.Rechecked += seen.has(Rechecked)
	}
	row.Count, row.Changes = len(n.runs), len(changes)
	slices.Sort(row.Issues)
	return row
}
