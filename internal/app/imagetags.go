// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/image"
)

// githubRegistry is the registry whose versions GitHub's API deletes; it rejects the
// registries' own way of deleting (405).
const githubRegistry = "ghcr.io"

// packages deletes containers through GitHub's API.
type packages struct {
	*github.Client
	host string
}

func (p packages) name(repository string) string { return strings.TrimPrefix(repository, p.host+"/") }

// Stored lists the manifests of a repository.
func (p packages) Stored(ctx context.Context, repository string) ([]image.Stored, error) {
	list, err := p.PackageVersions(ctx, p.name(repository))
	if errors.Is(err, github.ErrGone) {
		return nil, alike{err, image.ErrNotFound}
	}
	var all []image.Stored
	for _, v := range list {
		all = append(all, image.Stored{ID: v.ID, Digest: v.Digest, Tags: v.Tags, Created: v.Created})
	}
	return all, err
}

// DeleteStored deletes one.
func (p packages) DeleteStored(ctx context.Context, repository string, id int64) error {
	return p.DeletePackageVersion(ctx, p.name(repository), id)
}

// References reads what a manifest refers to.
func (h hub) References(ctx context.Context, repository, digest string) (image.References, error) {
	parts, subject, err := h.Client.References(ctx, repository+"@"+digest)
	return image.References{Parts: parts, Subject: subject}, named(err)
}

// packages are those that the token of the job, or of the account, may delete; nil
// without one.
func (w *imageWork) packages() (*packages, error) {
	getenv := w.app.Getenv
	setting := "GITHUB_TOKEN"
	if getenv(setting) == "" {
		setting = "GHPA_TOKEN"
	}
	token := getenv(setting)
	if token == "" {
		return nil, nil
	}
	rt, err := (&transports{app: w.app}).get("")
	if err != nil {
		return nil, err
	}
	c, err := github.New(github.Options{
		APIURL: getenv("GITHUB_API_URL"), Token: github.Static(token), Setting: setting, Transport: rt,
		UserAgent: w.app.userAgent(), Sleep: w.app.Sleep, Now: w.app.Now,
	})
	return &packages{c, w.registryHost()}, err
}

// prunedVersions are versions that are deleted from the store, as NAME@VERSION, and
// the repositories that their images have containers in. Stay are those that do not go.
type prunedVersions struct{ versions, repositories, stay map[string]bool }

// note adds what a plan deletes. Of a version that stays, something may go.
func (p prunedVersions) note(c *image.Contents, plan []image.Decision) {
	for _, e := range c.Entries {
		if e.Manifest != nil && e.Manifest.Container != nil && e.Manifest.Container.Repository != "" {
			p.repositories[e.Manifest.Container.Repository] = true
		}
	}
	for _, d := range plan {
		p.versions[c.Name+"@"+d.Version] = d.Delete
	}
	for _, d := range plan {
		if !d.Delete {
			delete(p.versions, c.Name+"@"+d.Version)
			p.stay[d.Version] = true
		}
	}
}

// pruneTags deletes containers of versions that are not in the store any more. What
// several images keep in one repository is safe from each of them.
func (w *imageWork) pruneTags(ctx context.Context, gone prunedVersions, p image.Policy) error {
	if len(gone.repositories) == 0 {
		return nil
	}
	hubs, err := w.packages()
	if err != nil {
		return err
	}
	kept, err := w.keptVersions(ctx, gone)
	if err != nil {
		return err
	}
	var failed []error
	for _, repository := range slices.Sorted(maps.Keys(gone.repositories)) {
		switch {
		case !strings.HasPrefix(repository, w.registryHost()+"/"): // it deletes by its own rules
		case hubs == nil:
			w.say("%s: no container is deleted without GITHUB_TOKEN or GHPA_TOKEN", repository)
		default:
			failed = append(failed, w.pruneRepository(ctx, hubs, repository, kept, p))
		}
	}
	return errors.Join(failed...)
}

func (w *imageWork) registryHost() string { return cmp.Or(w.app.githubRegistry, githubRegistry) }

// keptVersions are the versions of all images that stay in the store: several may
// share a repository, and versions are hashes. What was there a moment ago is, whatever
// the store says now.
func (w *imageWork) keptVersions(ctx context.Context, gone prunedVersions) (map[string]bool, error) {
	kept := maps.Clone(gone.stay)
	names, err := w.Names(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		c, err := w.List(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, e := range c.Entries {
			if !gone.versions[name+"@"+e.Version] {
				kept[e.Version] = true
			}
		}
	}
	return kept, nil
}

func (w *imageWork) pruneRepository(ctx context.Context, hubs *packages, repository string, kept map[string]bool, p image.Policy) error {
	list, err := hubs.Stored(ctx, repository)
	if errors.Is(err, image.ErrNotFound) {
		w.say("%s: %s", repository, cmp.Or(fault.HintOf(err), "there is no such package"))
		return nil
	}
	if err != nil {
		return err
	}
	w.say("%s", repository)
	plan := image.PlanTags(ctx, w.app.Now(), list, kept, p, func(ctx context.Context, digest string) (image.References, error) {
		return w.manifests.References(ctx, repository, digest)
	})
	for _, d := range plan {
		word := "keep"
		if d.Delete {
			word = "delete"
		}
		w.say("  %-6s  %s  %s", word, d.Label(), d.Reason)
	}
	if w.flags.dryRun {
		return nil
	}
	return image.PruneTags(ctx, hubs, repository, plan)
}
