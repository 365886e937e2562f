// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// long puts a chain of n commits of 4 kB each onto a ref of the source.
func (b *bed) long(ref string, from change.Revision, n int) []change.Revision {
	b.t.Helper()
	chain := make([]commit, n)
	for i := range chain {
		chain[i] = commit{name: fmt.Sprint(strings.ReplaceAll(ref, "/", "-"), i), files: 1, size: 8000}
	}
	return b.commits(ref, from, chain...)
}

func TestSeedInSlices(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.MaxPack = 30000
	chain := b.long("refs/heads/topic", "", 20)
	on := b.commits("refs/changes/on", chain[19], commit{name: "on"})[0]
	topic := branch("topic", "", chain[19])
	topic.Updates = append(topic.Updates, Update{Ref: "refs/dispatcher/pruned/1", New: b.base})
	branches, items := b.Move(t.Context(), []Item{topic}, []Item{b.patchset(1, on, chain[19])})
	check(t, branches, outcome{States: "done, done"})
	check(t, items, allDone)
	b.sound()
	if got := b.refs()["refs/heads/topic"]; got != chain[19] {
		t.Errorf("topic is at %s, want %s", got, chain[19])
	}
	if diff := cmp.Diff(topic.Updates[0], branches[0].Updates[0].Update); diff != "" {
		t.Errorf("update as reported (-want +got):\n%s", diff)
	}
	if n := len(b.pushes); n > 14 {
		t.Errorf("got %d pushes, want at most 14\n%s", n, strings.Join(b.logged, "\n"))
	}
	b.checkForward(t, "refs/heads/topic", chain)
}

// checkForward holds the accepted pushes of a ref to be fast-forwards in a row.
func (b *bed) checkForward(t *testing.T, ref string, chain []change.Revision) {
	t.Helper()
	at := -1
	for _, p := range b.pushes {
		for _, c := range p.Commands {
			if c.Ref != ref {
				continue
			}
			from, to := slices.Index(chain, change.Revision(c.Old)), slices.Index(chain, change.Revision(c.New))
			if from < at || to <= from {
				t.Errorf("push from %d to %d of the chain after it was at %d", from, to, at)
			}
			at = from
		}
	}
}

// TestSeedMovedFar: the same for a branch that exists.
func TestSeedMovedFar(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.config("receive.maxInputSize", "30000")
	b.config("receive.denyNonFastForwards", "true")
	chain := b.long("refs/heads/main", b.base, 12)
	branches, _ := b.Move(t.Context(), []Item{branch("main", b.base, chain[11])}, nil)
	check(t, branches, outcome{States: "done"})
	b.checkForward(t, "refs/heads/main", append([]change.Revision{b.base}, chain...))
	b.sound()
}

// TestSeedSeveralBranches: they share most of their history, so the first one
// brings it and the others are small.
func TestSeedSeveralBranches(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.MaxPack = 30000
	chain := b.long("refs/heads/topic", "", 8)
	var list []Item
	for i := range 3 {
		tip := b.commits(fmt.Sprint("refs/heads/t", i), chain[7], commit{name: fmt.Sprint("t", i)})[0]
		list = append(list, branch(fmt.Sprint("t", i), "", tip))
	}
	branches, _ := b.Move(t.Context(), list, nil)
	check(t, branches, repeat(3, outcome{States: "done"})...)
	if n := len(b.pushes); n > 10 {
		t.Errorf("got %d pushes, want at most 10\n%s", n, strings.Join(b.logged, "\n"))
	}
}

func TestSeedOneCommitTooLarge(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.MaxPack = 30000
	chain := b.commits("refs/heads/topic", "", commit{name: "a"}, commit{name: "b"},
		commit{name: "huge", files: 1, size: 200000}, commit{name: "d"})
	branches, items := b.Move(t.Context(), []Item{branch("topic", "", chain[3])}, b.single(1))
	check(t, branches, outcome{States: "refused", Kind: fault.Permanent, Text: "commit " + string(chain[2]) + " alone"})
	check(t, items, allDone)
	if got := b.refs()["refs/heads/topic"]; got != chain[1] {
		t.Errorf("topic is at %s, want it just below the large commit, at %s", got, chain[1])
	}
}

// TestSeedStopsHalfway: a mirror that fails leaves a branch that the next pass
// moves on.
func TestSeedStopsHalfway(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.MaxPack = 30000
	chain := b.long("refs/heads/topic", "", 20)
	b.mirrorFaults.Add(faults.Rule{Path: pushPath, Skip: 3, Do: faults.Answer(404, "")})
	branches, _ := b.Move(t.Context(), []Item{branch("topic", "", chain[19])}, nil)
	check(t, branches, outcome{States: "not tried", Kind: fault.Configuration, Text: "of 20 commits of its first-parent chain are there"})
	half := b.refs()["refs/heads/topic"]
	at := slices.Index(chain, half)
	if at < 0 || at == 19 || !strings.Contains(branches[0].Err.Error(), fmt.Sprintf(": %d of 20", at+1)) {
		t.Fatalf("topic is at commit %d (%s), but the error says %v", at, half, branches[0].Err)
	}
	b.mirrorFaults.Clear()
	branches, _ = b.Move(t.Context(), []Item{branch("topic", half, chain[19])}, nil)
	check(t, branches, outcome{States: "done"})
	b.sound()
}

func TestChainOf(t *testing.T) {
	t.Parallel()
	parents := map[objectKey]objectKey{}
	for i := range 3 {
		parents[keyOf(string(sha(i+1)))] = keyOf(string(sha(i)))
	}
	chain, err := chainOf(parents, sha(3))
	if diff := cmp.Diff([]change.Revision{sha(1), sha(2), sha(3)}, chain); diff != "" || err != nil {
		t.Errorf("chain (-want +got), %v:\n%s", err, diff)
	}
	if _, err := chainOf(parents, sha(9)); err == nil {
		t.Error("a tip that is not in the pack: got no error")
	}
	parents[keyOf(string(sha(1)))] = keyOf(string(sha(3)))
	if _, err := chainOf(parents, sha(3)); err == nil {
		t.Error("a ring: got no error")
	}
}
