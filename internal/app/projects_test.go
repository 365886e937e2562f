// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestTwoServers is two projects of two Gerrit servers, with a mirror each and
// one CI repository. Their changes have the same numbers.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	other := gerrit.Serve(t, gerrit.Options{FirstChange: 101, Now: s.clock.Now, BasePath: "/r"})
	nova := other.Project("openstack/nova")
	nova.Commit("master", map[string]string{"README": "Another project.\n"})
	s.github.Repository("example/nova")
	s.configure(strings.ReplaceAll(`gerrits:
  spdk: {url: GERRIT, key-prefix: ''}
  opendev: {url: OTHER}
defaults:
  ci: example/ci
projects:
  - {name: spdk/spdk, gerrit: spdk, mirror: example/spdk}
  - {name: openstack/nova, gerrit: opendev, mirror: example/nova}
`, "OTHER", other.URL()))
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := nova.Push(gerrit.Draft{Owner: "zoe", Subject: "api: say hello"})
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "opendev+101/1/autorun.yml/1")
	if got := s.github.Repository("example/nova").Refs()[two.Ref()]; got != string(two.Revision()) {
		t.Errorf("the second mirror has %q", got)
	}
	s.says("One server is down: the other project goes on.")
	other.Faults.Add(faults.Rule{Do: faults.Answer(503, "down for maintenance")})
	one.Amend(map[string]string{"lib/nvme.c": "int probe;\n"})
	two.Amend(map[string]string{"api.py": "hello\n"})
	s.pass(ExitFailed)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1", "opendev+101/1/autorun.yml/1")
	other.Faults.Clear()
	s.endsWell(one)
	s.runs("101/1/autorun.yml/1", "101/2/autorun.yml/1", "opendev+101/1/autorun.yml/1", "opendev+101/2/autorun.yml/1")
}

// TestBranchesAsNamespace makes each patchset a branch of the mirror.
func TestBranchesAsNamespace(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.use(change.BranchRefs, change.BranchLedger)
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := s.push("ann", "nvme: probe in parallel", one)
	s.pass(ExitDone)
	s.endsWell(one, two)
	two.Amend(map[string]string{"lib/nvme.c": "int probe;\n"})
	s.endsWell(one, two)
	s.says("Merged, and two weeks later.")
	two.Submit()
	s.endsWell()
	s.clock.advance(15 * 24 * time.Hour)
	s.pass(ExitDone)
	s.endsWell()
	for name := range s.mirror.Refs() {
		if strings.Contains(name, "/10") {
			t.Errorf("%s is still there", name)
		}
	}
}

// TestPrototypeWorkflow is one that knows the input branch only.
func TestPrototypeWorkflow(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.use(change.BranchRefs, change.BranchLedger)
	s.workflow("autorun.yml", "run-name: \"(#${{ inputs.branch }})\"\non: {workflow_dispatch: {inputs: {branch: {required: true}}}}\n")
	s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.runs("(#changes/01/101/1)")
	s.pass(ExitDone)
	s.runs("(#changes/01/101/1)")
}

// TestPathFilters start a workflow for some files only.
func TestPathFilters(t *testing.T) {
	t.Parallel()
	s := begin(t, `workflows:
  - {file: autorun.yml, paths-ignore: ['doc/**', '**/*.md']}
  - {file: docs.yml, paths: ['doc/**']}
  - {file: stable.yml, branches: ['v*']}
`)
	s.workflow("docs.yml", autorun)
	s.workflow("stable.yml", autorun)
	s.project.Commit("v24.x", map[string]string{"VERSION": "24\n"})
	s.pushFiles("ann", "lib: change code", map[string]string{"lib/a.c": "int a;\n"})
	s.pushFiles("ann", "doc: change a page", map[string]string{"doc/a.md": "a\n"})
	s.pushFiles("ann", "both", map[string]string{"doc/b.md": "b\n", "lib/b.c": "int b;\n"})
	s.project.Push(gerrit.Draft{Owner: "bob", Branch: "v24.x", Subject: "README only", Files: map[string]string{"README.md": "x\n"}})
	s.pass(ExitDone)
	want := []string{"101/1/autorun.yml/1", "102/1/docs.yml/1", "103/1/autorun.yml/1", "103/1/docs.yml/1", "104/1/stable.yml/1"}
	s.runs(want...)
	s.pass(ExitDone)
	s.runs(want...)
}

// TestTrustGate runs nothing of a stranger before somebody else says so.
func TestTrustGate(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [{file: autorun.yml, trust: {label: Allow-CI, groups: [core]}}]", func(o *servers) {
		o.gerrit.Labels = []gerrit.Label{{Name: "Allow-CI", Min: -1, Max: 1}}
	})
	s.gerrit.Account("bot")
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	s.gerrit.Group("core", "ann")
	core := s.push("ann", "nvme: split the probe loop", nil)
	stranger := s.push("mallory", "mine: bitcoin", nil)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	if _, there := s.mirror.Refs()[stranger.Ref()]; there {
		t.Errorf("the stranger's patchset is on the mirror")
	}
	s.says("The stranger votes for it himself.")
	stranger.Vote("mallory", "Allow-CI", 1)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.says("Ann has looked at it.")
	stranger.Vote("ann", "Allow-CI", 1)
	s.pass(ExitDone)
	s.endsWell(core, stranger)
	s.says("The next patchset must be looked at again.")
	stranger.Amend(map[string]string{"mine.sh": "curl\n"})
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1")
	s.says("Nobody may see who is in the group: nothing is done at all.")
	s.gerrit.Faults.Add(faults.Rule{Path: theGroup, Do: faults.Answer(404, "core")})
	stranger.Vote("ann", "Allow-CI", 1)
	s.pass(ExitConfiguration)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1")
	s.gerrit.Faults.Clear()
	s.endsWell(stranger)
}

// TestTrivialRebaseIsCarried lets the result of the patchset before stand.
func TestTrivialRebaseIsCarried(t *testing.T) {
	t.Parallel()
	s := begin(t, "workflows: [{file: autorun.yml, trivial-rebase: carry, no-code-change: carry}]")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.endsWell(one)
	s.project.Commit("master", map[string]string{"x": "x\n"})
	one.Rebase()
	s.pass(ExitDone)
	one.Reword("nvme: split the loop that probes")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.endsWell()
	s.runs("101/1/autorun.yml/1")
	s.says("Then the code changes.")
	one.Amend(map[string]string{"lib/nvme.c": "int probe;\n"})
	s.pass(ExitDone)
	s.endsWell(one)
	s.runs("101/1/autorun.yml/1", "101/4/autorun.yml/1")
}

// TestLimitsAndTurns: owners take turns, oldest patchset first, and busy runs
// count.
func TestLimitsAndTurns(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {per-pass: 3, running: 4, per-owner: 2, pace: 0s}")
	var all []*gerrit.Change
	for i := range 4 {
		all = append(all, s.push("ann", fmt.Sprintf("ann %d", i), nil))
		s.clock.advance(time.Minute)
	}
	all = append(all, s.push("bob", "bob 0", nil), s.push("zoe", "zoe 0", nil))
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "105/1/autorun.yml/1", "106/1/autorun.yml/1")
	s.says("Nothing has ended: four may be busy, two of one owner.")
	s.pass(ExitDone)
	s.says("One of ann's has ended.")
	s.github.SetRunState(s.github.Runs()[0].ID, "completed", "success")
	s.pass(ExitDone)
	s.says("Everything has ended.")
	for _, run := range s.github.Runs() {
		s.github.SetRunState(run.ID, "completed", "failure")
	}
	s.pass(ExitDone)
	s.endsWell(all...)
}
