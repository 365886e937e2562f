// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// BenchmarkIndex sorts in a list of ten refs for each of n open changes, as it
// comes in from the mirror.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("changes=%d", n), func(b *testing.B) {
			changes, names := manyChanges(n)
			b.ReportAllocs()
			for b.Loop() {
				m := NewMirror(change.CustomRefs, change.CustomLedger)
				for i, name := range names {
					m.Add(name, changes[i/10].Current.Revision)
				}
				if len(m.Changes) != n {
					b.Fatalf("got %d changes, want %d", len(m.Changes), n)
				}
			}
		})
	}
}

// BenchmarkMake plans over n open changes, ten mirror refs for each and half as
// many runs.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("changes=%d", n), func(b *testing.B) {
			p := project(func(p *config.Project) { p.Branches = []string{"master", "v*"}; p.Limits.PerPass = 20 })
			changes, names := manyChanges(n)
			runs := map[change.Key]change.Run{}
			for i := range n / 2 {
				key := change.Key{ID: change.ID{Change: i + 1, Patchset: 3}, Workflow: "autorun.yml", Attempt: 1}
				runs[key] = change.Run{ID: int64(i + 1)}
			}
			s := snapshot(p, changes)
			s.Runs = runs
			for i, name := range names {
				s.Mirror.Add(name, changes[i/10].Current.Revision)
			}
			b.ReportAllocs()
			for b.Loop() {
				made := Make(p, s, noon)
				if len(made.Idle) == 0 || len(made.Idle) == n {
					b.Fatalf("got %d of %d idle, want a mixed plan", len(made.Idle), n)
				}
			}
		})
	}
}

// manyChanges makes n changes at patchset 3 and ten refs for each; every tenth
// change's current patchset is new.
func manyChanges(n int) ([]change.Change, []string) {
	var changes []change.Change
	var names []string
	for i := range n {
		c := open(i+1, patchset(3, change.Rework), func(c *change.Change) {
			c.Owner.ID = i % 97
			c.Current.Created = noon.Add(-time.Duration(i) * time.Minute)
		})
		changes = append(changes, c)
		last := 3
		if i%10 == 0 {
			last = 2
		}
		for ps := 1; ps <= 3; ps++ {
			key := change.Key{ID: change.ID{Change: c.Number, Patchset: min(ps, last)}, Workflow: "autorun.yml", Attempt: 1}
			names = append(names, change.CustomRefs.Ref(key.ID),
				change.CustomLedger.Ref(change.Entry{Kind: change.Claim, Key: key}),
				change.CustomLedger.Ref(change.Entry{Kind: change.RunOf, Key: key, RunID: 1234567890}))
		}
		names = append(names, fmt.Sprintf("refs/heads/topic-%d", i))
	}
	return changes, names
}
