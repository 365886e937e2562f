// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// log copies the log of a job.
func (w *work) log(ctx context.Context, j change.Job) Item {
	item := Item{Name: j.Name, Conclusion: j.Conclusion}
	path := w.taken.take("logs/"+segment(j.Name), j.ID) + ".txt"
	err := w.broken(ctx)
	switch {
	case err != nil:
		item.Note = "not copied: " + untried(err)
		return item
	case w.leftFiles == 0 || w.left <= 0:
		item.Note = "not copied: " + errTooMuch.Error()
		return item
	}
	w.say("copying the log of %s", j.Name)
	r, err := w.Source.Log(ctx, w.b.Repository, j.ID)
	if err != nil {
		item.Note = "not copied: " + reason(err)
		if ctx.Err() != nil {
			item.Note = "not copied: " + context.Cause(ctx).Error()
		}
		return item
	}
	defer r.Close()
	allowed := min(w.left, w.Limits.withDefaults().Log)
	text := newPlain(&limited{r: r, left: allowed, what: fmt.Sprintf("the log is longer than %s", sizeText(allowed))})
	file := File{Path: path}
	w.put(ctx, &file, path, text, -1, textType)
	if file.URL == "" {
		item.Note = "not copied: " + file.Problem
		return item
	}
	w.left -= file.Size
	w.leftFiles--
	item.Files = []File{file}
	return item
}
