// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

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

// inContainer tests in a container of its own.
func (r *cellRun) inContainer(ctx context.Context) (int, error) {
	args := []string{"create", "--workdir", containerDir + "/source"}
	if r.cell.Privileged {
		args = append(args, "--privileged")
	}
	for _, v := range r.variables() {
		args = append(args, "--env", v)
	}
	id, err := r.docker(ctx, "make a container of "+r.cell.Image, nil, append(args, r.cell.Image, "sh", "-c", r.cell.Command)...)
	if err != nil {
		return exitRig, err
	}
	defer r.docker(context.WithoutCancel(ctx), "remove the container", nil, "rm", "--force", "--volumes", id)
	if err := r.fill(ctx, id); err != nil {
		return exitRig, err
	}
	limited, cancel := r.limit(ctx)
	defer cancel()
	tools := tool.Tools{Log: r.errs}
	status, err := r.status(limited, tools.Run(limited, tool.Command{Doing: "run the test", Name: "docker", Args: []string{"start", "--attach", id}, Stdout: r.said}))
	if status == exitTooLong {
		r.docker(context.WithoutCancel(ctx), "stop the container", nil, "kill", id)
	}
	for _, p := range r.cell.Results {
		from := path.Join(containerDir, "source", p)
		if _, copyErr := r.docker(context.WithoutCancel(ctx), "keep "+p, nil, "cp", id+":"+from, r.kept(p)); copyErr != nil {
			fmt.Fprintf(r.app.Stderr, "  %s is not there, and so not kept\n", printable(p))
		}
	}
	return status, err
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
