// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestNamedReportJob: a job with a name of its own, which GITHUB_JOB does not tell
// (actions/runner#852), does not wait for itself.
func TestNamedReportJob(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]func(s *story, id int64){
		"by its id":     func(s *story, id int64) { s.env["INPUT_JOB-ID"] = fmt.Sprint(id) },
		"by its runner": func(s *story, _ int64) { s.env["RUNNER_NAME"] = "GitHub Actions 9" },
		"by no means":   nil,
		"as another":    func(s *story, id int64) { s.env["INPUT_JOB-ID"] = fmt.Sprint(id + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "")
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.run(t.Context(), "sync")
			run := s.ends(testJob("unit tests", "success"), github.Job{Name: "Report to Gerrit", Status: "in_progress", Runner: "GitHub Actions 9", Started: time.Date(2026, 1, 5, 8, 3, 0, 0, time.UTC)})
			s.env["GITHUB_REPOSITORY"], s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"] = "example/ci", fmt.Sprint(run), "1", "report"
			want := 0
			if known != nil {
				known(s, s.github.Jobs(run, 1)[1].ID)
				if name != "as another" {
					want = 1
				}
			}
			if status := s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1"); status != ExitDone || c.Votes()["Verified"]["bot"] != want {
				t.Errorf("got exit status %d and the votes %v, want %d:\n%s%s", status, c.Votes(), want, s.stdout, s.stderr)
			}
		})
	}
}
