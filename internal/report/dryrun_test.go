// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestDryRun makes the very review that would be posted, and does nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w, dry := newWorld(job("tests", "failure")), newWorld(job("tests", "failure"))
	c := &copier{}
	dry.publishing(c)
	w.artifacts = dry.artifacts
	publishing := dry.with
	dry.with = func(r *Reporter, q *Request) {
		publishing(r, q)
		q.DryRun = true
	}
	if _, err := w.ask(t); err != nil || len(w.posted) != 1 {
		t.Fatalf("got %d posts, %v; want 1", len(w.posted), err)
	}
	done, err := dry.ask(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(dry.posted) > 0 || len(c.batches) > 0 {
		t.Errorf("got %d posts and %d batches that were published, want none", len(dry.posted), len(c.batches))
	}
	if done.Review == nil || done.Revision != dry.change.Current.Revision || done.Voted {
		t.Fatalf("got %+v", done)
	}
	if diff := cmp.Diff(w.posted[0], *done.Review); diff != "" {
		t.Errorf("a dry run shows another review (-posted +shown):\n%s", diff)
	}
	dry.change.Messages = []change.Message{{ID: "1", Author: change.Account{Username: "ci"}, Tag: Tag, Text: done.Text}}
	if done, err = dry.ask(t); err != nil || done.Review != nil || done.Silent != "it was reported before" {
		t.Errorf("got %+v, %v; want that it was reported before", done, err)
	}
}
