// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// imageBase is an image of e2e's other parts, which make it as well.
const imageBase = "dispatcher-e2e/base:bookworm"

// startDocker returns the images that jobs run in, and that a Dockerfile's program is
// built in, or nothing where Docker cannot run. CI never goes without.
func startDocker(t *testing.T) (runner, build string) {
	t.Helper()
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("workflows run in Docker, which must be installed (scripts/install-tools.sh) and started as root")
		}
		return "", ""
	}
	stop, err := rig.StartDocker(t.Context())
	must(t, err)
	t.Cleanup(stop)
	must(t, rig.MakeBase(t.Context(), imageBase))
	runner, err = rig.RunnerImage(t.Context(), "../testdata/act/images/runner.Dockerfile", imageBase)
	must(t, err)
	build, err = rig.BuildImage(t.Context(), "../testdata/act/images/build.Dockerfile", runner)
	must(t, err)
	return runner, build
}

// runs has a workflow use the action at each ref: nektos/act reads action.yml there,
// pulls or builds what it names, and runs it.
func runs(t *testing.T, r *rig.Releasing, runner string) {
	begin := time.Now()
	commit := r.Hub.Repository(repository).Refs()["refs/tags/"+version]
	refs := map[string]string{"exact": version, "commit": commit, "series": "v1", "main": "main"}
	act := &rig.Act{
		Hub: r.Hub, Dir: t.TempDir(), Image: runner, Binary: filepath.Join(r.Dist(), "dispatcher-linux-amd64"), Log: t.Logf, Actions: map[string]string{},
	}
	text := "name: uses\non: workflow_dispatch\njobs:\n"
	for job, ref := range refs {
		dir := filepath.Join(act.Dir, job)
		must(t, r.Export(t.Context(), ref, dir))
		act.Actions[repository+"@"+ref] = dir
		text += fmt.Sprintf("  %s:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: %s@%s\n        with: {command: version}\n", job, repository, ref)
	}
	r.Hub.Repository("owner/ci").Commit("main", map[string]string{".github/workflows/uses.yml": text})
	idle, err := act.Start(t.Context())
	must(t, err)
	t.Cleanup(idle)
	id := dispatch(t, r.Hub)
	for deadline := time.Now().Add(8 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if done := r.Hub.Runs(); done[len(done)-1].Status == "completed" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the run does not end")
		}
	}
	jobs := r.Hub.Jobs(id, 1)
	if len(jobs) != len(refs) {
		t.Errorf("%d jobs ran, want %d", len(jobs), len(refs))
	}
	for _, j := range jobs {
		var log strings.Builder
		for _, s := range j.Steps {
			log.WriteString(s.Log)
		}
		want := "dispatcher " + version + "\n"
		if strings.HasSuffix(j.Name, "main") {
			want = "This commit of the dispatcher is no release: it was built for this job."
		}
		if j.Conclusion != "success" || !strings.Contains(log.String(), want) {
			t.Errorf("%s: it is %s; want %q in\n%s", j.Name, j.Conclusion, want, log.String())
		}
	}
	t.Logf("%d jobs ran in %s", len(jobs), time.Since(begin).Round(time.Second))
}

// dispatch starts the workflow by hand and returns the run's id.
func dispatch(t *testing.T, hub *github.Server) int64 {
	t.Helper()
	body, err := json.Marshal(map[string]any{"ref": "main", "return_run_details": true})
	must(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hub.URL()+"/repos/owner/ci/actions/workflows/uses.yml/dispatches", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+rig.MirrorToken)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		ID int64 `json:"workflow_run_id"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.ID
}
