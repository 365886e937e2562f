// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestNamesThatAreNotThere: each slip is told once, with the name that was
// probably meant, and costs requests only then.
func TestNamesThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.gerrit.Project("spdk/dpdk")
	good := s.files[".github/dispatcher.yml"]
	for _, tt := range []struct{ says, right, wrong, meant string }{
		{"The project.", "name: spdk/spdk", "name: spdk/spkd", "did you mean spdk/spdk?"},
		{"Its folder.", "name: spdk/spdk", "name: spkd/spdk", "did you mean spdk/spdk?"},
		{"A project like no other.", "name: spdk/spdk", "name: linux", ""},
		{"The mirror.", "mirror: example/spdk", "mirror: example/sdpk", "did you mean example/spdk?"},
		{"The mirror's owner.", "mirror: example/spdk", "mirror: exmaple/spdk", "did you mean example/spdk?"},
		{"An owner like no other.", "mirror: example/spdk", "mirror: somebody-else/spdk", ""},
		{"The CI repository.", "ci: example/ci", "ci: example/cii", "did you mean example/ci?"},
		{"The CI repository, with a branch.", "ci: example/ci", "ci: {repository: example/cii, ref: main}", "did you mean example/ci?"},
	} {
		s.push("ann", "bdev: "+tt.says, nil)
		s.says(tt.says)
		s.files[".github/dispatcher.yml"] = strings.Replace(good, tt.right, tt.wrong, 1)
		s.pass(ExitConfiguration)
		if n := strings.Count(s.stdout, "hint:"); n != 1 || !strings.Contains(s.stdout, tt.meant) || tt.meant == "" && strings.Contains(s.stdout, "did you mean") {
			t.Errorf("%s: got %d problems:\n%s", tt.says, n, s.stdout)
		}
	}
	s.files[".github/dispatcher.yml"] = good
	s.run(t.Context(), "sync")
	for _, r := range s.requests {
		if strings.Contains(r, "/projects/") || strings.HasSuffix(r, "/repos") {
			t.Errorf("got the request %s although no name is wrong", r)
		}
	}
}

// TestTwoCauses at the same server are two problems.
func TestTwoCauses(t *testing.T) {
	t.Parallel()
	s := reporting(t, "workflows: [{file: autorun.yml, trust: {groups: [Nobody]}}]")
	s.push("ann", "nvme: split the probe loop", nil)
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "name: spdk/spdk", "name: spdk/spkd", 1)
	s.pass(ExitConfiguration)
	if n := strings.Count(s.stdout, "hint:"); n != 2 {
		t.Errorf("got %d problems, want the project and the group:\n%s", n, s.stdout)
	}
}

// TestReportOnANameThatIsNotThere suggests one, too.
func TestReportOnANameThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.project.Push(gerrit.Draft{Owner: "ann", Subject: "nvme: split the probe loop"})
	s.run(t.Context(), "sync")
	s.env["GITHUB_RUN_ID"] = "9000000001"
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "mirror: example/spdk", "mirror: example/sdpk", 1)
	s.shows(ExitConfiguration, "report", "--key", "101/1/autorun.yml/1")
	if !strings.Contains(s.stderr, "did you mean example/spdk?") {
		t.Errorf("got\n%s", s.stderr)
	}
}
