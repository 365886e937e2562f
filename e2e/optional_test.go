// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestOptional has jobs fail that may: one with continue-on-error, and an
// environment that is optional. The run's conclusion is success, and so is the
// vote, whether the run's own last job tells it or a later pass. The same
// environment votes when it is not optional.
func TestOptional(t *testing.T) {
	s := newScene(t, "optional", 22, settings{})
	s.reporting()
	nightly := job("nightly", "failure")
	nightly.ContinueOnError = true
	for _, c := range []struct {
		subject, needs string
		job            github.Job
		vote           int
		says           string
	}{
		{"a job that may fail", `{"unit": {"result": "success"}, "nightly": {"result": "success"}}`, nightly, +1, "Allowed to fail:\n* `nightly` failed in `Run make test`"},
		{"an optional environment", `{"unit": {"result": "success"}, "metal": {"result": "success"}}`, environment(t, true), +1, "Allowed to fail:\n* `rawhide` failed in `test on the host`"},
		{"an environment that votes", `{"unit": {"result": "success"}, "metal": {"result": "failure"}}`, environment(t, false), -1, "Failed: `rawhide` in `test on the host` (exit code 3)"},
	} {
		inside := s.upload(c.subject + ", told by its run")
		s.fromInside(s.latest(), 0, c.needs, job("unit", "success"), c.job)
		s.expect(inside, c.vote, 1, c.says)

		later := s.upload(c.subject + ", told by a pass")
		s.hub.SetJobs(s.latest().ID, job("unit", "success"), c.job)
		s.pass()
		s.expect(later, c.vote, 1, c.says)
		s.quiet(inside, c.vote, 1)
		for _, run := range append(s.runsOf(inside), s.runsOf(later)...) {
			if want := map[int]string{1: "success", -1: "failure"}[c.vote]; run.Conclusion != want {
				t.Errorf("%s: the run ended as %q, want %s", c.subject, run.Conclusion, want)
			}
		}
	}
}

// job is one that has ended.
func job(name, conclusion string) github.Job {
	return github.Job{
		Name: name, Status: "completed", Conclusion: conclusion, Runner: "runner-1",
		Steps: []github.Step{{Name: "Set up job", Conclusion: "success"}, {Name: "Run make test", Conclusion: conclusion, Log: "not ok 1 - nvme reset"}},
	}
}

// fromInside has the last job of a run tell how the others ended, as its runner
// starts it, and then lets the run end.
func (s *scene) fromInside(run github.Run, code int, needs string, jobs ...github.Job) {
	s.t.Helper()
	jobs = append(jobs, github.Job{Name: "report", Status: "in_progress", Runner: "runner-2"})
	s.hub.SetJobs(run.ID, jobs...)
	dir := s.t.TempDir()
	env := append(slices.Clone(s.env), "GITHUB_ACTIONS=true", "GITHUB_REPOSITORY="+rig.CIRepository, fmt.Sprintf("GITHUB_RUN_ID=%d", run.ID), "GITHUB_RUN_ATTEMPT=1",
		"GITHUB_JOB=report", "RUNNER_NAME=runner-2", "GITHUB_OUTPUT="+dir+"/output", "GITHUB_STEP_SUMMARY="+dir+"/summary", "INPUT_KEY="+run.Inputs["key"], "INPUT_NEEDS="+needs)
	r, err := rig.Run(s.t.Context(), world.bin, env, nil, "report", "--config", s.config)
	must(s.t, err)
	if r.Code != code {
		s.t.Errorf("report ended with %d, want %d: %s", r.Code, code, r)
	}
	last := &jobs[len(jobs)-1]
	last.Status, last.Conclusion = "completed", "success"
	if code != 0 {
		last.Conclusion = "failure"
	}
	s.hub.SetJobs(run.ID, jobs...)
}

// markLine is how "environments run" says how a test ended, where the runner reads
// it.
var markLine = regexp.MustCompile(`(?m)^::notice title=dispatcher result::(.*)$`)

// environment runs a test that fails, in an environment, with the commands of the
// reusable workflow, and returns the job that GitHub would make of it.
func environment(t *testing.T, optional bool) github.Job {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "source"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "source/run.sh"), []byte("echo not ok 1 - nvme reset\nexit 3\n"), 0o755))
	tarball, results := filepath.Join(dir, "source.tar.gz"), filepath.Join(dir, "results")
	if out, err := exec.Command("tar", "-czf", tarball, "-C", dir, "source").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	command := func(env []string, args ...string) rig.Result {
		t.Helper()
		env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+dir, "RUNNER_TEMP="+dir, "GITHUB_ACTIONS=true", "GITHUB_OUTPUT="+dir+"/output", "GITHUB_STEP_SUMMARY="+dir+"/summary")
		r, err := rig.Run(t.Context(), world.bin, env, nil, append([]string{"environments"}, args...)...)
		must(t, err)
		return r
	}
	list := fmt.Sprintf("environments:\n  - {name: rawhide, kind: metal, runs-on: [self-hosted, lab], command: sh run.sh, minutes: 1, optional: %t}\n", optional)
	r := command([]string{"ENVIRONMENTS=" + list, "REVISION=" + strings.Repeat("1", 40), "MIRROR=owner/spdk"}, "plan")
	if r.Code != 0 {
		t.Fatalf("there is no plan: %s", r)
	}
	output := regexp.MustCompile(`(?m)^plan<<.*\n(.*)$`).FindStringSubmatch(readFile(t, dir+"/output"))
	if output == nil {
		t.Fatalf("there is no plan: %s", r)
	}
	var plan string
	must(t, json.Unmarshal([]byte(output[1]), &plan))
	r = command([]string{"CELL=rawhide", "PLAN=" + plan}, "run", "--source", tarball, "--results", results)
	mark := markLine.FindStringSubmatch(r.Stdout)
	var result struct{ Optional bool }
	must(t, json.Unmarshal([]byte(readFile(t, results+"/result.json")), &result))
	if r.Code != 3 || mark == nil || result.Optional != optional {
		t.Fatalf("the test ended otherwise, or the result does not say whether it is optional: %s", r)
	}
	j := job("rawhide", "failure")
	j.ContinueOnError = optional
	j.Steps[1].Name, j.Steps[1].Log = "guest: test on the host", "not ok 1 - nvme reset\n##[error]Process completed with exit code 3."
	j.Annotations = []github.Annotation{
		{Level: "failure", Path: ".github", Text: "Process completed with exit code 3."},
		{Level: "notice", Path: ".github", Title: "dispatcher result", Text: mark[1]},
	}
	return j
}
