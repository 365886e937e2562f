// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Entry is one version of an image in the store.
type Entry struct {
	Version string
	// Created is when it was published, by the store's clock; zero if it has no
	// manifest.
	Created time.Time
	// Manifest is nil if there is none, or none that can be read; Problem says
	// which in the second case.
	Manifest *Manifest
	Problem  string
	// Objects are all that the version has in the store, and Bytes their size.
	Objects []Object
	Bytes   int64
	// Aliases stand for it now, Former ones did before they moved last.
	Aliases, Former []string
}

// Contents is all that the store has of one image.
type Contents struct {
	Name    string
	Entries []Entry // newest first
	Aliases []Alias // by name
}

// Names lists the images that the store has.
func (im *Images) Names(ctx context.Context) ([]string, error) {
	if err := im.needStore(); err != nil {
		return nil, err
	}
	var names []string
	err := im.Store.List(ctx, root, func(o Object) error {
		name, _, ok := strings.Cut(strings.TrimPrefix(o.Name, root), "/")
		if ok && (len(names) == 0 || names[len(names)-1] != name) { // they come sorted
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// List returns all that the store has of an image.
func (im *Images) List(ctx context.Context, name string) (*Contents, error) {
	if err := im.needStore(); err != nil {
		return nil, err
	}
	c := &Contents{Name: name}
	byVersion := map[string]*Entry{}
	var aliases []string
	err := im.Store.List(ctx, prefixOf(name), func(o Object) error {
		folder, file, _ := strings.Cut(strings.TrimPrefix(o.Name, prefixOf(name)), "/")
		alias, isAlias := strings.CutSuffix(file, ".json")
		switch {
		case folder == "alias" && isAlias && aliasForm.MatchString(alias):
			aliases = append(aliases, alias)
		case versionForm.MatchString(folder):
			e := byVersion[folder]
			if e == nil {
				e = &Entry{Version: folder}
				byVersion[folder] = e
			}
			e.Objects = append(e.Objects, o)
			e.Bytes += o.Size
			if file == manifestFile {
				e.Created = o.Modified
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := im.readAliases(ctx, c, aliases, byVersion); err != nil {
		return nil, err
	}
	for _, e := range byVersion {
		if !e.Created.IsZero() {
			if e.Manifest, err = im.stored(ctx, name, e.Version); err != nil {
				e.Problem = err.Error()
			}
		}
		c.Entries = append(c.Entries, *e)
	}
	slices.SortFunc(c.Entries, func(a, b Entry) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Version, b.Version))
	})
	return c, nil
}

// readAliases reads the aliases and notes them at their versions. One that
// cannot be read is an error: what it protects is not known.
func (im *Images) readAliases(ctx context.Context, c *Contents, names []string, byVersion map[string]*Entry) error {
	for _, name := range names {
		a, err := im.alias(ctx, c.Name, name)
		if err != nil {
			return err
		}
		c.Aliases = append(c.Aliases, *a)
		if e := byVersion[a.Version]; e != nil {
			e.Aliases = append(e.Aliases, name)
		}
		if e := byVersion[a.Previous]; e != nil {
			e.Former = append(e.Former, name)
		}
	}
	return nil
}
