// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// sha makes a well-formed object id out of a number.
func sha(n int) change.Revision { return change.Revision(fmt.Sprintf("%040x", n+1)) }

// chainItems makes items from a table of parents: parents[i] are the members
// that item i stands on.
func chainItems(parents [][]int) []Item {
	items := make([]Item, len(parents))
	for i := range items {
		items[i] = Item{ID: change.ID{Change: i + 1, Patchset: 1}, Want: sha(i)}
		for _, p := range parents[i] {
			items[i].Parents = append(items[i].Parents, sha(p))
		}
	}
	return items
}

// world is a mirror that refuses every pack with a culprit in it. As in a real
// pack, a member brings along all below it that has not landed.
type world struct {
	parents  [][]int
	culprit  map[int]bool
	landed   map[int]bool
	blamed   map[int]bool
	held     map[int]int
	pushes   int
	branches int
	suspects func(list []int) []int
}

func newWorld(parents [][]int, culprits ...int) *world {
	w := &world{parents: parents, culprit: map[int]bool{}, landed: map[int]bool{}, blamed: map[int]bool{}, held: map[int]int{}}
	for _, c := range culprits {
		w.culprit[c] = true
	}
	return w
}

// bad says whether member i brings a culprit.
func (w *world) bad(i int) bool {
	if w.landed[i] {
		return false
	}
	return w.culprit[i] || slices.ContainsFunc(w.parents[i], w.bad)
}

// taint says whether member i is a culprit or stands on one.
func (w *world) taint(i int) bool {
	return w.culprit[i] || slices.ContainsFunc(w.parents[i], w.taint)
}

func (w *world) try(list []int) (verdict, []int) {
	w.pushes++
	if slices.ContainsFunc(list, w.bad) {
		if w.suspects == nil {
			return refused, nil
		}
		return refused, w.suspects(list)
	}
	for _, i := range list {
		w.landed[i] = true
	}
	return settled, nil
}

func (w *world) run(branches int) {
	w.branches = branches
	s := search{
		family: arrange(branches, chainItems(w.parents)),
		try:    w.try,
		blame:  func(i int) { w.blamed[i] = true },
		hold:   func(i, b int) { w.held[i] = b },
	}
	s.run()
}

// check holds the search to its promises.
func (w *world) check(t *testing.T) {
	t.Helper()
	for i := range w.parents {
		tainted := w.taint(i)
		// What a branch is refused for does not hold those who stand on it.
		root := tainted && !slices.ContainsFunc(w.parents[i], func(p int) bool { return p >= w.branches && w.taint(p) })
		if w.landed[i] == tainted {
			t.Errorf("member %d: landed %v, but stands on a culprit: %v", i, w.landed[i], tainted)
		}
		if w.blamed[i] != root {
			t.Errorf("member %d: blamed %v, want %v", i, w.blamed[i], root)
		}
		if _, held := w.held[i]; held != (tainted && !root) {
			t.Errorf("member %d: held %v, want %v", i, held, tainted && !root)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	alone := func(n int) [][]int { return make([][]int, n) }
	tests := []struct {
		name     string
		parents  [][]int
		branches int
		culprits []int
		pushes   int
	}{
		{"nothing to do", nil, 0, nil, 0},
		{"all good", alone(40), 0, nil, 1},
		{"one of one", alone(1), 0, []int{0}, 1},
		{"one of two", alone(2), 0, []int{1}, 3},
		{"one of eight: the first", alone(8), 0, []int{0}, 7},
		{"one of eight: the last", alone(8), 0, []int{7}, 5},
		{"two of forty", alone(40), 0, []int{3, 29}, 18},
		{"all of eight", alone(8), 0, []int{0, 1, 2, 3, 4, 5, 6, 7}, 15},
		{"the lowest of a chain", [][]int{{}, {0}, {1}, {2}}, 0, []int{0}, 3},
		{"the middle of a chain", [][]int{{}, {0}, {1}, {2}}, 0, []int{1}, 4},
		{"the top of a chain given first", [][]int{{1}, {2}, {3}, {}}, 0, []int{0}, 4},
		{"a chain next to a good one", [][]int{{}, {0}, {}, {2}}, 0, []int{2}, 3},
		{"a merge", [][]int{{}, {}, {0, 1}, {2}, {1}}, 0, []int{0}, 5},
		{"branches go first", [][]int{{}, {}, {0}, {}}, 2, []int{3}, 4},
		{"a bad branch holds nobody by itself", [][]int{{}, {}, {0}, {2}, {1}}, 2, []int{0}, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tt.parents, tt.culprits...)
			w.run(tt.branches)
			w.check(t)
			if w.pushes != tt.pushes {
				t.Errorf("got %d pushes, want %d", w.pushes, tt.pushes)
			}
		})
	}
}

