// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// containerDir is where a container has source/, auto.conf and what tests leave
// beside them. Nothing of the host is mounted.
const containerDir = "/dispatcher"

// docker runs one short command of the engine.
func (c *environmentsCommand) docker(ctx context.Context, doing string, in io.Reader, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Minute, fault.New(fault.Ours, "docker did not finish within 30 minutes"))
	defer cancel()
	var tools tool.Tools
	text, err := tools.Output(ctx, tool.Command{Doing: doing, Name: "docker", Args: args, Stdin: in})
	return strings.TrimSpace(text), err
}

// pull brings a container's image; one that is here is good enough where no
// registry answers.
func (c *environmentsCommand) pull(ctx context.Context, image string) error {
	_, err := c.docker(ctx, "pull "+image, nil, "pull", "--quiet", image)
	if err == nil {
		return nil
	}
	if _, here := c.docker(ctx, "look for "+image, nil, "image", "inspect", "--format", "{{.Id}}", image); here == nil {
		c.out.Warning("the registry did not give " + image + ", and the one that is here is used")
		return nil
	}
	return fault.New(fault.KindOf(err), "%w", err).
		WithHint("is the name right, and can everybody read it? The first push of a package to ghcr.io makes a private one")
}

// inContainer tests in a container of its own, which is gone in the end.
func (r *cellRun) inContainer(ctx context.Context) ending {
	args := []string{"create", "--workdir", containerDir + "/source"}
	if r.cell.Privileged {
		args = append(args, "--privileged")
	}
	for _, v := range r.variables() {
		args = append(args, "--env", v)
	}
	id, err := r.docker(ctx, "make a container of "+r.cell.Image, nil, append(args, r.cell.Image, "sh", "-c", r.cell.Command)...)
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	defer r.remove(context.WithoutCancel(ctx), id)
	if err := r.fill(ctx, id); err != nil {
		return ending{status: exitRig, rig: err}
	}
	end := r.attach(ctx, id)
	for _, p := range environments.Kept(r.cell.Results) {
		from := path.Join(containerDir, "source", p)
		if _, copyErr := r.docker(context.WithoutCancel(ctx), "keep "+p, nil, "cp", id+":"+from, r.kept(p)); copyErr != nil {
			fmt.Fprintf(r.app.Stderr, "  %s is not there, and so not kept\n", printable(p))
		}
	}
	return end
}

// remove ends whatever still runs in a container.
func (r *cellRun) remove(ctx context.Context, id string) {
	if _, err := r.docker(ctx, "remove the container", nil, "rm", "--force", "--volumes", id); err != nil {
		fmt.Fprintf(r.errs, "dispatcher: %s\n", printable(err.Error()))
	}
}

// attach runs the container to its end.
func (r *cellRun) attach(ctx context.Context, id string) ending {
	limited, cancel := r.limit(ctx)
	defer cancel()
	tools := tool.Tools{Log: r.errs}
	err := tools.Run(limited, tool.Command{Doing: "run the test", Name: "docker", Args: []string{"start", "--attach", id}, Stdout: r.said})
	if err != nil && limited.Err() != nil {
		// It got a signal from docker, and may have ignored it. If this fails the
		// removal of the container ends it.
		r.docker(context.WithoutCancel(ctx), "stop the container", nil, "kill", id)
		if ctx.Err() != nil {
			return interrupted()
		}
		return ending{status: exitTooLong, timedOut: true}
	}
	state, stateErr := r.state(context.WithoutCancel(ctx), id)
	if stateErr != nil {
		return ending{status: exitRig, rig: stateErr}
	}
	return state.ending(err)
}

// containerState is what the engine knows of a container (State of docker
// inspect: moby's daemon/container/state.go).
type containerState struct {
	Running   bool
	OOMKilled bool
	ExitCode  int
	// Error is why the container could not be started, or what was wrong with its
	// end.
	Error string
	// StartedAt is zero if it never ran.
	StartedAt time.Time
}

func (r *cellRun) state(ctx context.Context, id string) (s containerState, err error) {
	text, err := r.docker(ctx, "see how the container ended", nil, "inspect", "--type", "container", "--format", "{{json .State}}", id)
	if err == nil {
		err = fault.Wrap(fault.Ours, json.Unmarshal([]byte(text), &s))
	}
	return s, err
}

// ending tells the test's status from the engine's failures, which have the same
// numbers: a command that is not there is 127 for both (setExitCodeFromError in
// moby's daemon/errors.go), and a lost connection 1 or 125 (docker/cli). attached is
// how "docker start --attach" ended, which repeats the container's status when it
// saw its end.
func (s containerState) ending(attached error) ending {
	said := 0
	if exit, ok := errors.AsType[*tool.ExitError](attached); ok {
		said = exit.Status
	} else if attached != nil {
		return ending{status: exitRig, rig: attached}
	}
	rig := func(format string, args ...any) ending {
		text := change.OneLine(fmt.Sprintf(format, args...))
		return ending{status: exitRig, rig: fault.New(fault.Ours, "%s", text).WithHint("the log has what docker said")}
	}
	switch {
	case s.StartedAt.IsZero():
		return rig("the container did not start: %s", change.Clip(s.Error, 300))
	case s.Running:
		return rig("docker lost sight of the container, which still ran")
	case s.Error != "":
		return rig("the container did not end well: %s", change.Clip(s.Error, 300))
	case said != s.ExitCode:
		return rig("docker lost sight of the container (status %d), which ended with status %d", said, s.ExitCode)
	}
	return ending{status: s.ExitCode}
}

// fill brings the source and auto.conf into a container that has not started.
func (r *cellRun) fill(ctx context.Context, id string) error {
	source, err := os.Open(r.source)
	if err != nil {
		return err
	}
	defer source.Close()
	if _, err = r.docker(ctx, "bring the source into the container", source, "cp", "-", id+":"+containerDir); err != nil {
		return err
	}
	var conf bytes.Buffer
	w := tar.NewWriter(&conf)
	if err = w.WriteHeader(&tar.Header{Name: "auto.conf", Mode: 0o644, Size: int64(len(r.cell.Conf))}); err == nil {
		_, err = io.WriteString(w, r.cell.Conf)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		_, err = r.docker(ctx, "bring auto.conf into the container", &conf, "cp", "-", id+":"+containerDir)
	}
	return err
}
