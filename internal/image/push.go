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

// Pushed is what Push did.
type Pushed struct {
	Manifest *Manifest
	// Found says that the store had the version already: another build's, perhaps,
	// which is then the one to use.
	Found bool
}

// Push publishes a build of this host: the container to its registry, the disk
// to the store, and the manifest last. A version that is published stays as it
// is, whoever was first.
func (im *Images) Push(ctx context.Context, t Target) (*Pushed, error) {
	if t.Alias != "" {
		return nil, fault.New(fault.Configuration, "%s names no build of this host", t).WithHint("write NAME or NAME@VERSION")
	}
	r, err := recipe.Load(im.Recipes, im.RecipesDir, t.Name)
	if err != nil {
		return nil, err
	}
	m, _, err := im.local(t)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Configuration, "there is no build of %s in %s", t, im.Out).WithHint("dispatcher image build %s", t.Name)
	}
	if err != nil {
		return nil, err
	}
	if im.Store == nil && (m.Disk != nil || r.Container == nil || r.Container.Repository == "") {
		return nil, im.needStore()
	}
	found, _, err := im.published(ctx, r, m)
	if err != nil {
		return nil, err
	}
	if found != nil {
		return im.adopt(ctx, m, found)
	}
	return im.publish(ctx, r, m)
}

// adopt takes a version that is published. If it is this very build, what was
// learnt about it since (the smoke test's result) is added.
func (im *Images) adopt(ctx context.Context, m, found *Manifest) (*Pushed, error) {
	if im.Store == nil {
		m.Container.Repository, m.Container.Digest = found.Container.Repository, found.Container.Digest
		return &Pushed{Manifest: m, Found: true}, im.saveLocal(m)
	}
	if same(m, found) && m.Verified() && !found.Verified() {
		found.Smoke = m.Smoke
		if err := im.Store.Put(ctx, manifestName(m.Name, m.Version), found.Encode()); err != nil {
			return nil, err
		}
	}
	return &Pushed{Manifest: found, Found: true}, nil
}

// same reports whether two manifests tell of the same files.
func same(a, b *Manifest) bool {
	return (a.Disk == nil) == (b.Disk == nil) && (a.Disk == nil || a.Disk.SHA256 == b.Disk.SHA256) &&
		(a.Container == nil) == (b.Container == nil) && (a.Container == nil || a.Container.ID == b.Container.ID)
}

func (im *Images) publish(ctx context.Context, r *recipe.Recipe, m *Manifest) (*Pushed, error) {
	if m.Container != nil && r.Container.Repository != "" {
		if err := im.pushContainer(ctx, m, string(r.Container.Repository)); err != nil {
			return nil, err
		}
	}
	if im.Store == nil {
		return &Pushed{Manifest: m}, im.saveLocal(m)
	}
	if m.Disk != nil {
		file, err := im.checkLocal(m)
		if err != nil {
			return nil, err
		}
		im.Log("uploading the disk image, %s", Bytes(m.Disk.Size))
		if err := im.Store.Upload(ctx, diskName(m), file); err != nil {
			return nil, err
		}
	}
	return im.commit(ctx, m)
}

// commit writes the manifest, and finds out who was first if two did. Both
// disks are there then, under different names, so either manifest would be
// right; the one that the store has now counts, and the other disk goes.
func (im *Images) commit(ctx context.Context, m *Manifest) (*Pushed, error) {
	err := im.Store.Create(ctx, manifestName(m.Name, m.Version), m.Encode())
	if err != nil && !errors.Is(err, ErrExists) {
		return nil, err
	}
	winner, err := im.stored(ctx, m.Name, m.Version)
	if err != nil {
		return nil, err
	}
	if same(m, winner) {
		return &Pushed{Manifest: winner}, im.saveLocal(m)
	}
	im.Log("another build of %s@%s was published meanwhile, and is the one to use", m.Name, m.Version)
	if m.Disk != nil && (winner.Disk == nil || winner.Disk.Object != m.Disk.Object) {
		if err := im.Store.Delete(ctx, diskName(m)); err != nil {
			return nil, err
		}
	}
	return &Pushed{Manifest: winner, Found: true}, nil
}

func (im *Images) pushContainer(ctx context.Context, m *Manifest, repository string) error {
	engine, err := findEngine(ctx, im.Tools)
	if err != nil {
		return err
	}
	dir, err := im.workDir(m.Name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "container.tar")
	im.Log("saving the container")
	if err := engine.save(ctx, localTag(m), file); err != nil {
		return err
	}
	im.Log("pushing it to %s:%s", repository, m.Version)
	digest, size, err := im.Registry.Push(ctx, file, repository+":"+m.Version)
	if err != nil {
		return err
	}
	m.Container.Repository, m.Container.Digest, m.Container.Size = repository, digest, size
	return nil
}
