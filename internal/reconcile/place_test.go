// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// patience is how long what is gone from Gerrit stays on the mirror.
const patience = 24 * time.Hour

// tagged is a world whose tags are mirrored, with a few of them.
func tagged(tags ...string) *world {
	w := newWorld(0)
	w.project.Mirror.Tags, w.project.Branches = true, []string{"**"}
	w.tags = map[string]change.Revision{}
	for i, name := range tags {
		w.tags[name] = rev(100 + i)
	}
	return w
}

// onMirror lists branches and tags of the mirror.
func (w *world) onMirror() (names []string) {
	for name, rev := range w.refs {
		if short, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			names = append(names, fmt.Sprintf("%s=%s", short, strings.TrimLeft(string(rev), "0")))
		} else if short, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			names = append(names, short)
		}
	}
	slices.Sort(names)
	return names
}

// pass makes one and returns its lines and warnings.
func (w *world) pass(t *testing.T) []string {
	t.Helper()
	r, _ := w.run(t, 0, false)
	return append(told(r), r.Warnings...)
}

// TestTags follows tags and branches of Gerrit's through their lives.
func TestTags(t *testing.T) {
	t.Parallel()
	w := tagged("v1", "v2", "v3", "v4", strings.Repeat("0a", 20))
	w.branches["old"] = rev(901)
	hex := "skip : skipped: 1 tag (" + strings.Repeat("0a", 20) + "): their names are not allowed on the mirror"
	w.refs["refs/tags/v4"] = rev(7)
	foreign := "skip : skipped: 1 tag (v4): somebody else put them there: left alone"
	expect(t, "first pass", w.pass(t), []string{"mirror master: done: new branch", "mirror old: done: new branch", "tag : done: 3 new tags (v1, v2, v3)", hex, foreign})
	expect(t, "mirror", w.onMirror(), []string{"master", "old", "v1=64", "v2=65", "v3=66", "v4=7"})
	expect(t, "idle pass", w.pass(t), []string{hex, foreign})
	if w.step != 0 {
		t.Errorf("an idle pass did %d things", w.step)
	}
	delete(w.tags, strings.Repeat("0a", 20))

	w.tags["v1"], w.tags["v5"] = rev(110), rev(105)
	delete(w.tags, "v2")
	delete(w.tags, "v4")
	delete(w.branches, "old")
	waits := []string{"skip old: skipped: gone from Gerrit; it leaves the mirror after 2026-11-25 12:00 UTC", "skip : skipped: 1 tag (v2): gone from Gerrit; the first leaves the mirror after 2026-11-25 12:00 UTC"}
	expect(t, "all that can happen", w.pass(t), append([]string{"tag : done: 1 new tag (v5), 1 moved tag (v1)"}, waits...))
	expect(t, "after that", w.pass(t), waits)
	if w.step != 0 {
		t.Errorf("a pass that waits did %d things", w.step)
	}
	w.now = w.now.Add(patience)
	expect(t, "a day later", w.pass(t), []string{"delete old: done: gone from Gerrit", "tag : done: 1 deleted tag (v2)"})
	expect(t, "mirror", w.onMirror(), []string{"master", "v1=6e", "v3=66", "v4=7", "v5=69"})
	expect(t, "after that", w.pass(t), nil)

	w.refs["refs/tags/v1"] = rev(8)
	w.branches["old/one"] = rev(902) // where a branch was
	delete(w.tags, "v3")
	w.pass(t)
	w.now = w.now.Add(patience)
	w.branches["old/one"] = rev(904)
	expect(t, "somebody moved one", w.pass(t), []string{"mirror old/one: done: moved in Gerrit", "tag : done: 1 deleted tag (v3)", "skip : skipped: 1 tag (v1): somebody else put them there: left alone"})
	w.refs["refs/heads/old/one"] = rev(903)
	delete(w.branches, "old/one")
	delete(w.tags, "v1")
	expect(t, "gone in Gerrit, moved on the mirror", w.pass(t), []string{"skip old/one: skipped: it is gone from Gerrit, but somebody else moved it on the mirror: left alone"})
	expect(t, "mirror", w.onMirror(), []string{"master", "old/one", "v1=8", "v4=7", "v5=69"})

	w.project.Mirror.Tags = false
	delete(w.tags, "v5")
	w.pass(t)
	expect(t, "switched off", w.onMirror(), []string{"master", "old/one", "v1=8", "v4=7", "v5=69"})
}

