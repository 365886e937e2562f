// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// TestImportedChanges: keys of imported changes say which project they are of, unless
// the project has a prefix of its own, and another project's run is not taken.
func TestImportedChanges(t *testing.T) {
	t.Parallel()
	imported := func(c *change.Change) { c.Imported = true }
	scope := change.Scope("", "spdk/spdk")
	others := change.Key{ID: change.ID{Change: 7, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}
	ours := others
	ours.Server = scope
	claim := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/" + ours.String() + " 7"}

	p := project()
	s := snapshot(p, []change.Change{open(7, imported)}, claim...)
	s.Runs = map[change.Key]change.Run{others: {ID: 98, Name: others.String()}}
	check(t, Make(p, s, noon), "doubt "+ours.String()+": attempt 1 is claimed and no run is seen; lost if that lasts 10m0s")
	s.Runs[ours] = change.Run{ID: 99, Name: ours.String()}
	check(t, Make(p, s, noon), "record "+ours.String()+": its run was found by its key")

	p = project(func(p *config.Project) { p.KeyPrefix, p.OwnPrefix = "own", true })
	check(t, Make(p, snapshot(p, []change.Change{open(7, imported)}), noon), "relay 7/1: new patchset", "dispatch own+7/1/autorun.yml/1: new patchset")
	p = project(func(p *config.Project) { p.KeyPrefix = "review" })
	check(t, Make(p, snapshot(p, []change.Change{open(7)}), noon), "relay 7/1: new patchset", "dispatch review+7/1/autorun.yml/1: new patchset")
}

// TestTakenNumbers: nothing is started that could be taken for another project's run.
func TestTakenNumbers(t *testing.T) {
	t.Parallel()
	p := project()
	s := snapshot(p, []change.Change{open(7), open(8), open(9, func(c *change.Change) { c.Imported = true })})
	s.Taken = map[change.Key]string{{ID: change.ID{Change: 7}}: "spdk/other", {ID: change.ID{Change: 9}}: "spdk/other"}
	scoped := change.Scope("", "spdk/spdk") + "+9/1/autorun.yml/1"
	check(t, Make(p, s, noon), "relay 8/1: new patchset", "relay 9/1: new patchset", "dispatch 8/1/autorun.yml/1: new patchset",
		"dispatch "+scoped+": new patchset", "fail 7/1: spdk/other has a change 7, too: their runs could not be told apart")
}

// TestKeysOfAnotherPrefix: a key of another server says nothing of a change, unless we
// have told of it there ourselves: the prefix has changed since.
func TestKeysOfAnotherPrefix(t *testing.T) {
	t.Parallel()
	const key = "other+7/1/autorun.yml/1"
	refs := []string{"refs/changes/07/7/1 7", "refs/dispatcher/claims/" + key + " 7", "refs/dispatcher/runs/" + key + "/99 7"}
	tell := func(id int, author string) func(*change.Change) {
		return func(c *change.Change) {
			c.Messages = []change.Message{{ID: "m1", Author: change.Account{ID: id, Username: author}, At: noon.Add(-time.Minute), Patchset: 1,
				Tag: ourTags + "report", Text: "Passed.\n\nDispatcher: " + key + " run=99 attempt=1 outcome=passed vote=+1"}}
		}
	}
	reporting := func(p *config.Project) { p.Report.Label, p.Gerrit.Username = "Verified", "bot" }
	again := "dispatch 7/1/autorun.yml/1: it was started under another key prefix, which does not count"
	for _, tt := range []struct {
		name   string
		edits  []func(*config.Project)
		change change.Change
		want   []string
	}{
		{"nobody has told of it", []func(*config.Project){reporting}, open(7), []string{again}},
		{"somebody else has", []func(*config.Project){reporting}, open(7, tell(8, "eve")), []string{again}},
		{"we have", []func(*config.Project){reporting}, open(7, tell(9, "bot")), []string{"end " + key + ": it was reported"}},
		{"nothing is reported", nil, open(7), []string{"idle 1"}},
	} {
		p := project(tt.edits...)
		s := snapshot(p, []change.Change{tt.change}, refs...)
		s.RunsByID = map[int64]change.Run{99: {ID: 99, Name: key, Status: "completed", Conclusion: "success"}}
		s.Self = 9
		made := Make(p, s, noon)
		t.Run(tt.name, func(t *testing.T) { check(t, made, tt.want...) })
	}
}
