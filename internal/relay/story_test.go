// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// chains makes n chains of the given length on main, as patchsets numbered
// from 1, and with them the place of each bad commit in the order.
func (b *bed) chains(n, length int) []Item {
	b.t.Helper()
	lines := make([]line, n)
	for i := range lines {
		lines[i] = line{ref: fmt.Sprintf("refs/changes/chain-%d", i), from: b.base}
		for j := range length {
			lines[i].chain = append(lines[i].chain, commit{name: fmt.Sprintf("c%d-%d", i, j)})
		}
	}
	var items []Item
	for _, ids := range b.grow(lines...) {
		parent := b.base
		for _, id := range ids {
			items = append(items, b.patchset(len(items)+1, id, parent))
			parent = id
		}
	}
	return items
}

// spoil replaces item i by a malformed commit on the same parent.
func (b *bed) spoil(items []Item, i int) {
	b.t.Helper()
	it := &items[i]
	it.Want = b.malformed(it.Parents[0], fmt.Sprint("bad-", i))
	for j := range it.Updates {
		it.Updates[j].New = it.Want
	}
}

// restack puts item i onto item parent, with a commit of its own.
func (b *bed) restack(items []Item, i, parent int) {
	b.t.Helper()
	name := fmt.Sprint("restacked-", i)
	want := b.commits("refs/changes/"+name, items[parent].Want, commit{name: name})[0]
	items[i] = b.patchset(i+1, want, items[parent].Want)
}

// TestStoryTwoBadObjects: forty patchsets in ten chains, two of them malformed.
// Everything but what stands on them lands, and only they are blamed.
func TestStoryTwoBadObjects(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.config("receive.fsckObjects", "true")
	items := b.chains(10, 4)
	b.spoil(items, 9) // the second of the third chain
	b.restack(items, 10, 9)
	b.restack(items, 11, 10)
	b.spoil(items, 31) // the top of the eighth
	slices.Reverse(items)
	_, results := b.Move(t.Context(), nil, items)
	slices.Reverse(results)

	want := repeat(40, allDone)
	culprit := outcome{States: "refused, refused", Kind: fault.Permanent, Text: "missingSpaceBeforeEmail", Refused: change.Malformed}
	held := outcome{States: "not tried, not tried", Kind: fault.Permanent, Text: "held: its parent patchset 10/1 was refused"}
	want[9], want[31], want[10], want[11] = culprit, culprit, held, held
	check(t, results, want...)
	b.sound()
	if n := len(b.pushes); n > 8 {
		t.Errorf("got %d pushes, want at most 8: git names the bad objects\n%s", n, strings.Join(b.logged, "\n"))
	}
}

// largeFiles refuses pushes like GitHub's check for large files: all refs, if
// one commit's subject begins with LARGE.
const largeFiles = `while read -r old new ref; do
	git rev-list --format=%s "$new" --not --all | grep -q ^LARGE && {
		echo "error: GH001: Large files detected." >&2
		exit 1
	}
done
exit 0`

// TestStoryHookRefusesAll: the mirror does not say whose file is too large.
func TestStoryHookRefusesAll(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.hook("pre-receive", largeFiles)
	items := b.chains(5, 4)
	for _, i := range []int{3, 13} {
		parent := items[i].Parents[0]
		name := fmt.Sprint("LARGE-", i)
		want := b.commits("refs/changes/"+name, parent, commit{name: name})[0]
		items[i] = b.patchset(i+1, want, parent)
	}
	b.restack(items, 14, 13)
	b.restack(items, 15, 14)
	tip := b.commits("refs/heads/main", b.base, commit{name: "next"})[0]
	branches, results := b.Move(t.Context(), []Item{branch("main", b.base, tip)}, items)

	check(t, branches, outcome{States: "done"})
	want := repeat(20, allDone)
	culprit := outcome{States: "refused, refused", Kind: fault.Permanent, Text: "a file is over the mirror's size limit", Refused: change.LargeFile}
	held := outcome{States: "not tried, not tried", Kind: fault.Permanent, Text: "held: its parent patchset 14/1 was refused"}
	want[3], want[13], want[14], want[15] = culprit, culprit, held, held
	check(t, results, want...)
	if n := len(b.pushes); n > 18 {
		t.Errorf("got %d pushes, want at most 18\n%s", n, strings.Join(b.logged, "\n"))
	}
	if refs := b.pushes[1].Commands; len(refs) != 1 || refs[0].Ref != "refs/heads/main" {
		t.Errorf("second push: got %v, want the branch alone", refs)
	}
}

