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
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// containerDir is where a container has source/, auto.conf and what tests leave
// beside them. Nothing of the host is mounted.
const containerDir = "/dispatcher"

// inContainer tests in a container of its own, which is gone in the end. The
// command is handed to sh as root whatever the image says: an entry point need not
// start what follows it, and the source is root's.
func (r *cellRun) inContainer(ctx context.Context) ending {
	args, err := environments.DockerArgs(r.cell.DockerOptions)
	args = append(args, "--user", "0", "--entrypoint", "sh")
	if err == nil {
		err = r.usable(ctx, args)
	}
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	args = append([]string{"create", "--workdir", containerDir + "/source"}, args...)
	for _, v := range r.variables() {
		args = append(args, "--env", v)
	}
	id, err := r.docker(ctx, "make a container of "+r.cell.Image, nil, append(args, r.cell.Image, "-c", r.cell.Command)...)
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	defer r.remove(context.WithoutCancel(ctx), id)
	if err := r.fill(ctx, id); err != nil {
		return ending{status: exitRig, rig: err}
	}
	end := r.attach(ctx, id)
	left := remote.DefaultLimits
	for _, p := range environments.Kept(r.cell.Results) {
		if copyErr := r.keepFromContainer(context.WithoutCancel(ctx), id, p, &left); copyErr != nil {
			why := printable(copyErr.Error())
			if strings.Contains(why, "Could not find the file") { // as moby's daemon and docker's client say it
				why = printable(p) + " is not there, and so not kept"
			}
			fmt.Fprintf(r.app.Stderr, "  %s\n", why)
		}
	}
	return end
}

// usable finds out whether the image can run anything with these options. If it
// cannot, the engine may call that a container which ran and ended with 1 or 255:
// runc starts before it learns that sh is for another processor, or that its loader
// is not there.
func (r *cellRun) usable(ctx context.Context, options []string) error {
	args := append([]string{"run", "--rm", "--network", "none"}, options...)
	_, err := r.docker(ctx, "run sh in a container of "+r.cell.Image, nil, append(args, r.cell.Image, "-c", ":")...)
	return err
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
	end := ending{status: s.ExitCode}
	if s.OOMKilled {
		end.remark = "the kernel ended a process of the test since the memory was used up (OOM)"
	}
	return end
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
