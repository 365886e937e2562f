// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/flake"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestFlakyJobs: a job that failed and passed on the same patchset is listed, and
// the next change that it fails on is told.
func TestFlakyJobs(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	ends := func(c *gerrit.Change, conclusion string, vote int) {
		t.Helper()
		s.ends(testJob("unit tests", conclusion), testJob("docs", "success"))
		s.clock.advance(15 * time.Minute)
		s.pass(ExitDone)
		s.gerritShows(c, map[string]int{"bot": vote})
	}
	s.says("A test fails, somebody asks for another run, and it passes.")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	ends(one, "failure", -1)
	s.clock.advance(15 * time.Minute)
	one.Reply("ann", "recheck")
	s.pass(ExitDone)
	ends(one, "success", 1)
	s.says("A pass with nothing to do shows what is known, and asks for no more than before.")
	s.clock.advance(2 * time.Hour)
	s.pass(ExitDone)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	if len(s.requests) > 3 {
		t.Errorf("got %d requests, want 3 at most: %q", len(s.requests), s.requests)
	}
	s.says("The same job fails on another change: in the message of a pass, and of the run's own last job.")
	two := s.push("bob", "bdev: fix a leak on reset", nil)
	s.pass(ExitDone)
	ends(two, "failure", -1)
	three := s.push("eve", "vhost: half of an idea", nil)
	s.pass(ExitDone)
	id := s.ends(testJob("unit tests", "failure"))
	s.shows(ExitDone, "report", "--key", "103/1/autorun.yml/1", "--run", strconv.FormatInt(id, 10))
	s.gerritShows(three, map[string]int{"bot": -1})
	s.says("And as JSON, and in a job's summary.")
	s.run(t.Context(), "sync", "--json")
	var report jsonReport
	if err := json.Unmarshal([]byte(s.stdout), &report); err != nil {
		t.Fatal(err)
	}
	want := jsonFlaky{Job: "unit tests", Changes: 1, Runs: 1, PassedLater: 1, Rechecked: 1, Last: report.Projects[0].Flaky[0].Last}
	if got := report.Projects[0].Flaky[0]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	page := filepath.Join(t.TempDir(), "summary")
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_STEP_SUMMARY"] = "true", page
	s.run(t.Context(), "sync")
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "| unit tests | 1 | 1 | 1 | 0 | 1 | 2026-01-05 |") {
		t.Errorf("got %v\n%s", err, text)
	}
	s.says("Two weeks later nobody speaks of it.")
	s.env["GITHUB_ACTIONS"] = ""
	s.clock.advance(15 * 24 * time.Hour)
	s.pass(ExitDone)
}

// TestAsideIsBounded: names are outside text, and long lists are cut.
func TestAsideIsBounded(t *testing.T) {
	t.Parallel()
	var events []flake.Event
	for i := range 30 {
		events = append(events, flake.Event{Name: fmt.Sprintf("::error::job <b>%d|\n", i), Kind: flake.FalsePositive, ID: change.ID{Change: 1, Patchset: 1}, Issue: 12})
	}
	more := aside{flaky: map[string][]flake.Row{"spdk/spdk": flake.Rank(events)}}
	if text := more.text(); strings.Count(text, "\n") != maxFlaky+3 || !strings.Contains(text, "and 20 more") || strings.Contains(text, " ::error") {
		t.Errorf("got\n%s", text)
	}
	if text := more.markdown(); strings.Count(text, "| 1 | 1 | 0 | 1 #12 | 0 |") != maxFlaky || strings.Contains(text, "<b>") || !strings.Contains(text, "and 20 more") {
		t.Errorf("got\n%s", text)
	}
}
