// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// ourJob is a job of the reusable workflow, in which a program of ours tells how the
// test ended.
func ourJob(name, mark string, exit int) github.Job {
	j := testJob(name, "failure", "##[group]Run dispatcher environments run", "\x1b[36;1mdispatcher environments run\x1b[0m", "##[endgroup]",
		"not ok 3", fmt.Sprintf("##[error]Process completed with exit code %d.", exit))
	j.Steps[1].Name = "guest: test in a guest"
	j.Annotations = []github.Annotation{
		{Level: "failure", Path: ".github", Text: fmt.Sprintf("Process completed with exit code %d.", exit)},
		{Level: "notice", Path: ".github", Title: "dispatcher result", Text: mark},
	}
	j.ContinueOnError = strings.Contains(mark, `"optional":true`)
	return j
}

// TestWholeRuns is what a run comes to in the last job of a workflow and in a pass
// after it: both vote alike, or the job leaves it to the pass.
func TestWholeRuns(t *testing.T) {
	t.Parallel()
	lenient := func(name string) github.Job {
		j := testJob(name, "failure", "leaked 3 bdevs")
		j.ContinueOnError = true
		return j
	}
	upload := testJob("results", "failure", "##[group]Run actions/upload-artifact@v4", "##[endgroup]", "##[error]Failed to CreateArtifact: Artifact storage quota has been hit. Unable to upload any new artifacts.")
	upload.Steps[1].Name = "Collect test logs"
	const left = -9 // the job leaves it to a pass
	for _, tt := range []struct {
		name         string
		jobs         []github.Job
		needs        string
		inside, pass int
	}{
		{"all passed", []github.Job{testJob("unit", "success")}, `{"unit":{"result":"success"}}`, 1, 1},
		{"no needs", []github.Job{testJob("unit", "success")}, "", left, 1},
		{"continue-on-error", []github.Job{testJob("unit", "success"), lenient("nightly")}, `{"unit":{"result":"success"},"nightly":{"result":"success"}}`, 1, 1},
		{"continue-on-error with a name", []github.Job{testJob("unit", "success"), lenient("At night")}, `{"unit":{"result":"success"},"nightly":{"result":"success"}}`, left, 1},
		{"optional", []github.Job{testJob("plan", "success"), ourJob("rawhide", `{"v":1,"by":"test","optional":true,"exit":1}`, 1)}, `{"plan":{"result":"success"},"guest":{"result":"success"}}`, 1, 1},
		{"the rig failed", []github.Job{testJob("plan", "success"), ourJob("fedora", `{"v":1,"by":"rig","exit":251,"why":"no guest"}`, 251)}, `{"plan":{"result":"success"},"guest":{"result":"failure"}}`, 0, 0},
		{"a test crashed", []github.Job{testJob("plan", "success"), ourJob("fedora", `{"v":1,"by":"test","exit":139}`, 139)}, `{"plan":{"result":"success"},"guest":{"result":"failure"}}`, -1, -1},
		{"an upload failed", []github.Job{testJob("unit", "success"), upload}, `{"unit":{"result":"success"},"results":{"result":"failure"}}`, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, inside := range []bool{true, false} {
				s := reporting(t, "")
				c := s.push("ann", "nvme: split the probe loop", nil)
				s.run(t.Context(), "sync")
				want := tt.pass
				if inside {
					id := s.ends(append(tt.jobs, github.Job{Name: "report", Status: "in_progress"})...)
					s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_NEEDS"] = fmt.Sprint(id), "1", "report", tt.needs
					s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1")
					want = tt.inside
				} else {
					s.ends(tt.jobs...)
					s.clock.advance(15 * time.Minute)
					s.run(t.Context(), "sync")
				}
				got, told := c.Votes()["Verified"]["bot"], strings.Contains(fmt.Sprint(c.Messages()), "outcome=")
				if told != (want != left) || told && got != want {
					t.Errorf("inside %v: got the vote %d (told: %v), want %d:\n%s%s", inside, got, told, want, s.stdout, s.stderr)
				}
			}
		})
	}
}

// TestPartialReruns: GitHub lists of a rerun only what was run again.
func TestPartialReruns(t *testing.T) {
	t.Parallel()
	for conclusion, want := range map[string]int{"success": 1, "failure": -1} {
		s := reporting(t, "", func(o *servers) { o.github.PartialReruns = true })
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		s.ends(testJob("unit tests", "failure", "not ok 2"), testJob("docs", "success"))
		s.clock.advance(15 * time.Minute)
		s.run(t.Context(), "sync")
		c.Reply("ann", "recheck failed")
		s.clock.advance(15 * time.Minute)
		s.run(t.Context(), "sync")
		s.ends(testJob("unit tests", conclusion, "not ok 2"), testJob("docs", "success"))
		s.clock.advance(15 * time.Minute)
		s.run(t.Context(), "sync")
		messages := c.Messages()
		last := messages[len(messages)-1].Text
		if got := c.Votes()["Verified"]["bot"]; got != want || !strings.Contains(last, "`docs`") || s.github.Runs()[0].Attempt != 2 {
			t.Errorf("%s: got the vote %d, want %d, and docs told of:\n%s", conclusion, got, want, last)
		}
	}
}