// TestLostRight: a right to read that is lost for less than a day takes nothing from
// the mirror, however little it hides.
func TestLostRight(t *testing.T) {
	t.Parallel()
	w := tagged("v1", "v2", "v3")
	w.branches["old"] = rev(901)
	w.pass(t)
	for range 3 {
		for range 2 {
			delete(w.branches, "old")
			delete(w.tags, "v3")
			w.pass(t)
			w.now = w.now.Add(patience - time.Minute)
			expect(t, "hidden", w.pass(t), []string{"skip old: skipped: gone from Gerrit; it leaves the mirror after " + w.now.Add(time.Minute).Format("2006-01-02 15:04 UTC"),
				"skip : skipped: 1 tag (v3): gone from Gerrit; the first leaves the mirror after " + w.now.Add(time.Minute).Format("2006-01-02 15:04 UTC")})
			w.branches["old"], w.tags["v3"] = rev(901), rev(102)
			expect(t, "shown again", w.pass(t), nil)
		}
		expect(t, "mirror", w.onMirror(), []string{"master", "old", "v1=64", "v2=65", "v3=66"})
		for _, ref := range w.ledger() {
			if strings.HasPrefix(ref, string(change.Gone)) {
				t.Errorf("%s stays", ref)
			}
		}
	}
	w.refs["refs/dispatcher/gone/1999999999/tags/v3"] = w.refs["refs/heads/master"] // by a clock that is wrong
	delete(w.tags, "v3")
	w.pass(t)
	w.now = w.now.Add(patience)
	expect(t, "gone for good", w.pass(t), []string{"tag : done: 1 deleted tag (v3)"})
	expect(t, "after that", w.pass(t), nil)
}

// TestNameOfAnother: a tag takes the place of one that is in the way of its name, as
// do the entries about both, and stays ours; so does a branch.
func TestNameOfAnother(t *testing.T) {
	t.Parallel()
	for _, byOthers := range []bool{false, true} { // somebody else deleted what was in the way, our entry stays
		w := tagged("v1/x")
		w.refuse = func(ref string) bool { _, there := w.refs[ref]; return !there && clashes(w.refs, ref) }
		w.branches["old/one"] = rev(901)
		w.pass(t)
		w.tags = map[string]change.Revision{"v1": rev(100)}
		w.branches["old"] = rev(901)
		delete(w.branches, "old/one")
		want := []string{"delete old/one: done: gone from Gerrit", "mirror old: done: new branch", "tag : done: 1 new tag (v1), 1 deleted tag (v1/x)"}
		if byOthers {
			delete(w.refs, "refs/tags/v1/x")
			delete(w.refs, "refs/heads/old/one")
			want = []string{"mirror old: done: new branch", "tag : done: 1 new tag (v1)"}
		}
		expect(t, "another name", w.pass(t), want)
		expect(t, "after that", w.pass(t), nil)
		w.tags["v1"] = rev(101)
		delete(w.branches, "old")
		w.pass(t)
		w.now, w.tags["v1"] = w.now.Add(patience), rev(102)
		expect(t, "both are ours", w.pass(t), []string{"delete old: done: gone from Gerrit", "tag : done: 1 moved tag (v1)"})
		expect(t, "mirror", w.onMirror(), []string{"master", "v1=66"})
	}
}

