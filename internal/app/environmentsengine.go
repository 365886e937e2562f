// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// docker runs one short command of the engine.
func (c *environmentsCommand) docker(ctx context.Context, doing string, in io.Reader, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Minute, fault.New(fault.Ours, "docker did not finish within 30 minutes"))
	defer cancel()
	var tools tool.Tools
	text, err := tools.Output(ctx, tool.Command{Doing: doing, Name: "docker", Args: args, Stdin: in})
	return strings.TrimSpace(text), explainDocker(doing, err)
}

// dockerWords are what docker, its daemon and registries say, in lower case, and
// what to do about it. The first one that is found counts. Sources: errors.go and
// request.go of moby's client, distribution/errors.go and pull_v2.go of moby, runc's
// libcontainer (init_linux.go), and the errors of the distribution specification.
var dockerWords = []struct {
	words string
	kind  fault.Kind
	hint  string
}{
	{"cannot connect to the docker daemon", fault.Ours, "start docker on this runner, or set DOCKER_HOST in the runner's .env file"},
	{"permission denied while trying to connect to the docker", fault.Ours, "add the runner's account to the group docker, and restart the runner"},
	{"no space left on device", fault.Ours, "make room in docker's folder: docker system df shows what takes it"},
	{"toomanyrequests", fault.Transient, "the registry limits anonymous pulls: copy the image to ghcr.io, or log the runner in"},
	{"no matching manifest", fault.Configuration, "the image is not built for this runner's processor: choose another runs-on, or build it for both"},
	{"exec format error", fault.Configuration, "the image is for another kind of processor than this runner's: choose another runs-on, or build it for both"},
	{"executable file not found", fault.Configuration, "the image must have sh in its PATH: the command is handed to it"},
	{"sh: no such file or directory", fault.Configuration, "the image has a sh that does not start: the loader or the libraries that it needs are missing"},
	{"manifest unknown", fault.Configuration, "is the tag right?"},
	{"invalid reference format", fault.Configuration, "name it as docker pull does: ghcr.io/OWNER/NAME:TAG"},
	{"error gathering device information", fault.Configuration, "this runner has no such device: choose another runs-on, or take the option out of docker-options"},
	{"bind source path does not exist", fault.Configuration, "this runner has no such folder: choose another runs-on, or take the option out of docker-options"},
	{"denied", fault.Configuration, "is the name right, and can everybody read it? The first push of a package to ghcr.io makes a private one"},
	{"unauthorized", fault.Configuration, "is the name right, and can everybody read it? The first push of a package to ghcr.io makes a private one"},
	{"dial tcp", fault.Transient, "the registry cannot be reached from this runner"},
	{"timeout", fault.Transient, "the registry does not answer in time"},
	{"connection reset", fault.Transient, "the registry broke the connection"},
	{"unexpected eof", fault.Transient, "the registry broke the connection"},
	{"unexpected http status: 5", fault.Transient, "the registry is in trouble"},
	{"internal server error", fault.Transient, "the registry is in trouble"},
}

// explainDocker keeps what docker said of a failure, and says what to do.
func explainDocker(doing string, err error) error {
	exit, ok := errors.AsType[*tool.ExitError](err)
	if !ok {
		return err
	}
	said := exit.Tail
	if _, daemon, ok := strings.Cut(said, "Error response from daemon: "); ok {
		said = daemon
	}
	said, _, _ = strings.Cut(said, "\n\nRun 'docker ")
	said = change.OneLine(strings.Join(strings.Fields(change.Clip(said, 600)), " "))
	for _, w := range dockerWords {
		if strings.Contains(strings.ToLower(said), w.words) {
			return fault.New(w.kind, "failed to %s: %s", doing, said).WithHint("%s", w.hint)
		}
	}
	return fault.New(fault.Ours, "failed to %s (docker ended with status %d): %s", doing, exit.Status, said)
}

// pullPauses are between tries to pull an image: registries have bad minutes.
var pullPauses = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute}

// pull brings a container's image; one that is here is good enough where no
// registry answers.
func (c *environmentsCommand) pull(ctx context.Context, image string) error {
	for i := 0; ; i++ {
		_, err := c.docker(ctx, "pull "+image, nil, "pull", "--quiet", image)
		if err == nil {
			return nil
		}
		if _, here := c.docker(ctx, "look for "+image, nil, "image", "inspect", "--format", "{{.Id}}", image); here == nil {
			c.out.Warning("the registry did not give " + image + ", and the one that is here is used: " + change.OneLine(err.Error()))
			return nil
		}
		if !errors.Is(err, fault.Transient) || i == len(pullPauses) {
			return err
		}
		c.out.Println(printable(err.Error()) + "; trying again in " + pullPauses[i].String())
		if err := c.app.Sleep(ctx, pullPauses[i]); err != nil {
			return err
		}
	}
}
