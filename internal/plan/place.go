// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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

func tooMany(gone, all int) bool { return gone > few && 2*gone > all }

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
	if tooMany(len(names), there) || len(b.s.Source) == 0 && len(names) > 0 {
		b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf("%d of %d branches are gone from Gerrit at once: they stay on the mirror, since our account may have lost the right to read them; if they may go, delete them there (%s)",
			len(names), there, listed(names)))
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

// tags plans that the mirror's tags follow Gerrit's.
func (b *builder) tags() {
	isTag := func(e change.Entry) bool { return e.Tag != "" }
	if !b.p.Mirror.Tags {
		b.returned(isTag, func(change.Entry) bool { return false })
		return
	}
	if n := max(b.s.TagCount, b.s.Mirror.TagCount); n > MaxTags {
		b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf("tags are not mirrored: there are %d, and more than %d make each push slow; switch mirror-tags off to hear no more of this", n, MaxTags))
		return
	}
	var set, gone []Tag
	var unfit, foreign []string
	var old []Ref
	for _, name := range slices.Sorted(maps.Keys(b.s.Tags)) {
		want, have := b.s.Tags[name], b.s.Mirror.Tags[name]
		ours, entries := b.s.Mirror.putTag(name)
		switch {
		case change.CheckTag(name) != nil:
			unfit = append(unfit, name)
		case have == want:
			b.forgetTags(entries, want)
		case have == "":
			b.forgetTags(entries, want)
			set = append(set, Tag{Name: name, New: want})
		case ours:
			set = append(set, Tag{Name: name, Old: have, New: want})
			old = append(old, except(entries, want)...)
		default:
			foreign = append(foreign, name)
		}
	}
	there := 0
	for _, name := range slices.Sorted(maps.Keys(b.s.Mirror.placed.tags)) {
		ours, entries := b.s.Mirror.putTag(name)
		if ours {
			there++
		}
		switch _, inGerrit := b.s.Tags[name]; {
		case inGerrit:
		case ours:
			gone = append(gone, Tag{Name: name, Old: b.s.Mirror.Tags[name]})
			old = append(old, entries...)
		default:
			b.plan.Stale = append(b.plan.Stale, entries...)
		}
	}
	missed := names(gone)
	b.returned(isTag, func(e change.Entry) bool { return slices.Contains(missed, e.Tag) })
	if tooMany(len(gone), there) || len(b.s.Source) == 0 && len(gone) > 0 {
		b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf("%d of %d tags are gone from Gerrit at once: they stay on the mirror, since our account may have lost the right to read them; if they may go, delete them there (%s)",
			len(gone), there, listed(names(gone))))
		old = slices.DeleteFunc(old, func(r Ref) bool { _, inGerrit := b.s.Tags[r.Entry.Tag]; return !inGerrit })
		gone = nil
	}
	gone, old = b.leavingTags(gone, old)
	b.tell("their names are not allowed on the mirror", unfit)
	b.tell("somebody else put them there: left alone", foreign)
	b.moveTags(append(set, gone...), old)
}

// leavingTags leaves out those that stay for a while, and the entries about them.
func (b *builder) leavingTags(gone []Tag, old []Ref) ([]Tag, []Ref) {
	var leave []Tag
	var stay []string
	var until time.Time
	for _, t := range gone {
		l := b.leave(change.Entry{Tag: t.Name}, b.s.Tags)
		if l.until.IsZero() {
			leave, old = append(leave, t), append(old, l.since...)
			continue
		}
		if stay = append(stay, t.Name); until.IsZero() || l.until.Before(until) {
			until = l.until
		}
	}
	b.tell("gone from Gerrit; the first leaves the mirror after "+when(until), stay)
	return leave, slices.DeleteFunc(old, func(r Ref) bool { return slices.Contains(stay, r.Entry.Tag) })
}

// moveTags plans what is to be done, unless just that was refused a short while ago.
func (b *builder) moveTags(tags []Tag, old []Ref) {
	before := b.refusalOf(change.Untagged, b.s.Mirror.placed.untagged, time.Time{})
	switch {
	case len(tags) == 0:
		b.plan.Stale = append(b.plan.Stale, before.Refs...)
	case before.Known() && before.Revision == Digest(tags) && before.Next().After(b.now):
		b.add(Action{Verb: Skip, Before: before, Reason: fmt.Sprintf("the mirror does not take %s (%s); %s, and once there are others", Counted(tags), before.times(), before.Outlook())})
	default:
		b.add(Action{Verb: MirrorTags, Tags: tags, Refs: old, Reason: Counted(tags), Before: before})
	}
}

// tell adds one quiet line about tags that are left out.
func (b *builder) tell(why string, all []string) {
	if len(all) > 0 {
		b.add(Action{Verb: Skip, Reason: fmt.Sprintf("%s: %s", counted(len(all), all), why)})
	}
}

// forgetTags drops the entries about a tag that say that it is elsewhere.
func (b *builder) forgetTags(entries []Ref, at change.Revision) {
	b.plan.Stale = append(b.plan.Stale, except(entries, at)...)
}

func except(entries []Ref, at change.Revision) []Ref {
	return slices.DeleteFunc(slices.Clone(entries), func(r Ref) bool { return r.Entry.Revision == at })
}

func names(tags []Tag) (all []string) {
	for _, t := range tags {
		all = append(all, t.Name)
	}
	return all
}

// Digest tells one set of updates of tags from others, as an object id does.
func Digest(tags []Tag) change.Revision {
	lines := make([]string, 0, len(tags))
	for _, t := range tags {
		lines = append(lines, t.Name+" "+string(t.New)+"\n")
	}
	slices.Sort(lines)
	sum := sha1.Sum([]byte(strings.Join(lines, "")))
	return change.Revision(hex.EncodeToString(sum[:]))
}

// Counted says in words what updates of tags come to: "2 new tags (a, b), 1 moved (c)".
func Counted(tags []Tag) string {
	kinds := []string{"new", "moved", "deleted"}
	of := make([][]string, len(kinds))
	for _, t := range tags {
		kind := 0
		switch {
		case t.New == "":
			kind = 2
		case t.Old != "":
			kind = 1
		}
		of[kind] = append(of[kind], t.Name)
	}
	var parts []string
	for kind, list := range of {
		if len(list) > 0 {
			parts = append(parts, strings.Replace(counted(len(list), list), " tag", " "+kinds[kind]+" tag", 1))
		}
	}
	return strings.Join(parts, ", ")
}

// counted names some tags and their number.
func counted(n int, all []string) string {
	word := "tags"
	if n == 1 {
		word = "tag"
	}
	return fmt.Sprintf("%d %s (%s)", n, word, listed(all))
}