// TestBadBranch: while a branch is refused, nobody can tell whether what is
// refused above it is at fault itself.
func TestBadBranch(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.config("receive.fsckObjects", "true")
	tip := b.malformed(b.base, "tip")
	on := b.commits("refs/changes/on", tip, commit{name: "on"})[0]
	above := b.commits("refs/changes/above", tip, commit{name: "below"}, commit{name: "above"})
	items := append(b.single(2), b.patchset(3, on, tip), b.patchset(4, above[1], above[0]))
	branches, results := b.Move(t.Context(), []Item{branch("main", b.base, tip)}, items)
	check(t, branches, outcome{States: "refused", Kind: fault.Permanent, Text: "missingSpaceBeforeEmail", Refused: change.Malformed})
	check(t, results, allDone, allDone,
		outcome{States: "refused, refused", Kind: fault.Permanent, Text: "held: its parent branch main was refused"},
		outcome{States: "refused, refused", Kind: fault.Permanent, Text: "it may be a commit that it brings along", Refused: change.Borrowed})
}

// TestSecretsInAChain: refused ref by ref, the lowest one is to blame.
func TestSecretsInAChain(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.chains(1, 3)
	b.hook("update", `case "$1" in refs/changes/02/*|refs/changes/03/*) exit 1;; esac`)
	b.tamper = func(rep *gitwire.Report) {
		for i := range rep.Results {
			if rep.Results[i].Reason != "" {
				rep.Results[i].Reason = "push declined due to repository rule violations"
			}
		}
		rep.Messages = "- GITHUB PUSH PROTECTION\n    - Push cannot contain secrets\n"
	}
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, allDone,
		outcome{States: "refused, done", Kind: fault.Permanent, Text: "it holds a secret", Refused: change.Secret},
		outcome{States: "refused, done", Kind: fault.Permanent, Text: "held: its parent patchset 2/1 was refused"})
	b.calls(t, 1, 1)
}

// TestUnknownTextIsNeverDefinite: a text that nobody knows may be the mirror's own
// trouble, also where others got through. Its culprit is found all the same, after
// it was heard again.
func TestUnknownTextIsNeverDefinite(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(4)
	b.hook("pre-receive", "! grep -q "+items[1].Updates[0].Ref)
	b.tamper = func(rep *gitwire.Report) {
		if rep.Results[0].Reason != "" {
			rep.Unpack = "the moon is full"
		}
	}
	unknown := outcome{States: "refused, refused", Kind: fault.Transient, Text: "the moon is full"}
	_, results := b.Move(t.Context(), nil, items[1:2])
	check(t, results, unknown)
	b.calls(t, 3, 3)
	if diff := cmp.Diff([]time.Duration{2 * time.Second, 8 * time.Second}, b.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	_, results = b.Move(t.Context(), nil, items)
	check(t, results, allDone, unknown, allDone, allDone)
}

// TestSizeLimits: too much for one push, by the mirror's count or ours.
func TestSizeLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  func(b *bed)
	}{
		{"the mirror's limit", func(b *bed) { b.config("receive.maxInputSize", "30000") }},
		{"our limit", func(b *bed) { b.MaxPack = 30000 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			tt.set(b)
			lines := make([]line, 4)
			for i := range lines {
				lines[i] = line{fmt.Sprint("refs/changes/", i), b.base, []commit{{name: fmt.Sprint("c", i), files: 1, size: 20000}}}
			}
			lines[2].chain[0].size = 90000
			var items []Item
			for i, ids := range b.grow(lines...) {
				items = append(items, b.patchset(i+1, ids[0], b.base))
			}
			_, results := b.Move(t.Context(), nil, items)
			check(t, results, allDone, allDone,
				outcome{States: "refused, refused", Kind: fault.Permanent, Text: "limit", Refused: change.TooLarge}, allDone)
			b.calls(t, 6, 5) // one to see that the large patchset's pack is its own
			b.sound()
		})
	}
}
