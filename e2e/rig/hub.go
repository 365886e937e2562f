// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"fmt"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/standin/loopback"
)

// CIRepository is where the workflows of NewHub are, on the branch main.
const CIRepository = "owner/ci"

// workflowFile is a workflow as a CI repository has it.
const workflowFile = `name: %s
run-name: ${{ inputs.key }} ${{ inputs.change_url }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      project: {required: true}
      change: {required: true}
      patchset: {required: true}
      revision: {required: true}
      ref: {required: true}
      branch: {required: true}
      change_url: {required: true}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: true
`

// NewHub starts a GitHub stand-in for the time of a test, with a CI repository
// that has the workflows autorun.yml and docs.yml. It takes MirrorToken.
func NewHub(t loopback.Test) *github.Server {
	t.Helper()
	hub := github.Serve(t, github.Options{
		Tokens: map[string]github.Access{MirrorToken: github.FullAccess}, Now: time.Now,
	})
	files := map[string]string{}
	for _, w := range []string{"autorun.yml", "docs.yml"} {
		files[".github/workflows/"+w] = fmt.Sprintf(workflowFile, w)
	}
	hub.Repository(CIRepository).Commit("main", files)
	return hub
}
