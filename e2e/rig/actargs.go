// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// arguments are those of act; secrets, inputs and variables go through files.
func (a *Act) arguments(run github.Run, dir, artifacts string) ([]string, error) {
	url := a.Hub.URL()
	owner, _, _ := strings.Cut(run.Repository, "/")
	event := map[string]any{"repository": map[string]any{"full_name": run.Repository, "default_branch": run.Branch}}
	if run.Event == "workflow_dispatch" {
		event["inputs"] = run.Inputs
	} else {
		event["action"], event["client_payload"] = run.EventType, run.Payload
	}
	// JSON is YAML, which is what act takes for files of that name.
	for name, value := range map[string]any{
		"event.json": event, "secrets.yml": a.Secrets, "vars.yml": a.Variables, "inputs.yml": map[string]string{},
		"env.yml": map[string]string{
			"GITHUB_SERVER_URL": url, "GITHUB_API_URL": url, "GITHUB_REPOSITORY": run.Repository, "GITHUB_REPOSITORY_OWNER": owner,
			"GITHUB_RUN_ID": strconv.FormatInt(run.ID, 10), "GITHUB_RUN_ATTEMPT": strconv.Itoa(run.Attempt),
			"GITHUB_RUN_NUMBER": strconv.Itoa(run.Number), "GITHUB_REF": "refs/heads/" + run.Branch, "GITHUB_REF_NAME": run.Branch,
			"SHA_REF": run.Head,
		},
	} {
		data, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		return nil, err
	}
	options := "--label " + actLabel
	socket, err := os.Stat(strings.TrimPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://"))
	if err != nil {
		return nil, err
	}
	if stat, ok := socket.Sys().(*syscall.Stat_t); ok { // runners are in the group docker
		options += fmt.Sprintf(" --group-add %d", stat.Gid)
	}
	for _, v := range append([]string{artifacts + ":/artifacts", docker + ":/usr/local/bin/docker:ro", a.Binary + ":/opt/dispatcher:ro"}, a.Volumes...) {
		options += " --volume " + v
	}
	args := []string{
		run.Event, "--json", "--rm", "--pull=false", "--no-cache-server", "--action-cache-path", filepath.Join(dir, "cache"),
		"--eventpath", filepath.Join(dir, "event.json"), "--secret-file", filepath.Join(dir, "secrets.yml"),
		"--var-file", filepath.Join(dir, "vars.yml"), "--input-file", filepath.Join(dir, "inputs.yml"),
		"--env-file", filepath.Join(dir, "env.yml"), "--actor", run.Actor, "--container-options", options,
		"--concurrent-jobs", "2",
	}
	for _, label := range []string{"ubuntu-24.04", "ubuntu-latest"} {
		args = append(args, "--platform", label+"="+a.Image)
	}
	for _, label := range slices.Sorted(maps.Keys(a.Labs)) {
		args = append(args, "--platform", label+"="+a.Labs[label])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Actions)) {
		args = append(args, "--local-repository", name+"="+a.Actions[name])
	}
	return args, nil
}
