// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
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
