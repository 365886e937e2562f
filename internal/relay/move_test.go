// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// outcome is what a test wants of one item.
type outcome struct {
	States  string
	Kind    fault.Kind
	Text    string // part of the error
	Refused string
}

var allDone = outcome{States: "done, done"}

// check compares results with what is wanted; Text may be a part.
func check(t *testing.T, results []ItemResult, want ...outcome) {
	t.Helper()
	if len(results) != len(want) {
		t.Fatalf("got %d results, want %d", len(results), len(want))
	}
	for i, res := range results {
		got := outcome{States: states(res), Kind: fault.KindOf(res.Err), Refused: res.Refused}
		if res.Err != nil {
			got.Text = res.Err.Error()
			if strings.Contains(got.Text, want[i].Text) && want[i].Text != "" {
				got.Text = want[i].Text
			}
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("item %d (-want +got):\n%s", i, diff)
		}
	}
}

func (b *bed) calls(t *testing.T, fetches, pushes int) {
	t.Helper()
	if len(b.fetches) != fetches || len(b.pushes) != pushes {
		t.Errorf("got %d fetches and %d pushes, want %d and %d\n%s", len(b.fetches), len(b.pushes), fetches, pushes, strings.Join(b.logged, "\n"))
	}
}

func TestMoveOneFetchOnePush(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(3)
	chain := b.commits("refs/changes/chain", b.base, commit{name: "low"}, commit{name: "high"})
	items = append(items, b.patchset(11, chain[1], chain[0]), b.patchset(10, chain[0], b.base))
	tip := b.commits("refs/heads/main", b.base, commit{name: "next"})[0]
	release := branch("release", "", b.base)
	release.OnMirror = true

	branches, patchsets := b.Move(t.Context(), []Item{branch("main", b.base, tip), release}, items)
	check(t, branches, outcome{States: "done"}, outcome{States: "done"})
	check(t, patchsets, allDone, allDone, allDone, allDone, allDone)
	b.calls(t, 1, 1)
	b.sound()

	want := map[string]change.Revision{"refs/heads/main": tip, "refs/heads/release": b.base}
	for _, it := range items {
		for _, u := range it.Updates {
			want[u.Ref] = u.New
		}
	}
	if diff := cmp.Diff(want, b.refs()); diff != "" {
		t.Errorf("mirror's refs (-want +got):\n%s", diff)
	}
	if got := b.pushes[0].Commands[0].Ref; got != "refs/heads/main" {
		t.Errorf("the push begins with %s, want the branch", got)
	}
	if got := b.pushes[0].Commands[8].Ref; got != items[4].Updates[0].Ref {
		t.Errorf("the chain begins with %s, want its lowest change", got)
	}
	if want := []string{"push of 12 refs, 1234 bytes: 0 refused"}; len(b.logged) != 1 || !sameShape(b.logged[0], want[0]) {
		t.Errorf("log: got %q, want it like %q", b.logged, want)
	}
}

// sameShape compares two log lines without their byte counts.
func sameShape(a, b string) bool {
	words := func(s string) []string {
		w := strings.Fields(s)
		return slices.Delete(w, 4, 5)
	}
	return slices.Equal(words(a), words(b))
}

func TestMoveWithoutFetch(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	it := b.patchset(1, b.base)
	it.OnMirror = true
	_, results := b.Move(t.Context(), nil, []Item{it})
	check(t, results, allDone)
	b.calls(t, 0, 1)
}

func TestMoveNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	branches, items := b.Move(t.Context(), nil, []Item{{ID: change.ID{Change: 1, Patchset: 1}, Want: b.base}})
	if len(branches) != 0 || len(items) != 1 || items[0].Err != nil {
		t.Errorf("got %v, %v; want one empty result without an error", branches, items)
	}
	b.calls(t, 0, 0)
}

