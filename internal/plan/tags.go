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
	missed := names(gone) // sorted
	b.returned(isTag, func(e change.Entry) bool { _, found := slices.BinarySearch(missed, e.Tag); return found })
	if b.doubted("tags", missed, there) {
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
	return leave, slices.DeleteFunc(old, func(r Ref) bool { _, found := slices.BinarySearch(stay, r.Entry.Tag); return found })
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
