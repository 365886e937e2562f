// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Ref is one ref of the mirror that belongs to a change: the patchset itself
// (Entry.Kind is empty) or a ledger entry about it.
type Ref struct {
	Name     string
	Revision change.Revision
	// ID is the patchset that the ref is about.
	ID    change.ID
	Entry change.Entry
}

// Mirror is the mirror's ref list, sorted into what a plan asks for.
type Mirror struct {
	// Branches are the tips by short name, our own namespaces left out.
	Branches map[string]change.Revision
	// Changes are all refs about a change, by its number.
	Changes map[int][]Ref
	// LastPrune is when closed changes were last looked for; zero is never.
	LastPrune time.Time
	// PruneMarks are the ledger refs that LastPrune was read from.
	PruneMarks []Ref
	// Unreadable counts refs in our namespaces that we did not write.
	Unreadable int

	namespace change.Namespace
	ledger    change.Ledger
}

// NewMirror returns an empty index for the given namespaces.
func NewMirror(ns change.Namespace, l change.Ledger) *Mirror {
	return &Mirror{
		Branches:  map[string]change.Revision{},
		Changes:   map[int][]Ref{},
		namespace: ns,
		ledger:    l,
	}
}

// Prefixes are the ref prefixes that an index wants to see.
func (m *Mirror) Prefixes() []string {
	prefixes := []string{"refs/heads/"}
	for _, p := range []string{string(m.namespace), string(m.ledger)} {
		if !strings.HasPrefix(p, "refs/heads/") {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes
}

// Add sorts one ref in. Refs of other namespaces are ignored.
func (m *Mirror) Add(name string, rev change.Revision) {
	switch {
	case strings.HasPrefix(name, string(m.ledger)):
		m.addEntry(name, rev)
	case strings.HasPrefix(name, string(m.namespace)):
		id, err := m.namespace.Parse(name)
		if err != nil {
			m.Unreadable++
			return
		}
		m.Changes[id.Change] = append(m.Changes[id.Change], Ref{Name: name, Revision: rev, ID: id})
	default:
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			m.Branches[branch] = rev
		}
	}
}

func (m *Mirror) addEntry(name string, rev change.Revision) {
	e, err := m.ledger.Parse(name)
	if err != nil {
		m.Unreadable++
		return
	}
	ref := Ref{Name: name, Revision: rev, ID: e.ID, Entry: e}
	if e.Kind == change.Pruned {
		m.PruneMarks = append(m.PruneMarks, ref)
		if e.At.After(m.LastPrune) {
			m.LastPrune = e.At
		}
		return
	}
	m.Changes[e.ID.Change] = append(m.Changes[e.ID.Change], ref)
}

// patchset returns the revision that the mirror holds for a patchset, or "".
func (m *Mirror) patchset(id change.ID) change.Revision {
	for _, r := range m.Changes[id.Change] {
		if r.ID == id && r.Entry.Kind == "" {
			return r.Revision
		}
	}
	return ""
}

// poisoned reports whether the mirror refused this object for good.
func (m *Mirror) poisoned(id change.ID, rev change.Revision) bool {
	for _, r := range m.Changes[id.Change] {
		if r.Entry.Kind == change.Poisoned && r.Entry.Revision == rev {
			return true
		}
	}
	return false
}

// attempt is what the ledger says about the last attempt of one workflow for
// one patchset.
type attempt struct {
	number   int // 0: never claimed
	claim    change.Revision
	recorded bool      // a run record exists
	lostAt   time.Time // when it was first seen without a run
	carried  bool
}

// lastAttempt reads the ledger for one patchset and workflow.
func (m *Mirror) lastAttempt(id change.ID, workflow string) attempt {
	var a attempt
	refs := m.Changes[id.Change]
	for _, r := range refs {
		if r.ID != id || r.Entry.Key.Workflow != workflow {
			continue
		}
		switch r.Entry.Kind {
		case change.Carried:
			a.carried = true
		case change.Claim, change.RunOf:
			if n := r.Entry.Key.Attempt; n > a.number {
				a.number = n
			}
		}
	}
	for _, r := range refs {
		e := r.Entry
		if r.ID != id || e.Key.Workflow != workflow || e.Key.Attempt != a.number {
			continue
		}
		switch e.Kind {
		case change.Claim:
			a.claim = r.Revision
		case change.RunOf:
			a.recorded = true
		case change.Lost:
			if a.lostAt.IsZero() || e.At.Before(a.lostAt) {
				a.lostAt = e.At
			}
		}
	}
	return a
}
