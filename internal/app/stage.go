// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// stage is where the demo plays: both servers, with a project, a mirror and a
// CI repository.
type stage struct {
	gerrit  *gerrit.Server
	github  *github.Server
	project *gerrit.Project
	mirror  *github.Repository
	changes map[string]*gerrit.Change

	mu    sync.Mutex
	clock time.Time
}

const (
	demoToken   = "a-token-of-the-demo"
	demoProject = "spdk/spdk"
	demoMirror  = "example/spdk"
	demoCI      = "example/ci"
)

// demoWorkflow is the least that a workflow needs.
const demoWorkflow = `name: autorun
run-name: ${{ inputs.key }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      revision: {required: true}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps: [{run: make test}]
`

// newStage starts the servers; they end with ctx. The stage has a clock of its
// own, so that the story takes an hour and a second.
func newStage(ctx context.Context, dir string, now time.Time) (*stage, error) {
	st := &stage{changes: map[string]*gerrit.Change{}, clock: now.Add(-2 * time.Hour)}
	fail := func(err error) { panic(fmt.Errorf("failed to set the stage: %w", err)) }
	st.gerrit = gerrit.New(filepath.Join(dir, "gerrit"), gerrit.Options{BasePath: "/gerrit", FirstChange: 27101, Now: st.now, Fail: fail})
	st.github = github.New(filepath.Join(dir, "github"), github.Options{
		Now: st.now, Fail: fail, Tokens: map[string]github.Access{demoToken: github.FullAccess},
	})
	for _, start := range []func(context.Context) (string, error){st.gerrit.Start, st.github.Start} {
		if _, err := start(ctx); err != nil {
			return nil, errors.Join(err, st.close())
		}
	}
	st.project = st.gerrit.Project(demoProject)
	st.project.Commit("master", map[string]string{"README.md": "The project under review.\n", "lib/nvme.c": "int nvme;\n"})
	st.mirror = st.github.Repository(demoMirror)
	st.github.Repository(demoCI).Commit("main", map[string]string{".github/workflows/autorun.yml": demoWorkflow})
	return st, nil
}

func (st *stage) close() error { return st.gerrit.Close() }

func (st *stage) now() time.Time {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.clock
}

// advance lets time pass on both servers.
func (st *stage) advance(d time.Duration) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clock = st.clock.Add(d)
}

// configuration is what a user would write for this stage.
func (st *stage) configuration() string {
	return fmt.Sprintf(`gerrits:
  demo: {url: %q}
projects:
  - name: %s
    gerrit: demo
    mirror: {repository: %s, url: %q}
    ci: {repository: %s, api-url: %q}
    limits: {per-pass: 3, pace: 0s}
`, st.gerrit.URL(), demoProject, demoMirror, st.mirror.GitURL(), demoCI, st.github.URL())
}

func (st *stage) environment() map[string]string {
	return map[string]string{"GHPA_TOKEN": demoToken, "GITHUB_SERVER_URL": st.github.URL(), "GITHUB_API_URL": st.github.URL()}
}

// upload puts a change up for review and remembers it by a name.
func (st *stage) upload(name, owner, subject, parent string, edits ...func(*gerrit.Draft)) {
	st.advance(time.Minute)
	d := gerrit.Draft{Owner: owner, Subject: subject, Parent: st.changes[parent]}
	for _, edit := range edits {
		edit(&d)
	}
	st.changes[name] = st.project.Push(d)
}

// loseNextAnswer lets GitHub start a run and then break the connection.
func (st *stage) loseNextAnswer() {
	st.github.Faults.Add(faults.Rule{
		Method: http.MethodPost, Path: regexp.MustCompile(`/dispatches$`), Times: 1, Do: faults.LoseReply(),
	})
}

// summary counts what everybody ended up with.
func (st *stage) summary() string {
	patchsets := 0
	for name := range st.mirror.Refs() {
		if strings.HasPrefix(name, "refs/changes/") {
			patchsets++
		}
	}
	return fmt.Sprintf("The mirror has %d patchsets and GitHub %d runs: one for each, although an answer was lost.", patchsets, len(st.github.Runs()))
}
