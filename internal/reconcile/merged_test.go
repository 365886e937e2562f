// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// newMerged is a world whose mirror is up to date, and change 1 was merged since.
func newMerged(t *testing.T) *world {
	t.Helper()
	w := newWorld(1)
	w.project.Workflows = append(w.project.Workflows, config.Workflow{Name: "after.yml", File: "after.yml", PostMerge: true})
	w.files["after.yml"] = w.files["autorun.yml"]
	w.run(t, 0, false)
	w.now = w.now.Add(time.Hour)
	c := w.changes[1]
	c.Status, c.Updated, c.Submitted = change.Merged, w.now, w.now
	w.changes[1] = c
	w.branches["master"] = rev(901)
	w.now = w.now.Add(time.Minute)
	return w
}

// afterMerge counts the runs of the workflow that tests branches.
func (w *world) afterMerge() (n int) {
	for _, r := range w.runs {
		if key, ok := r.Key(); ok && key.Workflow == "after.yml" {
			n++
		}
	}
	return n
}

// TestMergesSurviveKills kills the pass that sees a branch moved at each of its
// effects: the branch must be tested once in the end.
func TestMergesSurviveKills(t *testing.T) {
	t.Parallel()
	probe := newMerged(t)
	probe.run(t, 0, false)
	if probe.afterMerge() != 1 {
		t.Fatalf("got %d runs after a merge, want 1", probe.afterMerge())
	}
	for kill := 1; kill <= 2*probe.step; kill++ {
		w := newMerged(t)
		if _, dead := w.run(t, (kill+1)/2, kill%2 == 0); !dead {
			t.Fatalf("the pass outlived effect %d", kill)
		}
		for range 6 {
			w.now = w.now.Add(11 * time.Minute)
			w.run(t, 0, false)
		}
		if got := w.afterMerge(); got != 1 {
			t.Errorf("killed at %d: got %d runs after the merge, want 1", kill, got)
		}
	}
}

// TestMergesWhileGitHubIsAway: the branch moves, and what tests it is started once
// GitHub answers again.
func TestMergesWhileGitHubIsAway(t *testing.T) {
	t.Parallel()
	w := newMerged(t)
	doors := w.doors()
	doors.Workflows = failing{world: w, github: fault.New(fault.Transient, "502")}
	w.through(t, doors, 0, false)
	if w.refs["refs/heads/master"] != rev(901) || w.afterMerge() != 0 {
		t.Fatalf("got master at %s and %d runs, want it moved and none", w.refs["refs/heads/master"], w.afterMerge())
	}
	w.now = w.now.Add(15 * time.Minute)
	if w.run(t, 0, false); w.afterMerge() != 1 {
		t.Errorf("got %d runs after the merge, want 1", w.afterMerge())
	}
}

// TestMarksThatCannotBeWritten: the mark before a branch moves is tried again when
// the pass ends.
func TestMarksThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newMerged(t)
	failed := 0
	w.push = func(item relay.Item) error {
		if strings.Contains(item.Updates[0].Ref, "/merged/") && failed == 0 {
			failed++
			return fault.New(fault.Transient, "the connection broke")
		}
		return nil
	}
	r, _ := w.run(t, 0, false)
	if len(r.Problems) != 1 || failed != 1 {
		t.Errorf("got problems %v, want the one that was met", r.Problems)
	}
	if !slices.ContainsFunc(w.ledger(), func(name string) bool { return strings.HasPrefix(name, "merged/") }) {
		t.Errorf("got %q, want a mark among it", w.ledger())
	}
}
