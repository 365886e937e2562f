// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
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
	// WithTags asks for tags, too.
	WithTags bool
	// Tags are the objects of tags by short name, as far as they are looked at: no
	// more than MaxTags, of TagCount.
	Tags     map[string]change.Revision
	TagCount int
	// Changes are all refs about a change, by its number.
	Changes map[int][]Ref
	// Marks are the ledger refs that say when something was last done.
	Marks []Ref
	// unmoved are the ledger refs that say that a branch was refused, by its name.
	unmoved map[string][]Ref
	// Unreadable counts refs in our namespaces that we did not write.
	Unreadable int

	placed    placed
	namespace change.Namespace
	ledger    change.Ledger
}

// NewMirror returns an empty index for the given namespaces.
func NewMirror(ns change.Namespace, l change.Ledger) *Mirror {
	return &Mirror{
		Branches:  map[string]change.Revision{},
		Tags:      map[string]change.Revision{},
		placed:    newPlaced(),
		Changes:   map[int][]Ref{},
		unmoved:   map[string][]Ref{},
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
	if m.WithTags {
		prefixes = append(prefixes, tagPrefix)
	}
	return prefixes
}

const tagPrefix = "refs/tags/"

// PrefixesOf are the prefixes of the refs about one change.
func (m *Mirror) PrefixesOf(server string, number int) []string {
	about := fmt.Sprintf("%d/", number)
	prefixes := []string{fmt.Sprintf("%s%02d/%s", m.namespace, number%100, about)}
	key := change.Key{Server: server, ID: change.ID{Change: number, Patchset: 1}, Workflow: "x", Attempt: 1}.String()
	keyed := strings.TrimSuffix(key, "1/x/1") // server and change, whatever parts them
	for _, kind := range []change.EntryKind{change.Claim, change.RunOf, change.Lost, change.Carried, change.Ended, change.Asked, change.Stopped, change.Left} {
		prefixes = append(prefixes, string(m.ledger)+string(kind)+"/"+keyed)
	}
	for _, kind := range []change.EntryKind{change.Unrelayed, change.Full, change.Poisoned} {
		prefixes = append(prefixes, string(m.ledger)+string(kind)+"/"+about)
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
		m.about(Ref{Name: name, Revision: rev, ID: id})
	case strings.HasPrefix(name, tagPrefix):
		if m.TagCount++; m.TagCount <= MaxTags {
			m.Tags[name[len(tagPrefix):]] = rev
		}
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
	switch {
	case e.Kind == change.Placed, e.Kind == change.Gone, e.Kind == change.Untagged:
		m.placed.add(ref)
	case e.Kind == change.Unmoved:
		m.unmoved[e.Branch] = append(m.unmoved[e.Branch], ref)
	case !e.ID.Valid():
		m.Marks = append(m.Marks, ref)
	default:
		m.about(ref)
	}
}

// Started reports whether the ledger says that a run was started for a key, or that
// one was and not which.
func (m *Mirror) Started(key change.Key, run int64) bool {
	claimed, named, same := false, false, false
	for _, r := range m.Changes[key.Change] {
		if e := r.Entry; e.Key == key {
			claimed = claimed || e.Kind == change.Claim || e.Kind == change.RunOf
			named = named || e.Kind == change.RunOf && e.RunID != 0
			same = same || e.Kind == change.RunOf && e.RunID == run
		}
	}
	return same || claimed && !named
}

// last is when something was last done, by its marks; zero is never. One of a time to
// come is not ours: what is due would not be done until then.
func (b *builder) last(kind change.EntryKind) (last time.Time) {
	for _, r := range b.s.Mirror.Marks {
		switch e := r.Entry; {
		case e.Kind != kind:
		case e.At.After(b.now.Add(clockSlack)):
			b.refuse(e, "its time is yet to come")
		case e.At.After(last):
			last = e.At
		}
	}
	return last
}

// Mark notes that something was done at a time, in place of what was noted
// before.
type Mark struct {
	Entry change.Entry
	Old   []Ref
}

// mark plans one.
func (b *builder) mark(kind change.EntryKind, at time.Time) {
	m := Mark{Entry: change.Entry{Kind: kind, At: at}}
	for _, r := range b.s.Mirror.Marks {
		if r.Entry.Kind == kind && r.Entry.At.Unix() != at.Unix() {
			m.Old = append(m.Old, r)
		}
	}
	b.plan.Marks = append(b.plan.Marks, m)
}

// usualRefs is how many refs a change has at the least (patchset, claim, run, end): room
// for them from the start spares most of the copying.
const usualRefs = 4

// about notes a ref of a change.
func (m *Mirror) about(r Ref) {
	refs, ok := m.Changes[r.ID.Change]
	if !ok {
		refs = make([]Ref, 0, usualRefs)
	}
	m.Changes[r.ID.Change] = append(refs, r)
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

// Holds reports whether the mirror has a patchset.
func (m *Mirror) Holds(id change.ID, rev change.Revision) bool { return m.patchset(id) == rev }
