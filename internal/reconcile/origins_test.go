// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// halfKnown knows where one commit comes from, and fails for all others.
type halfKnown struct{}

func (halfKnown) Origin(_ context.Context, _ *config.Project, r change.Revision) (change.Origin, error) {
	o := change.Origin{Branches: []string{"master"}}
	if r != rev(1) {
		return o, errors.New("no answer")
	}
	return o, nil
}

func (halfKnown) Private(context.Context, *config.Project) (map[change.Revision]change.ID, error) {
	return nil, nil
}

// TestPrivateBelow: what builds on a private change does not bring it to the mirror,
// nor does anything while nobody can tell what is private.
func TestPrivateBelow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		private bool
		err     error
		want    string
	}{
		{false, nil, "relay 2/1: done: new patchset"},
		{true, nil, "wait 2/1: waiting: builds on 1/1, which is private: tested once that is public or merged"},
		{false, errors.New("no answer"), "wait 2/1: waiting: which changes are private could not be read"},
	} {
		w := newWorld(2)
		w.project.Skip.Private, w.privateErr = true, tt.err
		low, high := w.changes[1], w.changes[2]
		low.Private, high.Current.Parents = tt.private, []change.Revision{low.Current.Revision}
		w.changes[1], w.changes[2] = low, high
		r, _ := w.through(t, w.doors(), 0, false)
		if got := told(r); !slices.Contains(got, tt.want) || (len(r.Problems) > 0) != (tt.err != nil) {
			t.Errorf("got %q and %v, want %q", got, r.Problems, tt.want)
		}
		_, there := w.refs[w.project.Mirror.Namespace.Ref(high.ID())]
		if there != (tt.want[:5] == "relay") {
			t.Errorf("on the mirror: %v, want %q", there, tt.want)
		}
	}
}

// TestOriginsThatCannotBeRead come from nowhere: nothing is trusted for them.
func TestOriginsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := &plan.Snapshot{}
	p := Pass{Doors: Doors{Origins: halfKnown{}}}
	errs := p.readOrigins(t.Context(), s, []change.Revision{rev(1), rev(2)})
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "no answer") {
		t.Errorf("got %v", errs)
	}
	o, asked := s.Origins[rev(2)]
	if len(s.Origins[rev(1)].Branches) != 1 || !asked || o.Branches != nil || o.Change != nil {
		t.Errorf("got %+v", s.Origins)
	}
}
