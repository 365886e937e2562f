// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// MaxTags is how many tags a repository may have for the mirror to follow them.
// GitHub advises against more than 5,000 branches, and each of our pushes grows slower
// with the number of refs.
const MaxTags = 10_000

// Tag is one tag to create, to move (both set) or to delete on the mirror.
type Tag struct {
	Name     string
	Old, New change.Revision
}

// placed says what we put on the mirror, as far as the ledger knows: branches by
// their names, tags by name and object.
type placed struct {
	heads map[string]Ref
	tags  map[string][]Ref
	// gone are the entries that say since when Gerrit does not show something, by its
	// branch's and its tag's name.
	gone map[string][]Ref
	// untagged are the refs that say that tags were refused.
	untagged []Ref
}

func newPlaced() placed {
	return placed{heads: map[string]Ref{}, tags: map[string][]Ref{}, gone: map[string][]Ref{}}
}

// add takes an entry about it.
func (p *placed) add(r Ref) {
	switch e := r.Entry; {
	case e.Kind == change.Untagged:
		p.untagged = append(p.untagged, r)
	case e.Kind == change.Gone:
		p.gone[e.Branch+"\x00"+e.Tag] = append(p.gone[e.Branch+"\x00"+e.Tag], r)
	case e.Tag != "":
		p.tags[e.Tag] = append(p.tags[e.Tag], r)
	default:
		p.heads[e.Branch] = r
	}
}

// Placed is the ledger's entry about a branch that we put on the mirror.
func (m *Mirror) Placed(branch string) (r Ref, ok bool) {
	r, ok = m.placed.heads[branch]
	return r, ok
}

// putTag returns the entries about a tag: whether we put it where it is, and those
// that say that we put it elsewhere.
func (m *Mirror) putTag(name string) (ours bool, entries []Ref) {
	at := m.Tags[name]
	entries = m.placed.tags[name]
	return slices.ContainsFunc(entries, func(r Ref) bool { return at != "" && r.Entry.Revision == at }), entries
}

// PutAt is the ledger's entry that says that we put a tag at an object.
func (m *Mirror) PutAt(tag string, at change.Revision) (r Ref, ok bool) {
	i := slices.IndexFunc(m.placed.tags[tag], func(r Ref) bool { return r.Entry.Revision == at })
	if i < 0 {
		return Ref{}, false
	}
	return m.placed.tags[tag][i], true
}

// few is up to how many branches or tags may vanish at once from Gerrit without a
// doubt: more than that, and more than half of what we put on the mirror, may be a
// right to read that our account has lost.
const few = 3

// doubted warns of so many that are gone, of all that are there, which then stay.
func (b *builder) doubted(what string, gone []string, all int) bool {
	n := len(gone)
	if n == 0 || len(b.s.Source) > 0 && (n <= few || 2*n <= all) {
		return false
	}
	b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf("%d of %d %s are gone from Gerrit at once: they stay on the mirror, since our account may have lost the right to read them; if they may go, delete them there (%s)",
		n, all, what, listed(gone)))
	return true
}

// gone plans that branches which we put on the mirror leave it, once Gerrit has
// them no more.
func (b *builder) gone() {
	var names []string
	there := 0
	for _, name := range slices.Sorted(maps.Keys(b.s.Mirror.placed.heads)) {
		r := b.s.Mirror.placed.heads[name]
		tip := b.s.Mirror.Branches[name]
		if tip != "" {
			there++
		}
		switch _, inGerrit := b.s.Source[name]; {
		case inGerrit:
		case tip == "": // somebody else was first
			b.plan.Stale = append(b.plan.Stale, r)
		case tip != r.Revision:
			b.add(Action{Verb: Skip, Branch: name, Reason: "it is gone from Gerrit, but somebody else moved it on the mirror: left alone"})
		default:
			names = append(names, name)
		}
	}
	b.returned(func(e change.Entry) bool { return e.Branch != "" }, func(e change.Entry) bool { return slices.Contains(names, e.Branch) })
	if b.doubted("branches", names, there) {
		return
	}
	for _, name := range names {
		r, before := b.s.Mirror.placed.heads[name], b.refusedBranch(name)
		l := b.leave(change.Entry{Branch: name}, b.s.Source)
		if !l.until.IsZero() {
			b.add(Action{Verb: Skip, Branch: name, Reason: "gone from Gerrit; it leaves the mirror after " + when(l.until)})
			continue
		}
		a := Action{Verb: DropBranch, Branch: name, Old: r.Revision, Refs: append([]Ref{{Name: "refs/heads/" + name, Revision: r.Revision}, r}, l.since...), Reason: "gone from Gerrit", Before: before}
		if before.waits(r.Revision, b.now) {
			a = Action{Verb: Skip, Branch: name, Before: before, Reason: fmt.Sprintf("it is gone from Gerrit, but the mirror does not delete it (%s); %s", before.times(), before.Outlook())}
		}
		b.add(a)
	}
}
