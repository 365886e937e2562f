// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// readOrigins looks for where commits come from. One that cannot be looked for is a
// problem and comes from nowhere: what builds on it waits.
func (p *Pass) readOrigins(ctx context.Context, s *plan.Snapshot, revs []change.Revision) []error {
	if s.Origins == nil {
		s.Origins = map[change.Revision]change.Origin{}
	}
	found, failures := make([]change.Origin, len(revs)), make([]error, len(revs))
	each(len(revs), func(i int) {
		found[i], failures[i] = p.Doors.Origins.Origin(ctx, p.Project, revs[i])
	})
	for i, rev := range revs {
		if s.Origins[rev] = found[i]; failures[i] != nil {
			s.Origins[rev] = change.Origin{}
			failures[i] = fmt.Errorf("what builds on it is not started: %w", failures[i])
		}
	}
	return slices.DeleteFunc(failures, func(err error) bool { return err == nil })
}

// readPrivate reads which commits are private. Nothing new comes to the mirror where
// that cannot be read.
func (p *Pass) readPrivate(ctx context.Context, s *plan.Snapshot) (err error) {
	if s.Private, err = p.Doors.Origins.Private(ctx, p.Project); err != nil {
		s.NoPrivate = "which changes are private could not be read"
		return fmt.Errorf("no new patchset comes to the mirror: %w", err)
	}
	if s.Private == nil {
		s.Private = map[change.Revision]change.ID{} // not nil: asked
	}
	return nil
}

// each calls do for every number below n, some at a time.
func each(n int, do func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxReaders)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}
