// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/image"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

// imageWork is one run of the command image.
type imageWork struct {
	*image.Images
	app   *App
	out   *action.Action
	flags *imageFlags
	// manifests reads those of registries.
	manifests image.Manifests
	// storage is nil if none is configured.
	storage *store.Store
}

// say prints a line of the result.
func (w *imageWork) say(format string, args ...any) {
	fmt.Fprintln(w.app.Stdout, printable(fmt.Sprintf(format, args...)))
}

// outputs sets a job's outputs.
func (w *imageWork) outputs(m *image.Manifest, file string) error {
	container := ""
	if c := m.Container; c != nil && c.Digest != "" {
		container = c.Repository + "@" + c.Digest
	}
	return errors.Join(
		w.out.SetOutput("version", m.Version), w.out.SetOutput("container", container), w.out.SetOutput("file", file))
}

func (w *imageWork) build(ctx context.Context) error {
	o := w.flags.buildOptions
	o.Name = w.flags.target.Name
	built, err := w.Build(ctx, o)
	if err != nil {
		return err
	}
	m := built.Manifest
	if built.Found != "" {
		w.say("%s@%s is %s: nothing to build", m.Name, m.Version, built.Found)
		return w.outputs(m, built.Dir)
	}
	w.say("%s@%s", m.Name, m.Version)
	if m.Container != nil {
		w.say("  container  dispatcher/%s:%s", m.Name, m.Version)
	}
	if m.Disk != nil {
		w.say("  disk       %s/disk.qcow2, %s (%s when it is full)", built.Dir, image.Bytes(m.Disk.Size), image.Bytes(m.Disk.VirtualSize))
	}
	w.say("  manifest   %s/manifest.json", built.Dir)
	w.say("Next: dispatcher image verify %s", m.Name)
	return w.outputs(m, built.Dir)
}

func (w *imageWork) verify(ctx context.Context) error {
	m, err := w.Verify(ctx, w.flags.target)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what   string
		result *image.Result
	}{{"container", m.Smoke.Container}, {"disk", m.Smoke.Disk}} {
		if r.result != nil {
			w.say("%s@%s passed in the %s, in %.1f s", m.Name, m.Version, r.what, r.result.Seconds)
		}
	}
	return w.outputs(m, "")
}

func (w *imageWork) push(ctx context.Context) error {
	pushed, err := w.Push(ctx, w.flags.target)
	if err != nil {
		return err
	}
	m := pushed.Manifest
	if pushed.Found {
		w.say("%s@%s was published before: nothing to push", m.Name, m.Version)
		return w.outputs(m, "")
	}
	w.say("%s@%s is published", m.Name, m.Version)
	if c := m.Container; c != nil && c.Digest != "" {
		w.say("  container  %s@%s, %s", c.Repository, c.Digest, image.Bytes(c.Size))
	}
	if w.storage != nil {
		w.say("  manifest   %s", w.storage.URL("images/"+m.Name+"/"+m.Version+"/manifest.json"))
	}
	return w.outputs(m, "")
}

func (w *imageWork) promote(ctx context.Context) error {
	t := w.flags.target
	version, err := "", error(nil)
	switch {
	case w.flags.back && t.Version+t.Alias != "":
		return wrong("give the name alone, or leave out --back", "--back says which version to take")
	case w.flags.back:
		version, err = w.Previous(ctx, t.Name, w.flags.alias)
	default:
		version, err = w.Resolve(ctx, t)
	}
	if err != nil {
		return err
	}
	a, err := w.Promote(ctx, t.Name, version, w.flags.alias)
	if err != nil {
		return err
	}
	if a.Previous != "" {
		w.say("%s:%s is %s now; it was %s", t.Name, a.Alias, a.Version, a.Previous)
	} else {
		w.say("%s:%s is %s now", t.Name, a.Alias, a.Version)
	}
	return w.out.SetOutput("version", version)
}

func (w *imageWork) pull(ctx context.Context) error {
	if w.flags.pullOptions.Raw && w.flags.pullOptions.To == "" {
		return wrong("add --to FILE", "--raw needs a place to write to")
	}
	pulled, err := w.Pull(ctx, w.flags.target, w.flags.pullOptions)
	if err != nil {
		return err
	}
	m := pulled.Manifest
	fmt.Fprintf(w.app.Stderr, "%s@%s, %s\n", m.Name, m.Version, tested(m))
	if pulled.File != "" {
		w.say("%s", pulled.File) // alone on standard output, for scripts
	} else if c := m.Container; c != nil {
		w.say("%s@%s", c.Repository, c.Digest)
	}
	return w.outputs(m, pulled.File)
}

func tested(m *image.Manifest) string {
	switch {
	case m == nil:
		return ""
	case m.Verified():
		return "tested"
	case m.Smoke.Container != nil && !m.Smoke.Container.Passed, m.Smoke.Disk != nil && !m.Smoke.Disk.Passed:
		return "failed its test"
	}
	return "not tested"
}

// each calls do for the image that was named, or for all that there are.
func (w *imageWork) each(ctx context.Context, do func(ctx context.Context, c *image.Contents) error) error {
	names := []string{w.flags.target.Name}
	if names[0] == "" {
		var err error
		if names, err = w.Names(ctx); err != nil {
			return err
		}
	}
	if len(names) == 0 && !w.flags.json {
		w.say("The store has no images.")
	}
	for _, name := range names {
		c, err := w.List(ctx, name)
		if err != nil {
			return err
		}
		if err := do(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
