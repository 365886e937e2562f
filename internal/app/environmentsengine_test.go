// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// TestDockerSays: the words of docker 20.10 and 28.2, as they were printed; those of
// registries as their own sources have them.
func TestDockerSays(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]struct {
		kind       fault.Kind
		text, hint string
	}{
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?": {fault.Ours, "Cannot connect", "start docker"},
		"WARNING: Error loading config file: open /root/.docker/config.json: permission denied\npermission denied while trying to connect to the Docker daemon socket at unix:///run/docker.sock: Post \"http://x\": dial unix /run/docker.sock: connect: permission denied": {fault.Ours, "permission denied while", "group docker"},
		"Error response from daemon: Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io on 10.255.255.53:53: no such host":                                                                                                                                                {fault.Transient, "failed to pull x: Get \"https://ghcr.io/v2/\": dial tcp", "cannot be reached"},
		"Error response from daemon: Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused":                                                                                                                                                      {fault.Transient, "connection refused", "cannot be reached"},
		"docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"sh\": executable file not found in $PATH: unknown\n\nRun 'docker run --help' for more information":        {fault.Configuration, "not found in $PATH: unknown", "must have sh"},
		"exec /bin/sh: exec format error":             {fault.Configuration, "exec format error", "another kind of processor"},
		"exec /usr/bin/sh: no such file or directory": {fault.Configuration, "no such file", "loader"},
		"docker: Error response from daemon: error gathering device information while adding custom device \"/dev/kvm\": no such file or directory\n\nRun 'docker run --help' for more information":                {fault.Configuration, "custom device \"/dev/kvm\"", "no such device"},
		"docker: Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: /dev/hugepages":                                                                              {fault.Configuration, "/dev/hugepages", "no such folder"},
		"docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply caps: operation not permitted: unknown": {fault.Ours, "(docker ended with status 125): failed to create", ""},
		"Error response from daemon: pull access denied for none, repository does not exist or may require 'docker login': denied: requested access to the resource is denied":                                     {fault.Configuration, "pull access denied", "can everybody read it"},
		"Error response from daemon: manifest for debian:none not found: manifest unknown: manifest unknown":                                                                                                       {fault.Configuration, "debian:none", "tag"},
		"Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit":                                                           {fault.Transient, "pull rate limit", "anonymous pulls"},
		"Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries":                                                                                                         {fault.Configuration, "arm64", "processor"},
		"Error response from daemon: received unexpected HTTP status: 503 Service Unavailable":                                                                                                                     {fault.Transient, "503", "trouble"},
		"failed to register layer: write /usr/lib/x: no space left on device":                                                                                                                                      {fault.Ours, "no space", "make room"},
		"": {fault.Ours, "status 125", ""},
	} {
		err := explainDocker("pull x", fault.Wrap(fault.Ours, &tool.ExitError{Name: "docker", Status: 125, Tail: said}))
		if fault.KindOf(err) != want.kind || !strings.Contains(err.Error(), want.text) || !strings.Contains(fault.HintOf(err), want.hint) || strings.Contains(err.Error(), "Run 'docker") {
			t.Errorf("%s: got %v %q, hint %q", said, fault.KindOf(err), err, fault.HintOf(err))
		}
	}
	if err := explainDocker("pull x", os.ErrNotExist); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestPullAgain: what may pass is tried again, and what will not is told at once.
func TestPullAgain(t *testing.T) {
	b := newCellBench(t)
	cell := `{"id": "a", "environment": "a", "kind": "docker", "image": "debian", "command": "true", "minutes": 1, "shard": 1, "shards": 1}`
	for said, want := range map[string]time.Duration{
		"Error response from daemon: Get https://x/v2/: net/http: TLS handshake timeout": 100 * time.Second,
		"Error response from daemon: manifest unknown":                                   0,
		"Cannot connect to the Docker daemon at unix:///x. Is it running?":               0,
	} {
		b.write("bin/fail-pull", said)
		s := inWorkflow(t, "CELL="+cell)
		begun := s.clock.Now()
		status := s.run(s.Context(), "environments", "prepare")
		b.stdout, b.stderr = s.stdout, s.stderr
		if waited := s.clock.Now().Sub(begun); status == 0 || waited.Round(time.Second) != want || b.mark()["by"] != environments.ByRig {
			t.Errorf("%s: got %d after %v", said, status, waited)
		}
	}
}
