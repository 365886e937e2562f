// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// rewritten answers with what edit makes of the real answer.
func rewritten(edit func(string) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(rec.Code)
			w.Write([]byte(edit(rec.Body.String())))
		})
	}
}

// TestHostileBranch is a branch whose name an option parser would obey, and
// others that would land among our own refs.
func TestHostileBranch(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.use(change.BranchRefs, change.BranchLedger)
	good := s.push("ann", "nvme: split the probe loop", nil)
	for _, name := range []string{"-x", "--upload-pack=touch", "_dispatcher/claims", "changes/01/1/1"} {
		s.branch(name)
	}
	s.pass(ExitDone)
	s.endsWell(good)
}

// branch makes a branch that Gerrit itself would not take.
func (s *story) branch(name string) {
	s.Helper()
	cmd := exec.Command("git", "update-ref", "refs/heads/"+name, string(s.project.Tip("master")))
	cmd.Dir, cmd.Env = s.project.Dir(), []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
}

// TestHostileRefs is a Gerrit that describes changes by refs, branches and
// commits that would lead elsewhere.
func TestHostileRefs(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	good := s.push("ann", "nvme: split the probe loop", nil)
	for range 5 {
		s.push("mallory", "x", nil)
	}
	s.gerrit.Faults.Add(faults.Rule{Path: theQuery, Do: rewritten(func(text string) string {
		return strings.NewReplacer(
			`"ref":"refs/changes/02/102/1"`, `"ref":"refs/heads/master"`,
			`"ref":"refs/changes/03/103/1"`, `"ref":"refs/changes/03/103/1/../../../../heads/master"`,
			`"_number":104,`, `"_number":104,"branch":"-x\n::error::no",`,
			`"ref":"refs/changes/05/105/1"`, `"ref":"refs/changes/06/106/1"`,
			`"_number":106,`, `"_number":106,"project":"other/project",`,
		).Replace(text)
	})})
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.clean(s.mirror.Refs())
	s.gerrit.Faults.Clear()
	s.says("It is honest about the list, but not about one change.")
	s.gerrit.Faults.Add(faults.Rule{Path: oneChange, Do: rewritten(func(text string) string {
		return strings.ReplaceAll(text, `"ref":"refs/changes/03/103/1"`, `"ref":"refs/heads/master"`)
	})})
	s.pass(ExitFailed)
	s.gerrit.Faults.Clear()
	s.endsWell(good)
}

// TestHostileTexts has text in every place that would do harm if it was printed
// or sent on as it is.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	s := begin(t, "branches: [master, '**']\nskip: {hashtags: [no-ci]}")
	good := s.push("ann", hostile, nil)
	s.project.Push(gerrit.Draft{Owner: "mallory", Subject: hostile, Topic: hostile, WIP: true})
	s.pass(ExitDone)
	s.says("GitHub refuses a call in the same words.")
	two := s.push("bob", hostile, nil)
	s.github.Faults.Add(faults.Rule{Path: theCall, Do: faults.Answer(422, `{"message":"::error::no\n##[command]x\u001b[31m"}`, "Content-Type", "application/json")})
	s.pass(ExitConfiguration)
	s.github.Faults.Clear()
	s.says("In a job, the same is in annotations, outputs and the summary.")
	dir := t.TempDir()
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_OUTPUT"], s.env["GITHUB_STEP_SUMMARY"] = "true", filepath.Join(dir, "output"), filepath.Join(dir, "summary")
	s.github.Faults.Add(faults.Rule{Path: theCall, Do: faults.Answer(422, `{"message":"::error::no\n##[command]x\u001b[31m"}`, "Content-Type", "application/json")})
	s.pass(ExitConfiguration)
	for line := range strings.Lines(s.stdout) {
		if strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::add-mask::") && !strings.HasPrefix(line, "::error::spdk/spdk: ") {
			t.Errorf("a line is a workflow command: %q", line)
		}
	}
	for _, name := range []string{"output", "summary"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"\x1b", "<img", "##["} {
			if bytes.Contains(text, []byte(bad)) {
				t.Errorf("%s: got raw %q", name, bad)
			}
		}
	}
	s.github.Faults.Clear()
	s.endsWell(good, two)
}
