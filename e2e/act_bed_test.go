// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// docker runs one command of Docker's.
func docker(args ...string) error {
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("docker %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// actions are the folders that stand in for what workflows use.
func actions(t *testing.T, tool string) map[string]string {
	t.Helper()
	uses, err := rig.Uses(filepath.Join(tool, ".github/workflows"), filepath.Join(tool, "workflows"), "testdata/act/ci")
	must(t, err)
	folders := map[string]string{}
	for _, name := range uses {
		repository, _, _ := strings.Cut(name, "@")
		own, err := filepath.Abs(filepath.Join("testdata/act", repository))
		must(t, err)
		if repository == actTool {
			folders[name] = tool
		} else if _, err := os.Stat(own); err == nil {
			folders[name] = own
		}
	}
	return folders
}

// publishCallers fills the CI repository with the callers that people copy, and
// with what they must change in them changed.
func (b *actBed) publishCallers(t *testing.T) {
	t.Helper()
	replace := strings.NewReplacer("https://review.example.org/gerrit", world.gerrit.URL, "example/spdk", actMirror, "spdk/spdk", actProject)
	files := map[string]string{".github/environments.yml": readFile(t, "testdata/act/ci/environments.yml")}
	for _, file := range []string{"../workflows/autorun.yml", "../workflows/build_images.yml", "../workflows/dispatch.yml", "testdata/act/ci/relay.yml", "testdata/act/ci/last.yml", "testdata/act/ci/kinds.yml"} {
		files[".github/workflows/"+filepath.Base(file)] = replace.Replace(readFile(t, file))
	}
	files[".github/dispatcher.yml"] = replace.Replace(readFile(t, "testdata/act/ci/dispatcher.yml"))
	b.caller = files[".github/workflows/autorun.yml"]
	b.hub.Repository(rig.CIRepository).Commit("main", files)
}

// createProject fills the Gerrit project, and lets the dispatcher's account vote. Its
// submodule is beside it in Gerrit, where autorun looks when it knows the server, and
// beside the mirror.
func (b *actBed) createProject(t *testing.T) {
	t.Helper()
	ctx, g := t.Context(), world.gerrit
	b.hub.Repository(actMirror)
	mirrored := b.hub.Repository("owner/words")
	words := mirrored.Commit("main", map[string]string{"list": "one\ntwo\nthree\n"})
	must(t, g.CreateProject(ctx, actProject))
	must(t, g.Grant(ctx, actProject, "refs/heads/*", "label-Verified", rig.RegisteredUsers, rig.Rule{Action: "ALLOW", Min: -1, Max: 1}))
	b.work = g.Git(t.TempDir())
	b.git(t, "clone", "-q", g.GitURL(actProject), ".")
	must(t, g.CreateProject(ctx, "spdk/words"))
	b.git(t, "fetch", "-q", mirrored.Dir(), "main")
	b.git(t, "push", "-q", g.GitURL("spdk/words"), words+":refs/heads/main")
	must(t, os.CopyFS(b.work.Dir, os.DirFS("testdata/act/project")))
	must(t, os.WriteFile(filepath.Join(b.work.Dir, ".gitmodules"), []byte("[submodule \"words\"]\n\tpath = words\n\turl = ../words\n"), 0o644))
	b.git(t, "add", ".")
	b.git(t, "update-index", "--add", "--cacheinfo", "160000,"+words+",words")
	b.git(t, "commit", "-q", "-m", "begin")
	b.git(t, "push", "-q", "origin", "HEAD:refs/heads/master")
	b.base = b.git(t, "rev-parse", "HEAD")
}

func (b *actBed) git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.work.Run(t.Context(), args...)
	must(t, err)
	return out
}

// upload pushes a change that replaces a text of a file for review, and returns
// its number.
func (b *actBed) upload(t *testing.T, subject, file, old, replaced string) int {
	t.Helper()
	b.git(t, "checkout", "-q", "--force", "--detach", b.base)
	name := filepath.Join(b.work.Dir, file)
	text := readFile(t, name)
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	must(t, os.WriteFile(name, []byte(strings.Replace(text, old, replaced, 1)), 0o644))
	id := fmt.Sprintf("I%040x", len(b.hub.Runs())+1000*len(subject)+len(replaced))
	b.git(t, "commit", "-q", "-a", "-m", subject+"\n\nChange-Id: "+id)
	b.git(t, "push", "-q", "origin", "HEAD:refs/for/master")
	changes, err := world.gerrit.Changes(t.Context(), "project:"+actProject+" change:"+id)
	must(t, err)
	if len(changes) != 1 {
		t.Fatalf("got %d changes for %s, want one", len(changes), id)
	}
	return changes[0].Number
}

// dispatch starts a workflow by hand, as somebody with a browser does, and
// returns the run's id.
func (b *actBed) dispatch(t *testing.T, repository, workflow string, inputs map[string]string) int64 {
	t.Helper()
	body, err := json.Marshal(map[string]any{"ref": "main", "inputs": inputs, "return_run_details": true})
	must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.hub.URL()+"/repos/"+repository+"/actions/workflows/"+workflow+"/dispatches", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+rig.MirrorToken)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		ID      int64 `json:"workflow_run_id"`
		Message string
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	if answer.ID == 0 {
		t.Fatalf("the dispatch of %s was refused: %s", workflow, answer.Message)
	}
	return answer.ID
}

// run returns one run.
func (b *actBed) run(id int64) github.Run {
	runs := b.hub.Runs()
	return runs[slices.IndexFunc(runs, func(r github.Run) bool { return r.ID == id })]
}

// await waits for one run; others may be waiting behind it.
func (b *actBed) await(t *testing.T, id int64) github.Run {
	t.Helper()
	for deadline := time.Now().Add(b.patience); ; time.Sleep(200 * time.Millisecond) {
		run := b.run(id)
		if run.Status == "completed" {
			return run
		}
		if time.Now().After(deadline) {
			t.Fatalf("run %d is still %s", id, run.Status)
		}
	}
}

// shownLog is how much of a step's log is shown at most: SPDK's has half a megabyte.
const shownLog = 8 << 10

// told are the steps that tell something where they went well, too.
var told = regexp.MustCompile("^(Tell Gerrit|One pass|guest: .*|Run spdk-.*)$")

// show logs what a run's jobs did, as its page would.
func (b *actBed) show(t *testing.T, id int64) {
	t.Helper()
	run := b.run(id)
	var page strings.Builder
	fmt.Fprintf(&page, "run %d of %s: %s (%s)\n", run.ID, run.Workflow, run.Title, run.Conclusion)
	for _, j := range b.hub.Jobs(run.ID, run.Attempt) {
		fmt.Fprintf(&page, "  %s: %s after %s\n", j.Name, j.Conclusion, j.Completed.Sub(j.Started))
		for _, s := range j.Steps {
			fmt.Fprintf(&page, "    %-9s %s\n", s.Conclusion, s.Name)
			if s.Conclusion != "success" || told.MatchString(s.Name) {
				_, log, _ := strings.Cut(s.Log, "##[endgroup]\n")
				if len(log) > shownLog {
					log = "..." + log[len(log)-shownLog:]
				}
				fmt.Fprint(&page, "      | "+strings.ReplaceAll(strings.TrimSpace(log), "\n", "\n      | ")+"\n")
			}
		}
		for _, a := range j.Annotations {
			fmt.Fprintf(&page, "    [%s] %s\n", a.Level, a.Text)
		}
	}
	t.Log(page.String())
}
