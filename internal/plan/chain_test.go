// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// stack is a chain of changes, the lowest first.
func stack(numbers ...int) []change.Change {
	var chain []change.Change
	below := rev(9000)
	for _, n := range numbers {
		chain = append(chain, open(n, func(c *change.Change) { c.Current.Parents = []change.Revision{below} }))
		below = rev(n)
	}
	return chain
}

// TestChainsAreTestedFromBelow: changes pushed together are told apart by their
// places, not by their numbers.
func TestChainsAreTestedFromBelow(t *testing.T) {
	t.Parallel()
	p := project()
	check(t, Make(p, snapshot(p, stack(9, 8, 7)), noon),
		"relay 7/1: new patchset", "relay 8/1: new patchset", "relay 9/1: new patchset",
		"dispatch 9/1/autorun.yml/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset", "dispatch 7/1/autorun.yml/1: new patchset")
}

func TestRedParents(t *testing.T) {
	t.Parallel()
	hold := func(p *config.Project) { obeying(p); p.RedParents, p.Report.Commands.Off = config.HoldChildren, true }
	red := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/7/1/autorun.yml/1 7", "refs/dispatcher/runs/7/1/autorun.yml/1/99 7", "refs/dispatcher/ended/7/1/autorun.yml/1/failed 7"}
	held := `held: autorun.yml failed for 7/1 below it; a comment "recheck" starts it all the same`
	tests := []struct {
		name string
		edit func(*config.Project)
		refs []string
		want []string
	}{
		{"not configured", func(p *config.Project) { hold(p); p.RedParents = config.RunChildren }, red,
			[]string{"relay 8/1: new patchset", "relay 9/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset", "dispatch 9/1/autorun.yml/1: new patchset", "idle 1"}},
		{"all above are held", hold, red, []string{"wait 8/1/autorun.yml/0: " + held, "wait 9/1/autorun.yml/0: " + held, "idle 1"}},
		{"somebody asks for one", hold, append(red, "refs/dispatcher/asked/8/1/autorun.yml/1/all 8"),
			[]string{"relay 8/1: new patchset", "dispatch 8/1/autorun.yml/1: a comment asks for it", "wait 9/1/autorun.yml/0: " + held, "idle 1"}},
		{"it is tried again", hold, append(red, "refs/dispatcher/asked/7/1/autorun.yml/2/all 7"),
			[]string{"relay 8/1: new patchset", "relay 9/1: new patchset", "dispatch 7/1/autorun.yml/2: a comment asks for it", "dispatch 8/1/autorun.yml/1: new patchset", "dispatch 9/1/autorun.yml/1: new patchset"}},
		{"optional", func(p *config.Project) { hold(p); p.Workflows[0].Optional = true }, red,
			[]string{"relay 8/1: new patchset", "relay 9/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset", "dispatch 9/1/autorun.yml/1: new patchset", "idle 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(tt.edit)
			check(t, Make(p, snapshot(p, stack(7, 8, 9), tt.refs...), noon), tt.want...)
		})
	}
}
