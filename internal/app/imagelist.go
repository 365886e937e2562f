// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/image"
)

// The format of image list --json, a list of images; docs/images.md documents
// it, and fields are only ever added.
type (
	jsonImage struct {
		Name     string             `json:"name"`
		Versions []jsonImageVersion `json:"versions"` // newest first
	}
	jsonImageVersion struct {
		Version  string     `json:"version"`
		Created  *time.Time `json:"created,omitempty"` // by the store's clock
		Bytes    int64      `json:"bytes"`             // in the store
		Verified bool       `json:"verified"`
		Aliases  []string   `json:"aliases"`
		// Manifest is not there if there is none, or none that can be read:
		// Problem says why.
		Manifest *image.Manifest `json:"manifest,omitempty"`
		Problem  string          `json:"problem,omitempty"`
	}
)

// noManifest is what a version lacks that was never published as a whole.
const noManifest = "left over: it has no manifest"

// list is "image list".
func (w *imageWork) list(ctx context.Context) error {
	all := []jsonImage{}
	err := w.each(ctx, func(_ context.Context, c *image.Contents) error {
		if w.flags.json {
			all = append(all, jsonImageOf(c))
			return nil
		}
		w.say("%s", c.Name)
		if len(c.Entries) == 0 {
			w.say("  the store has no version of it")
		}
		for _, e := range c.Entries {
			w.say("  %s", strings.TrimRight(entryLine(e), " "))
		}
		return nil
	})
	if err != nil || !w.flags.json {
		return err
	}
	return printJSON(w.app.Stdout, all)
}

func entryLine(e image.Entry) string {
	if e.Created.IsZero() {
		return fmt.Sprintf("%s  %10s  %9s  %s", e.Version, "", image.Bytes(e.Bytes), noManifest)
	}
	return fmt.Sprintf("%s  %s  %9s  %-10s  %s", e.Version, e.Created.UTC().Format(time.DateOnly), image.Bytes(e.Bytes),
		cmp.Or(tested(e.Manifest), "unreadable"), strings.Join(e.Aliases, ", "))
}

func jsonImageOf(c *image.Contents) jsonImage {
	out := jsonImage{Name: c.Name, Versions: []jsonImageVersion{}}
	for _, e := range c.Entries {
		v := jsonImageVersion{
			Version: e.Version, Bytes: e.Bytes, Aliases: append([]string{}, e.Aliases...),
			Verified: e.Manifest != nil && e.Manifest.Verified(), Manifest: e.Manifest, Problem: e.Problem,
		}
		if e.Created.IsZero() {
			v.Problem = noManifest
		} else {
			created := e.Created.UTC()
			v.Created = &created
		}
		out.Versions = append(out.Versions, v)
	}
	return out
}
