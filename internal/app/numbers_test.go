// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// twoProjects are two projects of one server and CI repository; the second one was
// imported and has a change of the number that the first one's first change will have.
func twoProjects(t *testing.T, settings string, edits ...func(*servers)) (s *story, imported *gerrit.Change) {
	t.Helper()
	s = begin(t, "", edits...)
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	s.gerrit.Account("bot")
	docs := s.gerrit.Project("spdk/docs")
	docs.Commit("master", map[string]string{"README": "Imported.\n"})
	s.github.Repository("example/docs")
	s.configure(`gerrits:
  main: {url: GERRIT}
defaults:
  ci: example/ci
  limits: {pace: 0s}
  report: {label: Verified}
projects:
  - {name: spdk/spdk, mirror: example/spdk}
  - {name: spdk/docs, mirror: example/docs` + settings + `}
`)
	return s, docs.Push(gerrit.Draft{Owner: "zoe", Subject: "doc: say hello", Imported: 101})
}

// TestImportedNumbers is two projects with a change 101 each: each has runs and a vote
// of its own, also where its run reports itself, and both are cleaned up by themselves.
func TestImportedNumbers(t *testing.T) {
	t.Parallel()
	s, imported := twoProjects(t, "")
	ours := s.push("ann", "nvme: split the probe loop", nil)
	scope := change.Scope("", "spdk/docs")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", scope+"+101/1/autorun.yml/1")
	for _, run := range s.github.Runs() {
		conclusion := "success"
		if strings.HasPrefix(run.Title, scope) {
			conclusion = "failure"
		}
		s.github.SetJobs(run.ID, testJob("unit tests", conclusion))
	}
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(ours, map[string]int{"bot": 1})
	s.gerritShows(imported, map[string]int{"bot": -1})
	s.says("Only one of them is merged, and its refs go.")
	ours.Submit()
	s.clock.advance(15 * 24 * time.Hour)
	s.pass(ExitDone)
	for name := range s.mirror.Refs() {
		if strings.Contains(name, "/101/") {
			t.Errorf("%s is still there", name)
		}
	}
	if got := s.github.Repository("example/docs").Refs()[imported.Ref()]; got != string(imported.Revision()) {
		t.Errorf("the other project's patchset is %q on its mirror", got)
	}
}

// TestEqualNumbersOfAnOldServer: a server that does not tell imported changes leaves it
// to a person to tell the runs of two projects apart.
func TestEqualNumbersOfAnOldServer(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{"one prefix": "", "another prefix": ", key-prefix: docs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := twoProjects(t, settings, func(o *servers) { o.gerrit.NoVirtualIDs = true })
			s.push("ann", "nvme: split the probe loop", nil)
			if settings == "" {
				s.pass(ExitFailed)
				s.runs("101/1/autorun.yml/1")
				return
			}
			s.pass(ExitDone)
			s.runs("101/1/autorun.yml/1", "docs+101/1/autorun.yml/1")
		})
	}
}

// TestAnotherProjectsClosedChange: that a change of the same number was merged
// elsewhere is no reason to cancel a run, or to delete a ref.
func TestAnotherProjectsClosedChange(t *testing.T) {
	t.Parallel()
	s := reporting(t, "limits: {pace: 0s}\nmax-age: 2d")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	docs := s.gerrit.Project("spdk/docs")
	docs.Commit("master", map[string]string{"README": "Imported.\n"})
	docs.Push(gerrit.Draft{Owner: "zoe", Imported: one.Number()}).Submit()
	s.clock.advance(20 * 24 * time.Hour)
	s.says("The change is too old to be listed.")
	s.pass(ExitDone)
	if run := s.github.Runs()[0]; run.Status == "completed" {
		t.Errorf("its run ended: %s", run.Conclusion)
	}
	if s.mirror.Refs()[one.Ref()] == "" {
		t.Error("its patchset left the mirror")
	}
}

// TestListedAndNotFound: what Gerrit lists and then does not find is told, and so is
// what was closed between the two.
func TestListedAndNotFound(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	s.push("ann", "nvme: split the probe loop", nil)
	closed := s.push("ann", "bdev: fix a leak on reset", nil)
	s.push("bob", "doc: fix a typo", nil)
	s.gerrit.Faults.Add(faults.Rule{Path: regexp.MustCompile(`~101/`), Do: faults.Answer(404, "Not found: spdk/spdk~101\n")})
	first := true
	s.gerrit.OnRequest(func(r gerrit.Request) {
		if strings.Contains(r.Path, "~102/") && first { // after the list
			first = false
			closed.Abandon()
		}
	})
	s.pass(ExitFailed)
	s.runs("103/1/autorun.yml/1")
	s.gerrit.Faults.Clear()
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "103/1/autorun.yml/1")
}

// TestBehindApache: a proxy that lets no %2F pass holds nothing up.
func TestBehindApache(t *testing.T) {
	t.Parallel()
	for _, slashes := range []gerrit.Slashes{gerrit.SlashesRefused, gerrit.SlashesDecoded} {
		s := reporting(t, "limits: {pace: 0s}", func(o *servers) { o.gerrit.Slashes = slashes })
		one := s.push("ann", "nvme: split the probe loop", nil)
		s.pass(ExitDone)
		s.ends(testJob("unit tests", "failure"))
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
		s.gerritShows(one, map[string]int{"bot": -1})
	}
}

// TestUpgradeTellsImports: once Gerrit tells that a change is imported, what was said
// of it stands, and a run that goes on is started anew under a key that is its own.
func TestUpgradeTellsImports(t *testing.T) {
	t.Parallel()
	s, imported := twoProjects(t, "", func(o *servers) { o.gerrit.NoVirtualIDs = true })
	s.newKeys(imported, change.Scope("", "spdk/docs"), func() { s.gerrit.SetVirtualIDs(true) })
}

// TestNewKeyPrefix: the same after somebody has set a key prefix.
func TestNewKeyPrefix(t *testing.T) {
	t.Parallel()
	s, imported := twoProjects(t, "", func(o *servers) { o.gerrit.NoVirtualIDs = true })
	s.newKeys(imported, "docs", func() {
		file := ".github/dispatcher.yml"
		s.files[file] = strings.Replace(s.files[file], "mirror: example/docs", "mirror: example/docs, key-prefix: docs", 1)
	})
}

// newKeys tells of a change that was reported on, and one whose run goes on, when
// their keys get another prefix.
func (s *story) newKeys(reported *gerrit.Change, prefix string, change func()) {
	s.Helper()
	s.pass(ExitDone)
	s.ends(testJob("unit tests", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	going := s.gerrit.Project("spdk/docs").Push(gerrit.Draft{Owner: "zoe", Subject: "doc: say more", Imported: 102})
	s.pass(ExitDone)
	change()
	said := len(reported.Messages())
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1", prefix+"+102/1/autorun.yml/1")
	s.ends(testJob("unit tests", "failure"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(going, map[string]int{"bot": -1})
	s.pass(ExitDone)
	if len(reported.Messages()) != said {
		s.Error("what was told is told again")
	}
	reported.Comment("zoe", "recheck")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1", "102/1/autorun.yml/1", prefix+"+102/1/autorun.yml/1", prefix+"+101/1/autorun.yml/2")
}
