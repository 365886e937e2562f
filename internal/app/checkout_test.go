// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// checksOut runs the checkout of this repository, as autorun.yml does, and returns
// the job that comes of it.
func (s *story) checksOut(c *gerrit.Change) github.Job {
	s.Helper()
	revision := string(c.Revision())
	cmd := exec.CommandContext(s.Context(), "bash", "../../actions/checkout/checkout.sh")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.TempDir(), "RUNNER_TEMP=" + s.TempDir(), "FOLDER=" + s.TempDir() + "/source", "SUBMODULES=true",
		"REVISION=" + revision, "REPOSITORY=example/spdk", "SERVER_URL=" + s.github.URL(), "TOKEN=" + token,
		"GERRIT_URL=" + s.gerrit.URL(), "GERRIT_PROJECT=spdk/spdk",
	}
	out, err := cmd.CombinedOutput()
	begin := time.Date(2026, 1, 5, 8, 1, 0, 0, time.UTC)
	job := github.Job{Name: "autorun / source", Status: "completed", Conclusion: "success", Started: begin, Completed: begin.Add(15 * time.Second), Runner: "runner-1"}
	step := github.Step{Name: "setup: check out the revision, and pack it with its permissions", Conclusion: "success", Log: "##[group]Run ./.dispatcher/actions/source\n##[endgroup]\n##[group]Run ./.dispatcher/actions/checkout\n##[endgroup]\n"}
	kept := "success"
	log, remarks := obeyed(string(out))
	if step.Log += log; err != nil {
		job.Conclusion, step.Conclusion, job.Annotations, kept = "failure", "failure", remarks, "skipped"
		step.Log += "##[error]Process completed with exit code 1."
	}
	job.Steps = []github.Step{{Name: "Set up job", Conclusion: "success"}, {Name: "setup: the dispatcher at this workflow's own commit", Conclusion: "success"}, step, {Name: "setup: keep the source for the other jobs", Conclusion: kept}}
	return job
}

// obeyed is what the runner makes of a step's output.
func obeyed(out string) (log string, remarks []github.Annotation) {
	var r ghRunner
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		before, known := r.stopped, len(r.obeyed)
		r.line(line)
		switch {
		case r.stopped != before:
			line = strings.ReplaceAll(line, before+r.stopped, "***")
		case len(r.obeyed) > known:
			c := r.obeyed[known]
			line = "##[" + c.name + "]" + c.text
			remarks = append(remarks, github.Annotation{Level: strings.Replace(c.name, "error", "failure", 1), Path: ".github", Title: c.title, Text: c.text})
		}
		log += line + "\n"
	}
	return log, remarks
}

// TestBrokenSubmodule: a patchset that names what does not exist has failed; where a
// server is down, nobody has.
func TestBrokenSubmodule(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	modules := func(url string) string { return "[submodule \"dpdk\"]\n\tpath = dpdk\n\turl = " + url + "\n" }
	dpdk := s.gerrit.Project("spdk/dpdk").Commit("master", map[string]string{"VERSION": "26.03\n"})
	good := gerrit.Submodule(string(dpdk))
	s.says("A submodule's commit was never pushed.")
	c := s.pushFiles("ann", "dpdk: bump to 26.03", map[string]string{".gitmodules": modules("../dpdk"), "dpdk": gerrit.Submodule(strings.Repeat("1", 40))})
	s.pass(ExitDone)
	s.ends(s.checksOut(c))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})

	s.says("It was, and the job goes on.")
	c.Amend(map[string]string{"dpdk": good})
	s.pass(ExitDone)
	s.ends(s.checksOut(c), testJob("autorun / unit", "success"))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": 1})

	s.says("Its server is down.")
	away := s.pushFiles("bob", "dpdk: from our own server", map[string]string{".gitmodules": modules("http://127.0.0.1:1/dpdk"), "dpdk": good})
	s.pass(ExitDone)
	s.ends(s.checksOut(away))
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(away, map[string]int{})
}