// TestRefusedTags: a mirror that does not take tags costs a push now and then, no
// pass, and no patchset.
func TestRefusedTags(t *testing.T) {
	t.Parallel()
	w := tagged("v1", "v2")
	w.upload(1, 1)
	w.refuse = func(ref string) bool { return strings.HasPrefix(ref, "refs/tags/v") }
	first := w.pass(t)
	expect(t, "first pass", first, []string{"mirror master: done: new branch", "tag : skipped: the mirror does not take 2 new tags (v1, v2): refs/tags/v1 is refused",
		"relay 1/1: done: new patchset", "dispatch 1/1/autorun.yml/1: done: new patchset"})
	quiet := "skip : skipped: the mirror does not take 2 new tags (v1, v2) (once, at 2026-11-24 12:00 UTC); tried again after 2026-11-24 13:00 UTC, and once there are others"
	expect(t, "second pass", w.pass(t), []string{quiet})
	if w.step != 0 {
		t.Errorf("a pass that waits did %d things", w.step)
	}
	w.tags["nightly"] = rev(120)
	expect(t, "another one", w.pass(t), []string{"tag : done: 1 new tag (nightly); the mirror does not take 2 new tags (v1, v2): refs/tags/v1 is refused"})
	expect(t, "after that", w.pass(t), []string{strings.Replace(quiet, "once, at 2026-11-24 12:00 UTC); tried again after 2026-11-24 13:00", "2 times, the last at 2026-11-24 12:00 UTC); tried again after 2026-11-24 18:00", 1)})
	w.refuse = nil
	w.now = w.now.Add(7 * time.Hour)
	expect(t, "allowed", w.pass(t), []string{"tag : done: 2 new tags (v1, v2)"})
	expect(t, "after that", w.pass(t), nil)
	for _, name := range w.ledger() {
		if strings.HasPrefix(name, string(change.Untagged)) {
			t.Errorf("%s stays", name)
		}
	}

	w.refuse = func(ref string) bool { return ref == "refs/heads/main" } // its default branch
	w.branches["main"] = rev(905)
	w.refs["refs/heads/main"], w.refs["refs/dispatcher/placed/heads/main"] = rev(905), rev(905)
	w.pass(t)
	delete(w.branches, "main")
	w.pass(t)
	w.now = w.now.Add(patience)
	expect(t, "a branch that stays", w.pass(t), []string{"delete main: skipped: it is gone from Gerrit, but the mirror does not delete it: refs/heads/main is refused"})
	expect(t, "after that", w.pass(t), []string{"skip main: skipped: it is gone from Gerrit, but the mirror does not delete it (once, at 2026-11-25 19:00 UTC); tried again after 2026-11-25 20:00 UTC"})
}

// TestManyTags: thousands go in several pushes, and what vanishes at once may be a
// right that was lost.
func TestManyTags(t *testing.T) {
	t.Parallel()
	w := tagged()
	for i := range 1201 {
		w.tags[fmt.Sprintf("v%04d", i)] = rev(1000 + i)
	}
	expect(t, "first pass", w.pass(t), []string{"mirror master: done: new branch", "tag : done: 1201 new tags (v0000, v0001, v0002, 1198 more)"})
	expect(t, "idle", w.pass(t), nil)
	w.tags = map[string]change.Revision{"v0000": rev(1000)}
	expect(t, "a right that was lost", w.pass(t), []string{"1200 of 1201 tags are gone from Gerrit at once: they stay on the mirror, since our account may have lost the right to read them; if they may go, delete them there (v0001, v0002, v0003, 1197 more)"})
	if n := len(w.onMirror()); n != 1202 {
		t.Errorf("the mirror has %d branches and tags, want 1202", n)
	}
	for i := range 10_001 {
		w.tags[fmt.Sprintf("v%05d", i)] = rev(1000 + i)
	}
	expect(t, "too many", w.pass(t), []string{"tags are not mirrored: there are 10002, and more than 10000 make each push slow; switch mirror-tags off to hear no more of this"})
}

// TestTagHistories plays random ones: people and foreigners change refs on both
// sides, pushes are refused, passes are killed, and then it is quiet.
func TestTagHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		h := &refHistory{T: t, world: tagged("a"), rand: rand.New(rand.NewPCG(seed, 0)), put: map[string]change.Revision{}}
		h.refuses("")
		for range 40 {
			h.event()
		}
		h.quiet()
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, strings.Join(h.log, "\n"))
		}
	}
}

// refHistory is one of them. put says what passes set refs to.
type refHistory struct {
	*testing.T
	*world
	rand *rand.Rand
	put  map[string]change.Revision
	log  []string
}

func (h *refHistory) event() {
	names := []string{"a", "b", "b/c", "d", "e", "f"}
	name, value := names[h.rand.IntN(len(names))], rev(100+h.rand.IntN(6))
	kind, ours := "refs/tags/", h.tags
	if h.rand.IntN(3) == 0 {
		kind, ours = "refs/heads/", h.branches
	}
	say := func(format string, args ...any) { h.log = append(h.log, fmt.Sprintf(format, args...)) }
	switch n := h.rand.IntN(20); {
	case n < 6 && !clashes(ours, name):
		ours[name] = value
		say("Gerrit %s%s = %s", kind, name, value[36:])
	case n < 9:
		delete(ours, name)
		say("Gerrit %s%s gone", kind, name)
	case n < 11 && !h.clashesOnMirror(kind+name):
		h.refs[kind+name] = value
		delete(h.put, kind+name)
		entry := change.Entry{Kind: change.Placed, Tag: name, Revision: value}
		if kind == "refs/heads/" {
			entry = change.Entry{Kind: change.Placed, Branch: name}
		}
		if at, noted := h.refs[change.CustomLedger.Ref(entry)]; noted && (entry.Tag != "" || at == value) {
			h.put[kind+name] = value // nobody could tell it from ours
		}
		say("mirror %s%s = %s", kind, name, value[36:])
	case n < 12:
		delete(h.refs, kind+name)
		say("mirror %s%s gone", kind, name)
	case n < 13:
		h.refuses(kind + name)
		say("refuses %s%s", kind, name)
	case n < 14:
		h.refuses("")
	case n < 15:
		h.now = h.now.Add(time.Duration(h.rand.IntN(30)) * time.Hour)
	case n < 17:
		crash, late := 1+h.rand.IntN(6), h.rand.IntN(2) == 0
		say("pass, killed at %d (%v)", crash, late)
		h.watched(crash, late)
	default:
		say("pass")
		h.watched(0, false)
	}
}