// TestSearchProperty: whatever the chains and the culprits, everything that
// stands on no culprit lands, only culprits are blamed, and the pushes stay
// few; hints, right or wrong, change none of that.
func TestSearchProperty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		n := 1 + rng.IntN(60)
		parents := randomParents(rng, n)
		culprits := rng.Perm(n)[:rng.IntN(min(n, 5))]
		w := newWorld(parents, culprits...)
		limit := 1 + 2*len(culprits)*(1+bits.Len(uint(n)))
		switch rng.IntN(3) {
		case 1:
			w.suspects = func(list []int) []int {
				return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !w.culprit[i] })
			}
		case 2:
			w.suspects = func(list []int) []int { return []int{list[rng.IntN(len(list))]} }
			limit *= n // wrong hints cost pushes, nothing else
		}
		w.run(0)
		w.check(t)
		if w.pushes > limit {
			t.Errorf("%d members, %d culprits: got %d pushes, want at most %d", n, len(culprits), w.pushes, limit)
		}
		if t.Failed() {
			t.Fatalf("seed %d: parents %v, culprits %v", seed, parents, culprits)
		}
	}
}

// randomParents makes chains, forks and merges; a parent may come later in the
// list than its child.
func randomParents(rng *rand.Rand, n int) [][]int {
	names := rng.Perm(n)
	parents := make([][]int, n)
	for i := 1; i < n; i++ {
		for range [3]int{0, 1, 1}[rng.IntN(3)] + rng.IntN(10)/9 {
			parents[names[i]] = append(parents[names[i]], names[max(0, i-1-rng.IntN(3))])
		}
	}
	return parents
}

func TestSearchStopsWhenHalted(t *testing.T) {
	t.Parallel()
	w := newWorld(make([][]int, 16), 0)
	tries := 0
	s := search{
		family: arrange(0, chainItems(w.parents)),
		try: func(list []int) (verdict, []int) {
			if tries++; tries > 3 {
				return halted, nil
			}
			return w.try(list)
		},
		blame: func(i int) { t.Errorf("blamed %d", i) },
		hold:  func(i, _ int) { t.Errorf("held %d", i) },
	}
	s.run()
	if w.pushes != 3 {
		t.Errorf("got %d pushes, want 3", w.pushes)
	}
}

// TestSearchDividedInfersNothing: that the first half was small enough does not
// say that the second one is too large.
func TestSearchDividedInfersNothing(t *testing.T) {
	t.Parallel()
	var got [][]int
	s := search{
		family: arrange(0, chainItems(make([][]int, 4))),
		try: func(list []int) (verdict, []int) {
			got = append(got, list)
			if len(list) > 2 {
				return divided, nil
			}
			return settled, nil
		},
	}
	s.run()
	want := [][]int{{0, 1, 2, 3}, {0, 1}, {2, 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
}

func TestArrange(t *testing.T) {
	t.Parallel()
	items := chainItems([][]int{{}, {0}, {4}, {}, {1}, {3}})
	f := arrange(1, items)
	if diff := cmp.Diff([]int{0, 1, 4, 2, 3, 5}, f.order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 1, 1, 3, 1, 3}, f.chain); diff != "" {
		t.Errorf("chains (-want +got):\n%s", diff)
	}
}

// TestArrangeRing: parents are outside data and may be nonsense.
func TestArrangeRing(t *testing.T) {
	t.Parallel()
	f := arrange(0, chainItems([][]int{{1}, {0}, {2}}))
	if diff := cmp.Diff([]int{1, 0, 2}, f.order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
