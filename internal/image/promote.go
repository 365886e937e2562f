// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Promote moves an alias to a version that passed its smoke test. The alias in
// the store moves in one write and says which version it stood for before; then
// the registry's tag of that name follows. Doing it again finishes what was cut
// off.
func (im *Images) Promote(ctx context.Context, name, version, alias string) (*Alias, error) {
	if !aliasForm.MatchString(alias) || versionForm.MatchString(alias) {
		return nil, fault.New(fault.Configuration, "%.80q cannot be an alias", alias).WithHint("use lower-case letters, digits and '-', and begin with a letter")
	}
	if im.Store == nil {
		return im.promoteTag(ctx, name, version, alias)
	}
	m, err := im.find(ctx, Target{Name: name, Version: version})
	if err != nil {
		return nil, err
	}
	if err := m.mustBeVerified(); err != nil {
		return nil, err
	}
	now, err := im.alias(ctx, name, alias)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if now == nil || now.Version != version {
		next := &Alias{Schema: manifestSchema, Alias: alias, Version: version, Moved: im.Now().UTC()}
		if now != nil {
			next.Previous = now.Version
		}
		if err := im.Store.Put(ctx, aliasName(name, alias), encode(next)); err != nil {
			return nil, err
		}
		now = next
	}
	if c := m.Container; c != nil && c.Repository != "" {
		if err := im.Registry.Tag(ctx, c.Repository+"@"+c.Digest, alias); err != nil {
			return now, fault.New(fault.KindOf(err), "the alias moved, but not the registry's tag: %w", err).WithHint("%s; then give the same command again", fault.HintOf(err))
		}
	}
	return now, nil
}

func (m *Manifest) mustBeVerified() error {
	if m.Verified() {
		return nil
	}
	what := "was not tested"
	if r := m.Smoke.Disk; r != nil && !r.Passed {
		what = "failed its smoke test in the disk image"
	}
	if r := m.Smoke.Container; r != nil && !r.Passed {
		what = "failed its smoke test in the container"
	}
	return fault.New(fault.Configuration, "%s@%s %s, so no alias moves to it", m.Name, m.Version, what).
		WithHint("dispatcher image verify %s@%s", m.Name, m.Version)
}

// promoteTag is for images that a registry alone has.
func (im *Images) promoteTag(ctx context.Context, name, version, alias string) (*Alias, error) {
	m, err := im.readLocal(name, version)
	if err != nil || m.Disk != nil || m.Container.Repository == "" {
		return nil, im.needStore()
	}
	if err := m.mustBeVerified(); err != nil {
		return nil, err
	}
	err = im.Registry.Tag(ctx, m.Container.Repository+"@"+m.Container.Digest, alias)
	return &Alias{Schema: manifestSchema, Alias: alias, Version: version, Moved: im.Now().UTC()}, err
}

// Resolve returns the version that a target means to Promote: the one it names,
// the one that an alias stands for, or the newest build of this host.
func (im *Images) Resolve(ctx context.Context, t Target) (string, error) {
	switch {
	case t.Version != "":
		return t.Version, nil
	case t.Alias != "":
		m, err := im.find(ctx, t)
		if err != nil {
			return "", err
		}
		return m.Version, nil
	}
	m, _, err := im.local(t)
	if err != nil {
		return "", fault.New(fault.Configuration, "there is no build of %s in %s", t, im.Out).
			WithHint("say which version: %s@VERSION; 'dispatcher image list %s' shows what there is", t.Name, t.Name)
	}
	return m.Version, nil
}

// Previous returns the version that an alias stood for before it moved last.
func (im *Images) Previous(ctx context.Context, name, alias string) (string, error) {
	if err := im.needStore(); err != nil {
		return "", err
	}
	a, err := im.alias(ctx, name, alias)
	if errors.Is(err, ErrNotFound) || err == nil && a.Previous == "" {
		return "", fault.New(fault.Configuration, "the alias %s of %s stood for no version before", alias, name).
			WithHint("'dispatcher image list %s' shows what there is", name)
	}
	if err != nil {
		return "", err
	}
	return a.Previous, nil
}

// Bytes returns a size for people.
func Bytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
