// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestNamesInOtherLetters: names that are right but for their letters or their
// folder are known.
func TestNamesInOtherLetters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SPDK/spdk", "Spdk/Spdk", "spdk", "SPDK", "spdk%2Fspdk"} {
		s := begin(t, "")
		s.gerrit.Project("spdk/dpdk")
		s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "name: spdk/spdk", "name: "+name, 1)
		if got := s.run(t.Context(), "sync"); got != ExitConfiguration || strings.Count(s.stdout, "did you mean spdk/spdk?") != 1 {
			t.Errorf("%s: got the exit status %d:\n%s", name, got, s.stdout)
		}
	}
}

// TestWorkflowsThatNameNothing: what does not name the patchset is refused, also in a
// dry run and on a comment.
func TestWorkflowsThatNameNothing(t *testing.T) {
	t.Parallel()
	for inputs, names := range map[string]bool{
		"key: {}, revision: {}":                         true,
		"key: {}, ref: {}":                              true,
		"key: {}, change: {}, patchset: {}":             true,
		"GERRIT_REFSPEC: {}":                            true,
		"GERRIT_PATCHSET_REVISION: {}":                  true,
		"branch: {}":                                    true, // the prototype's
		"key: {}":                                       false,
		"key: {}, change: {}":                           false,
		"key: {}, patchset: {}, change_url: {}":         false,
		"key: {}, branch: {}":                           false,
		"GERRIT_CHANGE_NUMBER: {}, GERRIT_BRANCH: {}":   false,
		"key: {}, Revision: {}":                         false,
		"key: {}, revision : {}":                        true,
		"revisions: {}, flavour: {default: x}":          false,
		"GERRIT_BRANCH: {}, branch: {}, GERRIT_REF: {}": false,
	} {
		s := begin(t, "")
		s.push("ann", "nvme: split the probe loop", nil)
		s.workflow("autorun.yml", "on: {workflow_dispatch: {inputs: {"+inputs+"}}}\n")
		want := map[bool]int{true: ExitDone, false: ExitConfiguration}[names]
		for _, args := range [][]string{{"sync", "--dry-run"}, {"sync"}} {
			if got := s.run(t.Context(), args...); got != want || strings.Contains(s.stdout, "{required: true}") == names {
				t.Errorf("%s, %v: got the exit status %d, want %d:\n%s", inputs, args, got, want, s.stdout)
			}
		}
		if n := len(s.github.Runs()); (n == 1) != names {
			t.Errorf("%s: got %d runs", inputs, n)
		}
	}
}

// TestManyJobsLoseTheirMirror: all jobs of a matrix fail at an installation, and none
// of them counts as a failed test, in the last job or in a pass.
func TestManyJobsLoseTheirMirror(t *testing.T) {
	t.Parallel()
	var jobs []github.Job
	for i := range 20 {
		j := testJob(fmt.Sprintf("unit (%d)", i), "failure", "##[group]Run sudo apt-get install -y gcc", "\x1b[36;1msudo apt-get install -y gcc\x1b[0m", "##[endgroup]",
			"E: Failed to fetch http://azure.archive.ubuntu.com/ubuntu/pool/x.deb  500  Internal Server Error", "##[error]Process completed with exit code 100.")
		j.Steps[1].Name = "Install dependencies"
		jobs = append(jobs, j)
	}
	for _, inside := range []bool{true, false} {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		if inside {
			id := s.ends(append(jobs, github.Job{Name: "report", Status: "in_progress"})...)
			s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_NEEDS"] = fmt.Sprint(id), "1", "report", `{"unit":{"result":"failure"}}`
			s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1")
		} else {
			s.ends(jobs...)
			s.clock.advance(15 * time.Minute)
			s.run(t.Context(), "sync")
		}
		messages := c.Messages()
		if last := messages[len(messages)-1].Text; c.Votes()["Verified"]["bot"] != 0 || !strings.Contains(last, "outcome=setup-failed") {
			t.Errorf("inside %v: got the votes %v:\n%s\n%s", inside, c.Votes(), last, s.stdout)
		}
	}
}

