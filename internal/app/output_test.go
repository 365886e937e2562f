// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestJSONOutput is the whole result for a program to read.
func TestJSONOutput(t *testing.T) {
	t.Parallel()
	s := begin(t, "", refusing("refs/changes/02/102/1", noReason))
	s.push("ann", "nvme: split the probe loop", nil)
	s.push("bob", hostile, nil)
	s.project.Push(gerrit.Draft{Owner: "bob", Subject: "vhost: half of an idea", WIP: true})
	s.pass(ExitFailed, "--json")
	var got jsonReport
	if err := json.Unmarshal([]byte(s.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Runs) != 1 || got.Runs[0].Key != "101/1/autorun.yml/1" || got.Runs[0].RunID != s.github.Runs()[0].ID {
		t.Errorf("got the runs %+v", got.Runs)
	}
	s.says("Problems are in it, too.")
	s.gerrit.Faults.Add(faults.Rule{Do: page})
	s.pass(ExitConfiguration, "--json")
	if err := json.Unmarshal([]byte(s.stdout), &got); err != nil {
		t.Error(err)
	}
}

// TestDryRun plans and writes nothing anywhere, whichever way it is asked for.
func TestDryRun(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.endsWell(one)
	one.Abandon()
	s.clock.advance(20 * 24 * 3600e9)
	two := s.push("bob", "bdev: fix a leak on reset", nil)
	s.project.Commit("v24.x", map[string]string{"VERSION": "24\n"})
	refs := s.mirror.Refs()
	s.pass(ExitDone, "--dry-run")
	plan := s.stdout
	s.env["INPUT_DRY-RUN"] = "true"
	s.run(t.Context(), "sync")
	if s.stdout != plan {
		t.Errorf("as an input it gives another plan:\n%s", s.stdout)
	}
	if writes := s.writes(); len(writes) > 0 {
		t.Errorf("got %q", writes)
	}
	for _, r := range s.requests {
		if strings.Contains(r, " POST ") && !strings.HasSuffix(r, "/git-upload-pack") {
			t.Errorf("got %s", r)
		}
	}
	if got := s.mirror.Refs(); len(got) != len(refs) {
		t.Errorf("the mirror has %d refs, had %d", len(got), len(refs))
	}
	delete(s.env, "INPUT_DRY-RUN")
	s.endsWell(two)
}

// TestInAJob is the container action: everything comes as the runner's
// variables, and the result goes into its files.
func TestInAJob(t *testing.T) {
	t.Parallel()
	s := begin(t, "", refusing("refs/changes/02/102/1", noReason))
	delete(s.files, ".github/dispatcher.yml")
	dir := t.TempDir()
	output, summary := filepath.Join(dir, "GITHUB_OUTPUT"), filepath.Join(dir, "GITHUB_STEP_SUMMARY")
	for name, value := range map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "example/ci", "GITHUB_REPOSITORY_OWNER": "example",
		"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary,
		"INPUT_COMMAND": "sync", "INPUT_GERRIT-URL": s.gerrit.URL(), "INPUT_GERRIT-PROJECT": "spdk/spdk", "INPUT_MIRROR": "example/spdk",
		"INPUT_MIRROR-NAMESPACE": "refs/changes/", "INPUT_BRANCHES": "**", "INPUT_MAX-AGE": "180d", "INPUT_WORKFLOWS": "autorun.yml",
		"INPUT_SKIP-SUBJECTS": `\[RFC\]`, "INPUT_SKIP-WIP": "true", "INPUT_SKIP-PRIVATE": "true", "INPUT_LIMIT": "5",
		"INPUT_RUNNING-LIMIT": "20", "INPUT_OWNER-LIMIT": "0", "INPUT_MIN-AGE": "0", "INPUT_DRY-RUN": "false",
		"INPUT_GITHUB-TOKEN": "ghs-of-the-job", "INPUT_CONFIG": "", "INPUT_GERRIT-USERNAME": "", "INPUT_QUERY": "",
	} {
		s.env[name] = value
	}
	s.secrets = append(s.secrets, "ghs-of-the-job")
	s.push("ann", "nvme: split the probe loop", nil)
	s.push("bob", hostile, nil)
	s.push("zoe", "[RFC] bdev: what if", nil)
	s.shows(ExitFailed)
	s.runs("101/1/autorun.yml/1")
	for _, name := range []string{output, summary} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), token) {
			t.Errorf("%s holds a secret", name)
		}
		s.says("The file " + filepath.Base(name))
		s.transcript.WriteString(regexp.MustCompile(`dispatcher-[A-Z2-7]{26}`).ReplaceAllString(s.plain(string(text)), "DELIMITER") + "\n")
	}
	s.says("One cause that fails many is annotated once.")
	for range 3 {
		s.push("bob", "bdev: more", nil)
	}
	s.github.Faults.Add(faults.Rule{Path: thePush, Do: page})
	s.shows(ExitConfiguration)
}

// TestJobsOwnToken starts workflows where no other token is given.
func TestJobsOwnToken(t *testing.T) {
	t.Parallel()
	s := begin(t, "", func(o *servers) { o.github.Tokens["ghs-of-the-job"] = o.github.Tokens[token] })
	s.secrets = append(s.secrets, "ghs-of-the-job")
	delete(s.env, "GHPA_TOKEN")
	s.env["INPUT_MIRROR-TOKEN"], s.env["INPUT_GITHUB-TOKEN"], s.env["GITHUB_REPOSITORY"] = token, "ghs-of-the-job", "example/ci"
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.endsWell(one)
}

// TestVerbose tells on standard error about each push and wait, also when it
// is hostile.
func TestVerbose(t *testing.T) {
	t.Parallel()
	s := begin(t, "", refusing("refs/changes/02/102/1", noReason))
	s.push("ann", "nvme: split the probe loop", nil)
	s.push("bob", hostile, nil)
	s.github.Faults.Add(faults.Rule{Path: thePush, Times: 1, Do: faults.Answer(502, "::error::no\x1b[31m")})
	if status := s.run(t.Context(), "sync", "--verbose"); status != ExitFailed {
		t.Errorf("got status %d", status)
	}
	if n := strings.Count(s.stderr, "push of "); n < 3 {
		t.Errorf("got %d pushes, want 3 at least:\n%s", n, s.stderr)
	}
	for line := range strings.Lines(s.stderr) {
		if strings.HasPrefix(line, "::") {
			t.Errorf("a line is a workflow command: %q", line)
		}
	}
}

// TestProgress is one line on a terminal, which is gone in the end.
func TestProgress(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.push("ann", "nvme: split the probe loop", nil)
	var out, errs bytes.Buffer
	a := s.app("test", &out, &errs)
	a.Terminal = true
	if status := a.Main(t.Context(), []string{"sync"}); status != ExitDone {
		t.Errorf("got status %d", status)
	}
	const erase = "\r\x1b[K"
	if !strings.Contains(errs.String(), erase+"spdk/spdk: reading Gerrit and the mirror ...") || !strings.HasSuffix(errs.String(), erase) {
		t.Errorf("got %q", &errs)
	}
}
