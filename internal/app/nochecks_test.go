// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestWithoutChecks: where the permission Checks is not to be had, verdict and message
// are the same, and one line says what is not read.
func TestWithoutChecks(t *testing.T) {
	t.Parallel()
	const line = "annotations are refused, so logs and test reports alone tell why jobs failed"
	told := func(access github.Access) (message, warnings string) {
		s := reporting(t, "", func(o *servers) { o.github.Tokens = map[string]github.Access{token: access} })
		s.ci.SetPrivate()
		c := s.push("ann", "nvme: split the probe loop", nil)
		s.run(t.Context(), "sync")
		var jobs []github.Job
		for _, name := range []string{"unit (fedora)", "unit (debian)"} {
			jobs = append(jobs, github.Job{Name: name, Conclusion: "failure",
				Annotations: []github.Annotation{{Level: "failure", Path: ".github", Line: 3, Text: "Process completed with exit code 1."}},
				Steps: []github.Step{{Name: "make test", Conclusion: "failure",
					Log: "##[group]Run make test\n##[endgroup]\n--- FAIL: TestProbe (0.00s)\n    probe_test.go:7: got 1, want 2\nFAIL\n##[error]Process completed with exit code 1."}}})
		}
		s.ends(jobs...)
		s.clock.advance(15 * time.Minute)
		s.run(t.Context(), "sync")
		messages := c.Messages()
		return strings.ReplaceAll(messages[len(messages)-1].Text, s.github.URL(), "GITHUB"), s.stdout + s.stderr
	}
	weak := github.FullAccess
	weak.Checks = github.None
	with, loud := told(github.FullAccess)
	without, said := told(weak)
	if diff := cmp.Diff(with, without); diff != "" || !strings.Contains(with, "TestProbe") {
		t.Errorf("with and without (-with +without):\n%s\n%s", diff, with)
	}
	if strings.Count(said, line) != 1 || !strings.Contains(said, "Checks: read") || strings.Contains(loud, line) {
		t.Errorf("got the lines\n%s\nwithout Checks, and with it\n%s", said, loud)
	}
}