// TestReportOfAJobThatIsCalledSo: coverage / report is not the job that reports.
func TestReportOfAJobThatIsCalledSo(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.run(t.Context(), "sync")
	id := s.ends(testJob("unit", "success"), testJob("coverage / report", "failure", "covers less than before"), github.Job{Name: "report", Status: "in_progress"})
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_NEEDS"] = fmt.Sprint(id), "1", "report", `{"unit":{"result":"success"},"coverage":{"result":"failure"}}`
	s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1")
	if got := c.Votes()["Verified"]["bot"]; got != -1 {
		t.Errorf("got the vote %d, want -1:\n%s%s", got, s.stdout, s.stderr)
	}
}

// TestDryRunsOfReport change nothing, whatever they would do.
func TestDryRunsOfReport(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*story) string{
		"red":   func(s *story) string { s.ends(testJob("unit", "failure", "boom")); return "vote: Verified-1" },
		"green": func(s *story) string { s.ends(testJob("unit", "success")); return "vote: Verified+1" },
		"lost":  func(s *story) string { s.ends(lostJob("unit")); return "vote: Verified 0" },
		"goes on": func(s *story) string {
			s.github.SetRunState(s.github.Runs()[0].ID, "in_progress", "")
			return "Nothing would be posted"
		},
		"may not": func(s *story) string {
			s.ends(testJob("unit", "success"))
			s.gerrit.Restrict("bot", "Verified", 0, 0)
			return "vote: Verified+1"
		},
		"no posting": func(s *story) string {
			s.ends(testJob("unit", "success"))
			s.gerrit.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(500, "x")})
			return "not checked: that Gerrit takes the message and the vote"
		},
	} {
		s := reporting(t, "")
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		want, refs := prepare(s), fmt.Sprint(s.mirror.Refs())
		s.env["INPUT_NEEDS"] = ""
		got := s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1", "--run", fmt.Sprint(s.github.Runs()[0].ID), "--dry-run")
		if writes := s.writes(); got != ExitDone || len(writes) > 0 || len(c.Messages()) != 1 || fmt.Sprint(s.mirror.Refs()) != refs || !strings.Contains(s.stdout, want) {
			t.Errorf("%s: got the exit status %d, %q and %d messages:\n%s%s", name, got, writes, len(c.Messages()), s.stdout, s.stderr)
		}
	}
}

// TestFindingsThatAreNoFiles: what a test left in the place of a report is a warning,
// and holds nothing up.
func TestFindingsThatAreNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	report := `<testsuite><testcase name="a"><failure message="x"/></testcase></testsuite>`
	err := errors.Join(syscall.Mkfifo(filepath.Join(dir, "junit.xml"), 0o644), os.Symlink("/dev/zero", filepath.Join(dir, "zero.xml")),
		os.Symlink("loop.xml", filepath.Join(dir, "loop.xml")), os.WriteFile(filepath.Join(dir, "ok.xml"), []byte(report), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		list, warnings := localFindings(pathList{filepath.Join(dir, "*.xml")})
		if len(list) != 1 || len(list[0].Findings) != 1 || len(warnings) != 3 {
			t.Errorf("got %d reports and the warnings %q", len(list), warnings)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("it waits for somebody to write into a pipe")
	}
}

// TestEndedIsALine: a run that has just ended may report itself; until a pass does it,
// the wait is a line with its end, in a dry run as well.
func TestEndedIsALine(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.run(t.Context(), "sync")
	s.ends(testJob("unit", "success"))
	line := regexp.MustCompile(`waiting +101/1 +autorun\.yml +ended, reported from (\d\d:\d\d) on`)
	for _, args := range [][]string{{"sync", "--dry-run"}, {"sync"}} {
		if got := s.run(t.Context(), args...); got != ExitDone || !line.MatchString(s.stdout) || len(c.Messages()) != 1 {
			t.Errorf("%v: got the exit status %d:\n%s", args, got, s.stdout)
		}
	}
	m := line.FindStringSubmatch(s.stdout)
	if m == nil {
		return
	}
	at, _ := time.Parse("2006-01-02 15:04", "2026-01-05 "+m[1])
	s.clock.advance(at.Add(-time.Second).Sub(s.clock.Now()))
	if s.run(t.Context(), "sync"); len(c.Messages()) != 1 {
		t.Errorf("it is reported before %s:\n%s", m[1], s.stdout)
	}
	s.clock.advance(time.Minute)
	if s.run(t.Context(), "sync"); c.Votes()["Verified"]["bot"] != 1 {
		t.Errorf("it is not reported after %s:\n%s", m[1], s.stdout)
	}
}
