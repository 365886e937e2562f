// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestOwnDetails: the token of the project may not read annotations, as no
// fine-grained one may (orgs/community#179545). The job's own token may; without it
// the log tells the same.
func TestOwnDetails(t *testing.T) {
	t.Parallel()
	const rig = `{"v":1,"by":"rig","exit":251,"why":"the guest did not come up"}`
	weak := github.FullAccess
	weak.Checks = github.None
	for _, tt := range []struct {
		name, token string
		log         []string
		want        string
	}{
		{"the job's own token", "own", nil, "outcome=setup-failed"},
		{"no token of its own", "", nil, "outcome=failed"},
		{"one that may not either", token, nil, "outcome=failed"},
		{"one that is not known", "wrong", nil, "outcome=failed"},
		{"the log tells", "", []string{"::stop-commands::***", "booting", "::***::", "##[error]" + rig}, "outcome=setup-failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := reporting(t, "", func(o *servers) {
				o.github.Tokens = map[string]github.Access{token: weak, "own": github.FullAccess}
			})
			s.ci.SetPrivate() // of public ones everybody may read annotations
			c := s.push("ann", "nvme: split the probe loop", nil)
			s.run(t.Context(), "sync")
			job := ourJob("fedora", rig, 251)
			job.Annotations[1].Level = "failure"
			job.Steps[1].Log = strings.Join(append(append([]string{"##[group]Run dispatcher environments run", "##[endgroup]"}, tt.log...), "##[error]Process completed with exit code 251."), "\n")
			id := s.ends(job, github.Job{Name: "report", Status: "in_progress"})
			s.env["GITHUB_REPOSITORY"], s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"], s.env["INPUT_GITHUB-TOKEN"] = "example/ci", fmt.Sprint(id), "1", "report", tt.token
			s.run(t.Context(), "report", "--key", "101/1/autorun.yml/1")
			messages := c.Messages()
			if last := messages[len(messages)-1].Text; !strings.Contains(last, tt.want) {
				t.Errorf("got no %q:\n%s\n%s%s", tt.want, last, s.stdout, s.stderr)
			}
		})
	}
}