// refuses has the mirror refuse a ref, and, as always, those whose names clash.
func (h *refHistory) refuses(which string) {
	h.refuse = func(ref string) bool {
		_, there := h.refs[ref]
		return ref == which || !there && clashes(h.refs, ref)
	}
}

// clashes reports whether a name and one that is there cannot both be.
func clashes(refs map[string]change.Revision, name string) bool {
	for other := range refs {
		if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return true
		}
	}
	return false
}

func (h *refHistory) clashesOnMirror(ref string) bool { return clashes(h.refs, ref) }

// watched makes a pass and holds that it touches nothing of others.
func (h *refHistory) watched(crash int, late bool) []string {
	before := maps.Clone(h.refs)
	r, _ := h.run(h.T, crash, late)
	for ref, was := range before {
		now := h.refs[ref]
		branch := strings.HasPrefix(ref, "refs/heads/")
		if now == was || !branch && !strings.HasPrefix(ref, "refs/tags/") {
			continue
		}
		if h.put[ref] != was && (now == "" || !branch) { // a branch may go on from where others moved it
			h.Errorf("%s of somebody else went from %s to %q", ref, was, now)
		}
	}
	for ref, now := range h.refs {
		if before[ref] != now {
			h.put[ref] = now
		}
	}
	maps.DeleteFunc(h.put, func(ref string, _ change.Revision) bool { return h.refs[ref] == "" })
	if len(r.Problems) > 0 {
		h.Errorf("got the problems %v", r.Problems)
	}
	h.log = append(h.log, told(r)...)
	return r.Warnings
}

// quiet lets passes do all that is left, and looks at the outcome.
func (h *refHistory) quiet() {
	h.refuses("")
	var warnings []string
	for range 4 {
		h.now = h.now.Add(25 * time.Hour)
		warnings = h.watched(0, false)
	}
	blocked := false // a branch that the mirror refuses is tried again in each pass here
	for name := range h.branches {
		blocked = blocked || h.clashesOnMirror("refs/heads/"+name)
	}
	if h.watched(0, false); h.step != 0 && !blocked {
		h.Errorf("an idle pass did %d things", h.step)
	}
	held := func(what string) bool {
		return slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, what+" are gone from Gerrit at once") })
	}
	check := func(kind, what string, ours map[string]change.Revision) {
		for name, want := range ours {
			ref := kind + name
			if have := h.refs[ref]; have != want && !(have != "" && have != h.put[ref]) && !h.clashesOnMirror(ref) {
				h.Errorf("%s is at %q, want %s", ref, have, want)
			}
		}
		for ref, have := range h.refs {
			name, ok := strings.CutPrefix(ref, kind)
			// Killed between a refusal and what follows from it, a pass leaves an entry that
			// is not true: such a branch stays.
			entry, noted := h.refs["refs/dispatcher/placed/heads/"+name]
			untrue := kind == "refs/heads/" && noted && entry != have
			if _, inGerrit := ours[name]; ok && !inGerrit && have == h.put[ref] && !held(what) && !untrue {
				h.Errorf("%s is gone from Gerrit and still there", ref)
			}
		}
	}
	check("refs/tags/", "tags", h.tags)
	check("refs/heads/", "branches", h.branches)
	for ref := range h.refs { // nothing is left over
		tail, ok := strings.CutPrefix(ref, "refs/dispatcher/placed/")
		if !ok {
			continue
		}
		if name, isBranch := strings.CutPrefix(tail, "heads/"); isBranch && h.refs["refs/heads/"+name] == "" {
			h.Errorf("%s stays without its branch", ref)
		} else if parts := strings.SplitN(tail, "/", 3); !isBranch && h.refs["refs/tags/"+parts[2]] == "" {
			h.Errorf("%s stays without its tag", ref)
		}
	}
}
