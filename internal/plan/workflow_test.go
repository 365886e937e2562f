// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func TestSkipReasons(t *testing.T) {
	t.Parallel()
	rules := func(p *config.Project) {
		p.Branches = []string{"master", "v[0-9]*"}
		p.Skip.Owners = []string{"bot-*", "*@spam.example"}
		p.Skip.Hashtags = []string{"no-ci"}
		p.Skip.MinAge = 5 * time.Minute
	}
	only := func(p *config.Project) { p.Skip.OnlyOwners = []string{"ann", "*@intel.example"} }
	tests := []struct {
		name    string
		project func(*config.Project)
		change  func(*change.Change)
		want    string
	}{
		{"other branch", rules, func(c *change.Change) { c.Branch = "sandbox" }, "branch sandbox is not configured"},
		{"branch glob", rules, func(c *change.Change) { c.Branch = "v26.01" }, ""},
		{"wip", rules, func(c *change.Change) { c.WIP = true }, "work in progress"},
		{"private", rules, func(c *change.Change) { c.Private, c.WIP = true, true }, "private"},
		{"rfc", rules, func(c *change.Change) { c.Subject = "[RFC] new bdev" }, `its subject matches \[RFC\]`},
		{"owner by name", rules, func(c *change.Change) { c.Owner.Username = "Bot-7" }, `its owner matches "bot-*"`},
		{"owner by address", rules, func(c *change.Change) { c.Owner.Email = "x@SPAM.example" }, `its owner matches "*@spam.example"`},
		{"display names do not count", rules, func(c *change.Change) { c.Owner.Name = "bot-7" }, ""},
		{"hashtag", rules, func(c *change.Change) { c.Hashtags = []string{"x", "no-ci"} }, `hashtag "no-ci"`},
		{"too new", rules, func(c *change.Change) { c.Current.Created = noon.Add(-time.Minute) }, "too new: tried when the patchset is 5m0s old"},
		{"listed owner", only, func(c *change.Change) {}, ""},
		{"listed domain", only, func(c *change.Change) { c.Owner = change.Account{ID: 2, Email: "bob@intel.example"} }, ""},
		{"unlisted owner", only, func(c *change.Change) { c.Owner = change.Account{ID: 2, Username: "bob"} }, "its owner is not among those configured"},
	}
	for _, tt := range tests {
		p := project(tt.project)
		c := open(1, tt.change)
		if got := newFilter(p, noon).reason(&c); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		paths, ignore []string
		files         []string
		want          string
	}{
		{"no filters", nil, nil, []string{"a"}, ""},
		{"match", []string{"lib/**"}, nil, []string{"doc/a.md", "lib/x/y.c"}, ""},
		{"no match", []string{"lib/**"}, nil, []string{"doc/a.md"}, "no file matches its paths"},
		{"all ignored", nil, []string{"doc/**", "*.md"}, []string{"doc/a", "README.md"}, "all files match its paths-ignore"},
		{"some ignored", nil, []string{"doc/**"}, []string{"doc/a", "lib/b"}, ""},
		{"both", []string{"lib/**"}, []string{"**/*.md"}, []string{"lib/README.md"}, "no file matches its paths"},
		{"no files known", []string{"lib/**"}, nil, nil, ""},
	}
	for _, tt := range tests {
		w := &config.Workflow{Paths: tt.paths, PathsIgnore: tt.ignore}
		if got := pathsReason(w, tt.files); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNoWorkflowWantsAPatchset(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Workflows[0].PathsIgnore = []string{"doc/**"} })
	s := snapshot(p, []change.Change{open(1, func(c *change.Change) { c.Files = []string{"doc/x.md"} })})
	check(t, Make(p, s, noon), "skip 1/1/autorun.yml/0: all files match its paths-ignore")
}

func TestMirrorOnly(t *testing.T) {
	t.Parallel()
	p := project(func(p *config.Project) { p.Workflows = nil })
	check(t, Make(p, snapshot(p, []change.Change{open(1)}), noon), "relay 1/1: new patchset")
}

func TestPatchsetKinds(t *testing.T) {
	t.Parallel()
	const (
		ref  = "refs/changes/07/7/2 2007"
		run1 = "refs/dispatcher/runs/7/1/autorun.yml/1/99 7"
		run2 = "refs/dispatcher/runs/7/1/autorun.yml/2/99 7"
	)
	carryBoth := func(p *config.Project) {
		p.Workflows[0].TrivialRebase, p.Workflows[0].NoCodeChange = config.CarryKind, config.CarryKind
	}
	carryRebase := func(p *config.Project) { p.Workflows[0].TrivialRebase = config.CarryKind }
	run := "dispatch 7/2/autorun.yml/1: new patchset"
	tests := []struct {
		name   string
		policy func(*config.Project)
		kind   change.Kind
		refs   []string
		want   string
	}{
		{"rework", carryBoth, change.Rework, []string{ref, run1}, run},
		{"rebase runs by default", func(*config.Project) {}, change.TrivialRebase, []string{ref, run1}, run},
		{"rebase carried", carryBoth, change.TrivialRebase, []string{ref, run1}, "carry 7/2/autorun.yml/1: trivial rebase: the result of patchset 1 stands"},
		{"second attempt carried", carryBoth, change.TrivialRebase, []string{ref, run2}, "carry 7/2/autorun.yml/2: trivial rebase: the result of patchset 1 stands"},
		{"message carried", carryBoth, change.NoCodeChange, []string{ref, run1}, "carry 7/2/autorun.yml/1: message only: the result of patchset 1 stands"},
		{"nothing to carry", carryBoth, change.TrivialRebase, []string{ref}, run},
		{"only claimed before", carryBoth, change.TrivialRebase, []string{ref, "refs/dispatcher/claims/7/1/autorun.yml/1 7"}, run},
		{"carried without a run below", carryBoth, change.TrivialRebase, []string{ref, "refs/dispatcher/carried/7/2/autorun.yml/1/1 2007"}, run},
		{"message under a rebase policy", carryRebase, change.NoCodeChange, []string{ref, run1}, run},
		{"both at once need both", carryRebase, change.TrivialRebaseMessage, []string{ref, run1}, run},
		{"both at once", carryBoth, change.TrivialRebaseMessage, []string{ref, run1}, "carry 7/2/autorun.yml/1: trivial rebase: the result of patchset 1 stands"},
		{"it goes on", carryBoth, change.TrivialRebase, []string{ref, "refs/dispatcher/runs/7/1/autorun.yml/1/98 7"},
			"wait 7/2/autorun.yml/0: trivial rebase: waits for the run of patchset 1, whose result will stand"},
		{"it told nothing", carryBoth, change.TrivialRebase, []string{ref, "refs/dispatcher/runs/7/1/autorun.yml/1/97 7"}, run},
		{"its number is not known", carryBoth, change.TrivialRebase, []string{ref, "refs/dispatcher/runs/7/1/autorun.yml/1/0 7"}, run},
		{"already noted", carryBoth, change.TrivialRebase, []string{ref, run1, "refs/dispatcher/carried/7/2/autorun.yml/1/1 2007"}, "idle 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := project(tt.policy)
			s := snapshot(p, []change.Change{open(7, patchset(2, tt.kind))}, tt.refs...)
			s.RunsByID = map[int64]change.Run{
				97: {ID: 97, Status: "completed", Conclusion: "cancelled"}, 98: {ID: 98, Status: "in_progress"}, 99: {ID: 99, Status: "completed", Conclusion: "success"},
			}
			check(t, Make(p, s, noon), tt.want)
		})
	}
}
