// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// BuildOptions change what a recipe says.
type BuildOptions struct {
	Name string
	// Base is another base image; one that the engine has is taken as it is.
	Base string
	// SourceDir is a checkout to take instead of fetching; otherwise SourceURL
	// and Revision may be other ones than the recipe's.
	SourceDir, SourceURL, Revision string
	// CloudImage is a file with the recipe's cloud image.
	CloudImage string
	// Serial is any text that makes a new version of the same inputs.
	Serial string
	// Force builds a version that exists, for this host only.
	Force bool
}

// Built is what Build did.
type Built struct {
	Manifest *Manifest
	// Dir is the folder of the build; empty if the store has the version and this
	// host has not.
	Dir string
	// Found says where the version was found instead of being built: "here", "in
	// the store" or "in the registry"; empty if it was built.
	Found string
}

// build carries one build.
type build struct {
	*Images
	BuildOptions
	recipe *recipe.Recipe
	engine *engine
	work   string // removed at the end
	base   base
	source *source
	m      *Manifest
}

// Build makes the version that a recipe and its inputs stand for, unless it
// exists.
func (im *Images) Build(ctx context.Context, o BuildOptions) (*Built, error) {
	r, err := recipe.Load(im.Recipes, im.RecipesDir, o.Name)
	if err != nil {
		return nil, err
	}
	b := &build{Images: im, BuildOptions: o, recipe: r}
	if b.work, err = im.workDir(o.Name); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.work)
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	if found, err := b.find(ctx); err != nil || found != nil {
		return found, err
	}
	if err := b.make(ctx); err != nil {
		return nil, err
	}
	return b.keep()
}

// workDir makes a folder that Build removes, beside what it makes.
func (im *Images) workDir(name string) (string, error) {
	err := os.MkdirAll(filepath.Join(im.Out, name), 0o755)
	var dir string
	if err == nil {
		dir, err = os.MkdirTemp(filepath.Join(im.Out, name), ".work-*")
	}
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", fault.New(fault.Ours, "failed to make a folder for the build: %w", err).WithHint("--out names another place")
	}
	return dir, nil
}

// prepare finds out what goes in, and so the version.
func (b *build) prepare(ctx context.Context) (err error) {
	r := b.recipe
	if r.Disk != nil {
		if r.Disk.Dockerfile != "" {
			err = b.Assembler.Check(ctx, b.Tools)
		} else {
			_, err = b.Tools.Find("qemu-img", "qemu-utils")
		}
		if err != nil {
			return err
		}
	}
	if r.Container != nil {
		if b.engine, err = findEngine(ctx, b.Tools); err == nil {
			b.base, err = b.findBase(ctx)
		}
	} else if b.Base != "" {
		err = fault.New(fault.Configuration, "the recipe %s has no base image", r.Name).WithHint("leave out --base")
	}
	if err != nil {
		return err
	}
	if b.source, err = b.findSource(ctx, r, b.BuildOptions, b.work); err != nil {
		return err
	}
	in := r.Inputs()
	in.Base, in.Serial = b.base.digest, b.Serial
	b.m = &Manifest{
		Schema: manifestSchema, Name: r.Name, Description: string(r.Description), Created: b.Now().UTC(),
		Origin: Origin{Base: b.base.reference}, Tools: map[string]string{},
	}
	if b.source != nil {
		in.Source = recipe.Digest(b.source.files)
		b.m.Origin.SourceURL, b.m.Origin.SourceRevision = b.source.url, b.source.revision
	}
	if r.Disk != nil && r.Disk.CloudImage != nil {
		b.m.Origin.CloudImage = string(r.Disk.CloudImage.URL)
	}
	b.m.Inputs, b.m.InputsSHA256, b.m.Version = in, in.Hash(), in.Version()
	return nil
}

// find looks for the version where it could be already.
func (b *build) find(ctx context.Context) (*Built, error) {
	if b.Force {
		return nil, nil
	}
	if m, dir, err := b.local(Target{Name: b.m.Name, Version: b.m.Version}); err == nil {
		return &Built{Manifest: m, Dir: dir, Found: "here"}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m, where, err := b.published(ctx, b.recipe, b.m)
	if m != nil {
		return &Built{Manifest: m, Found: where}, err
	}
	return nil, err
}

// make builds the parts of the image.
func (b *build) make(ctx context.Context) error {
	b.Log("building %s@%s", b.m.Name, b.m.Version)
	stage := filepath.Join(b.work, "context")
	dir, err := fs.Sub(b.Recipes, b.Name)
	if err == nil {
		err = os.Mkdir(stage, 0o755)
	}
	if err != nil {
		return fault.New(fault.Ours, "failed to make the build's folder: %w", err)
	}
	if err := copyFiles(dir, b.recipe.Files, stage); err != nil {
		return err
	}
	if b.source != nil {
		if err := os.Mkdir(filepath.Join(stage, recipe.SourceDir), 0o755); err != nil {
			return fault.New(fault.Ours, "failed to make the build's folder: %w", err)
		}
		if err := copyFiles(os.DirFS(b.source.dir), b.source.files, filepath.Join(stage, recipe.SourceDir)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(b.work, "result"), 0o755); err != nil {
		return fault.New(fault.Ours, "failed to make the build's folder: %w", err)
	}
	if b.recipe.Container != nil {
		if err := b.makeContainer(ctx, stage); err != nil {
			return err
		}
	}
	if b.recipe.Disk != nil {
		return b.makeDisk(ctx, stage)
	}
	return nil
}

// localTag is what the engine knows an image by.
func localTag(m *Manifest) string { return "dispatcher/" + m.Name + ":" + m.Version }

func (b *build) makeContainer(ctx context.Context, stage string) (err error) {
	args := map[string]string{"BASE": b.base.from}
	for name, value := range b.recipe.Container.Args {
		args[string(name)] = string(value)
	}
	b.m.Tools[b.engine.name] = b.engine.version
	b.Log("building the container on %s", b.base.from)
	if err := b.engine.build(ctx, stage, string(b.recipe.Container.Dockerfile), localTag(b.m), args); err != nil {
		return err
	}
	b.m.Container = &Container{}
	b.m.Container.ID, err = b.engine.imageID(ctx, localTag(b.m))
	return err
}

// keep writes the manifest and moves the build to its place. Who finds another
// build there, made at the same time, takes that one.
func (b *build) keep() (*Built, error) {
	result := filepath.Join(b.work, "result")
	if err := os.WriteFile(filepath.Join(result, manifestFile), b.m.Encode(), 0o644); err != nil {
		return nil, fault.New(fault.Ours, "failed to write the manifest: %w", err)
	}
	dir := b.dirOf(b.m.Name, b.m.Version)
	if b.Force {
		if err := os.RemoveAll(dir); err != nil {
			return nil, fault.New(fault.Ours, "failed to remove the old build: %w", err)
		}
	}
	if err := os.Rename(result, dir); err != nil {
		if m, dir, err := b.local(Target{Name: b.m.Name, Version: b.m.Version}); err == nil {
			return &Built{Manifest: m, Dir: dir, Found: "here, built by another process meanwhile"}, nil
		}
		return nil, fault.New(fault.Ours, "failed to move the build to its place: %w", err)
	}
	return &Built{Manifest: b.m, Dir: dir}, nil
}
