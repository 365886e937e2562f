// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// Limits of single calls of the engine.
const (
	askLimit   = time.Minute
	buildLimit = 3 * time.Hour
	copyLimit  = time.Hour
)

// engine is Docker or Podman, whichever is there.
type engine struct {
	tools         tool.Tools
	name, version string
}

// findEngine returns the first engine that works.
func findEngine(ctx context.Context, tools tool.Tools) (*engine, error) {
	var first error
	for _, e := range []struct{ name, version string }{{"docker", "{{.Server.Version}}"}, {"podman", "{{.Client.Version}}"}} {
		if _, err := tools.Find(e.name, ""); err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		text, err := tools.Output(ctx, tool.Command{Doing: "ask " + e.name + " for its version", Name: e.name, Args: []string{"version", "--format", e.version}})
		if err == nil {
			return &engine{tools, e.name, tool.Clean(text, 40)}, nil
		}
		if first == nil {
			first = fault.New(fault.Configuration, "%s does not answer: %w", e.name, err).
				WithHint("start its daemon (systemctl start docker), and see that you may use it (group docker, or root)")
		}
	}
	if first != nil {
		return nil, first
	}
	return nil, fault.New(fault.Configuration, "neither docker nor podman was found").
		WithHint("install one of them (Debian: apt-get install docker.io, or podman)")
}

func (e *engine) run(ctx context.Context, limit time.Duration, c tool.Command) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fault.New(fault.Ours, "%s did not finish within %v", e.name, limit))
	defer cancel()
	c.Name = e.name
	return e.tools.Run(ctx, c)
}

// imageID returns the id of an image that the engine has, or "".
func (e *engine) imageID(ctx context.Context, reference string) (string, error) {
	var out strings.Builder
	err := e.run(ctx, askLimit, tool.Command{
		Doing: "look for the image " + reference, Args: []string{"image", "inspect", "--format", "{{.Id}}", reference}, Stdout: &out,
	})
	if exit, ok := errors.AsType[*tool.ExitError](err); ok && containsAny(exit.Tail, "No such image", "no such image", "No such object", "image not known") {
		return "", nil
	}
	return strings.TrimSpace(out.String()), err
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}

// build builds a Dockerfile of a context into a tag.
func (e *engine) build(ctx context.Context, dir, dockerfile, tag string, buildArgs map[string]string) error {
	args := []string{"build", "--file", dir + "/" + dockerfile, "--tag", tag}
	for _, name := range slices.Sorted(maps.Keys(buildArgs)) {
		args = append(args, "--build-arg", name+"="+buildArgs[name])
	}
	err := e.run(ctx, buildLimit, tool.Command{Doing: "build " + dockerfile, Args: append(args, dir)})
	if exit, ok := errors.AsType[*tool.ExitError](err); ok && fault.HintOf(err) == "" {
		f := fault.New(fault.Configuration, "failed to build %s: %w", dockerfile, exit).
			WithHint("the last lines above say which instruction failed; --verbose shows all of them")
		if containsAny(exit.Tail, "manifest unknown", "pull access denied", "not found: manifest", "repository does not exist") {
			f.Hint = "an image in a FROM line was not found: check its name, or give one that is here with --base"
		}
		return f
	}
	return err
}

// export writes an image's file system as a tar stream.
func (e *engine) export(ctx context.Context, tag string, to io.Writer) error {
	var out strings.Builder
	// Some images have no command of their own, and this one never runs.
	if err := e.run(ctx, askLimit, tool.Command{Doing: "make a container of " + tag, Args: []string{"create", tag, "/bin/true"}, Stdout: &out}); err != nil {
		return err
	}
	id := strings.TrimSpace(out.String())
	err := e.run(ctx, copyLimit, tool.Command{Doing: "export " + tag, Args: []string{"export", id}, Stdout: to})
	return errors.Join(err, e.remove(ctx, id))
}

// remove removes a container, even after ctx ended.
func (e *engine) remove(ctx context.Context, id string) error {
	return e.run(context.WithoutCancel(ctx), askLimit, tool.Command{Doing: "remove a container", Args: []string{"rm", "--force", id}})
}

func (e *engine) save(ctx context.Context, tag, file string) error {
	return e.run(ctx, copyLimit, tool.Command{Doing: "save " + tag, Args: []string{"save", "--output", file, tag}})
}

// bothStreams makes a script write its errors to its output.
const bothStreams = "exec 2>&1\n"

// script runs a script in a new container and returns its exit status.
func (e *engine) script(ctx context.Context, tag, name string, script io.Reader, out io.Writer) (int, error) {
	const engineFailed = 125 // the status of docker run if it could not
	err := e.tools.Run(ctx, tool.Command{
		Doing: "run the smoke test in " + tag, Name: e.name,
		Args:  []string{"run", "--rm", "--interactive", "--name", name, tag, "sh", "-s"},
		Stdin: io.MultiReader(strings.NewReader(bothStreams), script), Stdout: out,
	})
	exit, ok := errors.AsType[*tool.ExitError](err)
	if ok && exit.Status != engineFailed {
		return exit.Status, nil
	}
	if ctx.Err() != nil {
		err = errors.Join(err, e.remove(ctx, name))
	}
	return 0, err
}
