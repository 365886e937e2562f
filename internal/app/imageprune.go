// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image"
)

func (w *imageWork) prune(ctx context.Context) error {
	younger, err := parseAge(w.flags.older)
	if err != nil {
		return err
	}
	if w.flags.keep < 0 {
		return wrong("give 0 or more", "--keep cannot be negative")
	}
	var freed int64
	policy := image.Policy{Last: w.flags.keep, Younger: younger}
	gone := prunedVersions{versions: map[string]bool{}, repositories: map[string]bool{}, stay: map[string]bool{}}
	err = w.each(ctx, func(ctx context.Context, c *image.Contents) error {
		w.say("%s", c.Name)
		plan := image.PlanPrune(w.app.Now(), c, policy)
		for _, d := range plan {
			word := "keep"
			if d.Delete {
				word = "delete"
				freed += d.Bytes
			}
			w.say("  %-6s  %s  %9s  %s", word, d.Version, image.Bytes(d.Bytes), d.Reason)
		}
		gone.note(c, plan)
		if w.flags.dryRun {
			return nil
		}
		return w.Prune(ctx, plan)
	})
	if err != nil {
		return err
	}
	tags := w.pruneTags(ctx, gone, policy)
	hidden, err := w.pruneHidden(ctx, w.app.Now().Add(-younger))
	if err != nil {
		return err
	}
	if w.flags.dryRun {
		w.say("%s would be freed; nothing was deleted (dry run)", image.Bytes(freed+hidden))
		return tags
	}
	note, remains := w.storage.Remains(ctx, w.shelves())
	if note != "" {
		w.say("%s", note)
	}
	if note == "" && remains == nil {
		w.say("%s freed", image.Bytes(freed+hidden))
	}
	return errors.Join(tags, w.dropUploads(ctx), remains)
}

// shelves is the prefix of what was named.
func (w *imageWork) shelves() string { return path.Join("images", w.flags.target.Name) + "/" }

// pruneHidden deletes what the bucket keeps of objects that were replaced, or
// deleted by a release that did not look for versions. It returns its size.
func (w *imageWork) pruneHidden(ctx context.Context, before time.Time) (int64, error) {
	do := w.storage.DeleteHidden
	if w.flags.dryRun {
		do = w.storage.CountHidden
	}
	n, bytes, err := do(ctx, w.shelves(), before, nil)
	if n > 0 {
		w.say("delete  %d hidden versions of replaced or deleted objects, %s", n, image.Bytes(bytes))
	}
	return bytes, err
}

// uploadAge is when an upload that does not end is given up.
const uploadAge = 48 * time.Hour

// dropUploads ends uploads that nobody goes on with: they are in no list, yet
// are paid for. Servers that cannot list them have none.
func (w *imageWork) dropUploads(ctx context.Context) error {
	n, err := w.storage.DropUploads(ctx, w.shelves(), w.app.Now().Add(-uploadAge))
	if n > 0 {
		w.say("%d unfinished uploads dropped", n)
	}
	if fault.KindOf(err) == fault.Configuration {
		fmt.Fprintf(w.app.Stderr, "dispatcher: unfinished uploads stay: %s\n", printable(err.Error()))
		return nil
	}
	return err
}