func TestMoveHavesAreBoundedAndClean(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(2)
	for n := range 3000 {
		items[0].Haves = append(items[0].Haves, sha(n), sha(n))
	}
	items[1].Haves = []change.Revision{"not an id", change.ZeroRevision, b.base}
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, allDone, allDone)
	haves := b.fetches[0].Haves
	if len(haves) != 2000 || haves[0] != string(b.base) || haves[1] != string(sha(0)) || haves[2] != string(sha(1)) {
		t.Errorf("got %d haves, beginning with %q", len(haves), haves[:3])
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	good := b.single(1)[0]
	with := func(change func(*Item)) Item {
		it := b.patchset(7, good.Want)
		it.Updates = slices.Clone(it.Updates)
		change(&it)
		return it
	}
	bad := []Item{
		with(func(it *Item) { it.Updates[0].Ref = "HEAD" }),
		with(func(it *Item) { it.Updates[0].Ref = "refs/changes/../heads/main" }),
		with(func(it *Item) { it.Updates[0].Ref = "refs/changes/a b" }),
		with(func(it *Item) { it.Updates[1].Ref = "refs/secret/x" }),
		with(func(it *Item) { it.Updates[0].New = "" }),
		with(func(it *Item) { it.Updates[0].New = b.base }),
		with(func(it *Item) { it.Updates[1].New = "abc" }),
		with(func(it *Item) { it.Want = "xyz" }),
		with(func(it *Item) { it.Updates[0].Ref = good.Updates[0].Ref }),
	}
	_, results := b.Move(t.Context(), nil, append([]Item{good}, bad...))
	check(t, results[:1], allDone)
	for i, res := range results[1:] {
		if states(res) != "not tried, not tried" || !errors.Is(res.Err, fault.Ours) {
			t.Errorf("item %d: got %s, %v; want it refused as our own failure", i, states(res), res.Err)
		}
	}
	b.calls(t, 1, 1)
}

func TestAllowedMustBeSet(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.Allowed = nil
	_, results := b.Move(t.Context(), nil, b.single(1))
	check(t, results, outcome{States: "not tried, not tried", Kind: fault.Ours, Text: "must all be set"})
	deletes := b.Delete(t.Context(), []Update{{Ref: "refs/heads/main", Old: b.base}})
	if !errors.Is(deletes[0].Err, fault.Ours) {
		t.Errorf("delete: got %v, want our own failure", deletes[0].Err)
	}
	b.calls(t, 0, 0)
}

// BenchmarkMove moves a hundred patchsets: one fetch, one push.
func BenchmarkMove(b *testing.B) {
	bed := newBed(b)
	items := bed.single(100)
	for i := 0; b.Loop(); i++ {
		bed.fetches, bed.pushes, bed.pushed = nil, nil, nil
		for j := range items {
			items[j].Updates[0].Ref = fmt.Sprintf("refs/changes/bench/%d/%d", i, j)
			items[j].Updates = items[j].Updates[:1]
		}
		_, results := bed.Move(b.Context(), nil, items)
		for _, res := range results {
			if res.Err != nil {
				b.Fatal(res.Err)
			}
		}
		if len(bed.fetches) != 1 || len(bed.pushes) != 1 {
			b.Fatalf("got %d fetches and %d pushes, want one each", len(bed.fetches), len(bed.pushes))
		}
	}
}

// TestMoveLeavesForeignCommitsAlone holds that a branch of the mirror which
// somebody else committed to keeps those commits, while patchsets go on.
func TestMoveLeavesForeignCommitsAlone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	next := b.commits("refs/heads/main", b.base, commit{name: "next"})[0]
	foreign := change.Revision(b.git("", "-C", b.mirror, "commit-tree", "-m", "somebody else's", "-p", string(b.base), string(b.base)+"^{tree}"))
	b.git("", "-C", b.mirror, "update-ref", "refs/heads/main", string(foreign))
	branch := func(old change.Revision) Item {
		return Item{Want: next, Known: old, Haves: []change.Revision{old}, Updates: []Update{{Ref: "refs/heads/main", Old: old, New: next}}}
	}
	branches, items := b.Move(t.Context(), []Item{branch(foreign)}, b.single(2))
	if err := branches[0].Err; !errors.Is(err, ErrForeign) || fault.HintOf(err) == "" {
		t.Errorf("got %v, want ErrForeign with a hint", err)
	}
	check(t, items, allDone, allDone)
	if got := change.Revision(b.git("", "-C", b.mirror, "rev-parse", "refs/heads/main")); got != foreign {
		t.Errorf("main is at %s, want it where it was: %s", got, foreign)
	}
	b.git("", "-C", b.mirror, "update-ref", "refs/heads/main", string(b.base))
	branches, _ = b.Move(t.Context(), []Item{branch(b.base)}, nil)
	check(t, branches, outcome{States: "done"})
}
