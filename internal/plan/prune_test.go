// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func closed(number int, status change.Status, days int) change.Change {
	return open(number, func(c *change.Change) {
		c.Status, c.Updated = status, noon.Add(-time.Duration(days)*24*time.Hour)
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	p := project()
	refs := append(relayed(1, 2, 3, 4), "refs/dispatcher/claims/1/1/autorun.yml/1 1", "refs/dispatcher/runs/1/1/autorun.yml/1/9 1",
		"refs/dispatcher/claims/4/1/autorun.yml/1 4", "refs/dispatcher/runs/4/1/autorun.yml/1/9 4",
		fmt.Sprintf("refs/dispatcher/pruned/%d 1", noon.Add(-7*time.Hour).Unix()))
	s := snapshot(p, []change.Change{open(4)}, refs...)
	s.Closed = []change.Change{closed(1, change.Merged, 20), closed(2, change.Abandoned, 15), closed(3, change.Merged, 13), closed(4, change.Merged, 90), closed(5, change.Merged, 90)}
	// Change 4 is in the list of open changes too: the index lags, and an open
	// change keeps its refs.
	got := Make(p, s, noon)
	check(t, got, "prune 1 (3 refs): merged 20 days ago", "prune 2 (1 refs): abandoned 15 days ago", "idle 1")
	if len(got.Marks) != 1 || len(got.Marks[0].Old) != 1 {
		t.Errorf("got marks %v, want the look noted in place of the old one", got.Marks)
	}
}

func TestPruneLooksSeldom(t *testing.T) {
	t.Parallel()
	recent := fmt.Sprintf("refs/dispatcher/pruned/%d 1", noon.Add(-5*time.Hour).Unix())
	tests := []struct {
		name string
		edit func(*config.Project)
		refs []string
		want int
	}{
		{"due", func(*config.Project) {}, relayed(1, 2), 2},
		{"looked a while ago", func(*config.Project) {}, append(relayed(1, 2), recent), 0},
		{"never prunes", func(p *config.Project) { p.Prune.Keep = 0 }, relayed(1, 2), 0},
		{"nothing that may be closed", func(*config.Project) {}, nil, 0},
	}
	for _, tt := range tests {
		p := project(tt.edit)
		s := snapshot(p, nil, tt.refs...)
		s.Closed = nil
		if got := Make(p, s, noon).Needs.Closed; len(got) != tt.want {
			t.Errorf("%s: got %v to look up, want %d", tt.name, got, tt.want)
		}
	}
}

// TestPruneTakesTurns holds that every closed change is looked up sooner or
// later, however many are there that Gerrit does not call closed.
func TestPruneTakesTurns(t *testing.T) {
	t.Parallel()
	p := project()
	var numbers []int
	for n := range 3*maxClosedLookups + 17 {
		numbers = append(numbers, n+1)
	}
	s := snapshot(p, nil, relayed(numbers...)...)
	s.Closed = nil
	seen := map[int]bool{}
	for pass := range 2 * len(numbers) / maxClosedLookups * 2 {
		got := Make(p, s, noon.Add(time.Duration(pass)*p.Prune.Every)).Needs.Closed
		if len(got) != maxClosedLookups {
			t.Fatalf("got %d look-ups in one pass, want %d", len(got), maxClosedLookups)
		}
		for _, n := range got {
			seen[n] = true
		}
	}
	if len(seen) != len(numbers) {
		t.Errorf("got %d of %d changes looked up", len(seen), len(numbers))
	}
}
