// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"slices"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// maxReaders is how many changes are read at once: enough to hide the way to
// Gerrit, too few to trouble it.
const maxReaders = 6

// reading is what came of reading one change again.
type reading struct {
	change change.Change
	found  bool
	err    error
}

// refresh reads changes again, whole, and puts them in place of what the query
// said. One that was closed since, that Gerrit does not find or that cannot be read
// leaves the snapshot, which remembers why; the others go on.
func (p *Pass) refresh(ctx context.Context, s *plan.Snapshot, numbers []int) []error {
	got := p.readAgain(ctx, numbers)
	var problems []error
	for _, n := range slices.Sorted(slices.Values(numbers)) {
		if err := got[n].err; err != nil {
			problems = append(problems, err)
		}
	}
	kept := s.Changes[:0]
	for _, c := range s.Changes {
		r, asked := got[c.Number]
		switch {
		case !asked:
		case r.err != nil:
			s.Dropped = append(s.Dropped, plan.Dropped{Change: c, Why: plan.Unread})
			continue
		case !r.found:
			s.Dropped = append(s.Dropped, plan.Dropped{Change: c})
			continue
		case r.change.Status != change.New:
			s.Dropped = append(s.Dropped, plan.Dropped{Change: r.change, Why: plan.ClosedSince})
			continue
		default:
			c = r.change
			s.Fresh[c.Number] = true
		}
		kept = append(kept, c)
	}
	s.Changes = kept
	return problems
}

// readAgain reads changes side by side.
func (p *Pass) readAgain(ctx context.Context, numbers []int) map[int]reading {
	var mu sync.Mutex
	got := map[int]reading{}
	each(len(numbers), func(i int) {
		at := change.Address{Project: p.Project.Name, Number: numbers[i]}
		var r reading
		r.change, r.found, r.err = p.Doors.Reviews.Change(ctx, at)
		r.found = r.found && r.change.Address() == at
		mu.Lock()
		defer mu.Unlock()
		got[at.Number] = r
	})
	return got
}
