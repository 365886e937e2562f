// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// observe reads what every plan needs: the open changes, Gerrit's branches and
// the mirror's refs, at the same time. All problems are reported together.
func (p *Pass) observe(ctx context.Context) (*plan.Snapshot, []error) {
	s := &plan.Snapshot{Fresh: map[int]bool{}, Ref: p.Project.CI.Ref}
	return s, together([]func() error{
		func() (err error) {
			s.Changes, err = p.Doors.Reviews.Open(ctx, p.Project)
			return err
		},
		func() error {
			return p.again(ctx, func() error {
				s.Source, s.Tags, s.TagCount = map[string]change.Revision{}, map[string]change.Revision{}, 0
				prefixes := []string{"refs/heads/"}
				if p.Project.Mirror.Tags { // in the same request
					prefixes = append(prefixes, "refs/tags/")
				}
				return p.Doors.Source.ListRefs(ctx, prefixes, func(name string, rev change.Revision) error {
					if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
						s.Source[branch] = rev
					} else if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
						if s.TagCount++; s.TagCount <= plan.MaxTags {
							s.Tags[tag] = rev
						}
					}
					return nil
				})
			})
		},
		func() error {
			return p.again(ctx, func() error {
				s.Mirror = plan.NewMirror(p.Project.Mirror.Namespace, p.Project.Mirror.Ledger)
				s.Mirror.WithTags = p.Project.Mirror.Tags
				return p.Doors.Mirror.ListRefs(ctx, s.Mirror.Prefixes(), func(name string, rev change.Revision) error {
					s.Mirror.Add(name, rev)
					return nil
				})
			})
		},
		func() (err error) {
			s.Members, err = p.members(ctx)
			return err
		},
	})
}

// backOff are the waits before the second and the third try of a listing of
// refs; the REST clients have their own. maxWait is the longest that a server
// may ask for instead.
var backOff = [...]time.Duration{2 * time.Second, 8 * time.Second}

const maxWait = 2 * time.Minute

// again does a read again while that may help.
func (p *Pass) again(ctx context.Context, read func() error) error {
	for n := 0; ; n++ {
		err := read()
		if err == nil || n == len(backOff) || !errors.Is(err, fault.Transient) || ctx.Err() != nil {
			return err
		}
		wait := max(backOff[n], fault.RetryAfter(err))
		if wait > maxWait || p.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// members reads the groups of all trust gates.
func (p *Pass) members(ctx context.Context) (map[string]map[int]bool, error) {
	members := map[string]map[int]bool{}
	for _, w := range p.Project.Workflows {
		for _, group := range w.Trust.Groups {
			if members[group] != nil {
				continue
			}
			ids, err := p.Doors.Groups.Members(ctx, group)
			if err != nil {
				return nil, err // a gate that nobody can look at stays shut for all
			}
			members[group] = ids
		}
	}
	return members, nil
}

// together runs reads side by side and returns what failed, in their order.
func together(reads []func() error) []error {
	errs := make([]error, len(reads))
	var wg sync.WaitGroup
	for i, read := range reads {
		wg.Go(func() { errs[i] = read() })
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}
