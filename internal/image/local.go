// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

func (im *Images) dirOf(name, version string) string { return filepath.Join(im.Out, name, version) }

// local returns a build of this host: the version that the target names, or the
// newest one. The error is fs.ErrNotExist if there is none.
func (im *Images) local(t Target) (*Manifest, string, error) {
	versions := []string{t.Version}
	if t.Version == "" {
		entries, err := os.ReadDir(filepath.Join(im.Out, t.Name))
		if err != nil {
			return nil, "", err
		}
		versions = nil
		for _, e := range entries {
			if versionForm.MatchString(e.Name()) {
				versions = append(versions, e.Name())
			}
		}
	}
	var newest *Manifest
	for _, v := range versions {
		m, err := im.readLocal(t.Name, v)
		if err != nil {
			return nil, "", err
		}
		if newest == nil || m.Created.After(newest.Created) {
			newest = m
		}
	}
	if newest == nil {
		return nil, "", fs.ErrNotExist
	}
	return newest, im.dirOf(newest.Name, newest.Version), nil
}

func (im *Images) readLocal(name, version string) (*Manifest, error) {
	file := filepath.Join(im.dirOf(name, version), manifestFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to read %s: %w", file, err)
	}
	m, err := ParseManifest(data)
	if err == nil && (m.Name != name || m.Version != version) {
		err = fmt.Errorf("it is the manifest of %s@%s", m.Name, m.Version)
	}
	if err != nil {
		return nil, fault.New(fault.Ours, "%s: %w", file, err).WithHint("remove its folder and build again")
	}
	return m, nil
}

// saveLocal replaces the manifest of a build of this host.
func (im *Images) saveLocal(m *Manifest) error {
	file := filepath.Join(im.dirOf(m.Name, m.Version), manifestFile)
	err := os.WriteFile(file+".new", m.Encode(), 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fault.New(fault.Ours, "failed to write %s: %w", file, err)
	}
	return nil
}

// checkLocal compares the disk of a build of this host with its manifest.
func (im *Images) checkLocal(m *Manifest) (string, error) {
	file := filepath.Join(im.dirOf(m.Name, m.Version), diskFile)
	sum, size, err := hashFile(file)
	if err != nil {
		return "", err
	}
	if sum != m.Disk.SHA256 {
		return "", fault.New(fault.Ours, "%s has %d bytes and the SHA-256 %s; its manifest says %d bytes and %s", file, size, sum, m.Disk.Size, m.Disk.SHA256).
			WithHint("it was cut or changed since it was built: build it again with --force")
	}
	return file, nil
}

// published returns the manifest of a version that the store has, or, without a
// store, what is known of one whose container is in its registry. It is nil if
// there is none.
func (im *Images) published(ctx context.Context, r *recipe.Recipe, m *Manifest) (*Manifest, string, error) {
	if im.Store != nil {
		found, err := im.stored(ctx, m.Name, m.Version)
		if errors.Is(err, ErrNotFound) {
			return nil, "", nil
		}
		return found, "in the store", err
	}
	if r.Container == nil || r.Container.Repository == "" || r.Disk != nil {
		return nil, "", nil
	}
	repository := string(r.Container.Repository)
	digest, err := im.Registry.Digest(ctx, repository+":"+m.Version)
	if errors.Is(err, ErrNotFound) {
		return nil, "", nil
	}
	found := *m
	found.Container = &Container{Repository: repository, Digest: digest}
	return &found, "in the registry", err
}

// stored returns the manifest of a version that the store has; the error is
// ErrNotFound if it has none.
func (im *Images) stored(ctx context.Context, name, version string) (*Manifest, error) {
	data, err := im.Store.Get(ctx, manifestName(name, version))
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(data)
	if err == nil && (m.Name != name || m.Version != version) {
		err = fault.New(fault.Permanent, "it is the manifest of %s@%s", m.Name, m.Version)
	}
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "%s: %w", manifestName(name, version), err).WithHint("%s", fault.HintOf(err))
	}
	return m, nil
}

// alias returns an alias that the store has; the error is ErrNotFound if it has
// none.
func (im *Images) alias(ctx context.Context, name, alias string) (*Alias, error) {
	data, err := im.Store.Get(ctx, aliasName(name, alias))
	if err != nil {
		return nil, err
	}
	a, err := ParseAlias(data)
	if err == nil && a.Alias != alias {
		err = fault.New(fault.Permanent, "it is the alias %s", a.Alias)
	}
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "%s: %w", aliasName(name, alias), err).WithHint("%s", fault.HintOf(err))
	}
	return a, nil
}

// find returns the manifest that a target stands for in the store.
func (im *Images) find(ctx context.Context, t Target) (*Manifest, error) {
	if err := im.needStore(); err != nil {
		return nil, err
	}
	if t.Version == "" {
		if t.Alias == "" {
			t.Alias = DefaultAlias
		}
		a, err := im.alias(ctx, t.Name, t.Alias)
		if errors.Is(err, ErrNotFound) {
			return nil, fault.New(fault.Configuration, "the store has no alias %s of an image %s", t.Alias, t.Name).
				WithHint("'dispatcher image list' shows what there is; 'dispatcher image promote %s' sets an alias", t.Name)
		}
		if err != nil {
			return nil, err
		}
		t.Version = a.Version
	}
	m, err := im.stored(ctx, t.Name, t.Version)
	if errors.Is(err, ErrNotFound) {
		return nil, fault.New(fault.Configuration, "the store has no version %s of an image %s", t.Version, t.Name).
			WithHint("'dispatcher image list %s' shows what there is", t.Name)
	}
	return m, err
}

func (im *Images) needStore() error {
	if im.Store != nil {
		return nil
	}
	return fault.New(fault.Configuration, "no storage is configured").
		WithHint("set S3_ENDPOINT_URL, S3_BUCKET, S3_KEY and S3_SECRET")
}

// tail keeps the end of what a script writes and lets people see all of it.
// Both streams of a guest may write at the same time.
type tail struct {
	mu   sync.Mutex
	log  io.Writer
	text []byte
}

// maxTail is how much of a script's output a manifest and an error hold.
const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - maxTail; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	if t.log != nil {
		return t.log.Write(p)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return tool.Clean(string(t.text), maxTail)
}
