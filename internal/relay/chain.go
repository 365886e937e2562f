// SPDX-License-Identifier: BSD-3-Clause

package relay

import "github.com/spdk-community-ci/dispatcher/internal/change"

// family is how the things to move hang together. Members are indices: first
// the branches, then the patchsets.
type family struct {
	branches int
	// order has the branches first, then one relation chain after the other,
	// each with parents before their children.
	order []int
	// chain tells the relation chains apart.
	chain []int
	// parents are those of a member's parents that are members too.
	parents [][]int
}

// arrange finds the relation chains: patchsets whose parents contain another
// one's commit, transitively. A branch may be a parent, but does not tie the
// chains that begin on it together.
func arrange(branches int, items []Item) family {
	f := family{branches: branches, chain: make([]int, len(items)), parents: make([][]int, len(items))}
	holders := make(map[change.Revision][]int, len(items))
	for i, it := range items {
		f.chain[i] = i
		holders[it.Want] = append(holders[it.Want], i)
	}
	for i, it := range items {
		for _, p := range it.Parents {
			for _, j := range holders[p] {
				if p != it.Want {
					f.link(i, j)
				}
			}
		}
	}
	f.sort(len(items))
	return f
}

// link makes j a parent of i, and one chain of both if they are of one sort.
func (f *family) link(i, j int) {
	f.parents[i] = append(f.parents[i], j)
	if f.isBranch(i) != f.isBranch(j) {
		return
	}
	a, b := f.root(i), f.root(j)
	f.chain[max(a, b)] = min(a, b)
}

// root follows chain to the lowest member, and shortens the way.
func (f *family) root(i int) int {
	for f.chain[i] != i {
		f.chain[i] = f.chain[f.chain[i]]
		i = f.chain[i]
	}
	return i
}

func (f *family) isBranch(i int) bool { return i < f.branches }

// sort fills order: chains by their lowest member, and inside of a chain
// parents first, else as given.
func (f *family) sort(n int) {
	members := make([][]int, n)
	for i := range n {
		f.chain[i] = f.root(i)
		members[f.chain[i]] = append(members[f.chain[i]], i)
	}
	seen := make([]bool, n)
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true // before the parents: ids from outside may form a ring
		for _, p := range f.parents[i] {
			if f.chain[p] == f.chain[i] {
				visit(p)
			}
		}
		f.order = append(f.order, i)
	}
	for _, chain := range members {
		for _, i := range chain {
			visit(i)
		}
	}
}

// cut says where to split a list that keeps the order: between branches and
// patchsets, else between two chains as near to the middle as can be, else in
// the middle of the only chain.
func (f *family) cut(list []int) int {
	middle := len(list) / 2
	best := 0
	for at := 1; at < len(list); at++ {
		a, b := list[at-1], list[at]
		if f.isBranch(a) != f.isBranch(b) {
			return at
		}
		if f.chain[a] != f.chain[b] && abs(at-middle) < abs(best-middle) {
			best = at
		}
	}
	if best == 0 {
		return middle
	}
	return best
}

func abs(n int) int { return max(n, -n) }
