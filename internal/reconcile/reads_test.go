// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
)

// broken is a world of which one kind of read fails.
type broken struct {
	*telling
	read  string
	reads map[int64]int
}

func (b *broken) failed(read string) error {
	if b.read == read {
		return fault.New(fault.Transient, "%s: 502", read)
	}
	return nil
}

func (b *broken) Closed(ctx context.Context, p *config.Project, numbers []int) ([]change.Change, error) {
	if err := b.failed("closed"); err != nil {
		return nil, err
	}
	return b.telling.Closed(ctx, p, numbers)
}

func (b *broken) Merged(ctx context.Context, p *config.Project, age time.Duration) ([]change.Change, error) {
	if err := b.failed("merged"); err != nil {
		return nil, err
	}
	return b.telling.Merged(ctx, p, age)
}

func (b *broken) Runs(ctx context.Context, repository string, since time.Time) ([]change.Run, error) {
	if err := b.failed("runs"); err != nil {
		return nil, err
	}
	return b.telling.Runs(ctx, repository, since)
}

func (b *broken) Busy(ctx context.Context, repository string) ([]change.Run, error) {
	return nil, b.failed("busy")
}

func (b *broken) Run(ctx context.Context, repository string, id int64) (change.Run, bool, error) {
	b.reads[id]++
	if err := b.failed("run"); err != nil {
		return change.Run{ID: id, Status: "completed"}, true, err
	}
	return b.talking.Run(ctx, repository, id)
}

func (b *broken) DefaultBranch(ctx context.Context, repository string) (string, error) {
	return "main", b.failed("branch")
}

func (b *broken) Issue(ctx context.Context, repository string, n int) (command.Issue, error) {
	return command.Open, b.failed("issue")
}

func (b *broken) Members(ctx context.Context, group string) (map[int]bool, error) {
	return nil, b.failed("group")
}

// tick makes a pass with all doors.
func (b *broken) tick(t *testing.T) Result {
	t.Helper()
	doors := b.doors()
	doors.Reviews, doors.Workflows, doors.Runs, doors.Groups = b, b, b, b
	doors.RunReader, doors.Canceller, doors.Reporter, doors.Talk, doors.Issues, doors.Rerunner = b, b, b, b, b, b
	r, _ := b.through(t, doors, 0, false)
	return r
}

// TestReadsThatFail: each is a problem of the pass that says what it means, nothing
// is built on what is not known, and the next pass does what was left.
func TestReadsThatFail(t *testing.T) {
	t.Parallel()
	const away = "waiting: GitHub could not be asked about runs and workflows"
	next := func(w *telling) { w.upload(1, 2) }
	comment := func(text string) func(*telling) {
		return func(w *telling) {
			w.project.Report.Commands = config.Commands{CoolDown: time.Minute, Attempts: 5}
			w.refs["refs/dispatcher/ended/1/1/autorun.yml/1/failed"] = rev(900)
			w.runs[0].Conclusion = "failure"
			owned := w.changes[1]
			owned.Owner.ID = 2
			w.changes[1] = owned
			w.say(change.Message{ID: "m1", Author: change.Account{ID: 2}, Text: text})
		}
	}
	tests := []struct {
		read string
		edit func(*telling)
		want []string // while it fails
		then string   // among what the next pass does
	}{
		{"closed", func(w *telling) { delete(w.changes, 1) }, []string{"problem: failed to look for closed changes; nothing is pruned: closed: 502"}, ""},
		{"merged", func(w *telling) {
			w.project.Workflows[0].PostMerge = true
			c := w.changes[1]
			c.Status, c.Submitted = change.Merged, w.now
			w.changes[1], w.branches["master"] = c, rev(901)
			w.runs, w.refs = nil, map[string]change.Revision{"refs/heads/master": rev(900)}
		}, []string{"mirror master: done: moved in Gerrit", "problem: failed to look for merged changes; their branch is tested by a later pass: merged: 502"}, "dispatch 1/1/autorun.yml/1: done: merged into master"},
		{"runs", func(w *telling) { delete(w.refs, "refs/dispatcher/runs/1/1/autorun.yml/1/1") },
			[]string{"wait 1/1/autorun.yml/1: " + away, "problem: runs: 502"}, "record 1/1/autorun.yml/1: done: its run was found by its key"},
		{"run", func(*telling) {}, []string{"problem: run: 502"}, "report 1/1/autorun.yml/1: done: told"},
		{"busy", func(w *telling) { next(w); w.project.Limits.Running = 5 },
			[]string{"relay 1/2: done: new patchset", "wait 1/2/autorun.yml/1: " + away, "problem: busy: 502"}, "dispatch 1/2/autorun.yml/1: done: new patchset"},
		{"branch", next, []string{"relay 1/2: done: new patchset", "wait 1/2/autorun.yml/1: " + away, "problem: branch: 502"}, "dispatch 1/2/autorun.yml/1: done: new patchset"},
		{"issue", comment("false positive: #12"), []string{"vote 1/1/autorun.yml/1: done: told", "problem: failed to look up what a comment names: issue: 502"}, `dispatch 1/1/autorun.yml/2: done: a comment asks for its failed jobs`},
		{"group", func(w *telling) { comment("recheck")(w); w.project.Report.Commands.Groups = []string{"core"} },
			[]string{`answer 1/1: done: "recheck" by account 2: Nothing is started: `, "vote 1/1/autorun.yml/1: done: told", "problem: group: 502"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.read, func(t *testing.T) {
			t.Parallel()
			w := newTelling(t, 1)
			w.told[1] = Told{Outcome: "passed", Note: "told"}
			tt.edit(w)
			b := &broken{telling: w, read: tt.read, reads: map[int64]int{}}
			got := told(b.tick(t))
			for i := range got {
				if i < len(tt.want) && strings.HasPrefix(tt.want[i], "answer") {
					got[i] = tt.want[i] // how it is refused is tested elsewhere
				}
			}
			expect(t, "while it fails", got, tt.want)
			b.read = ""
			w.now = w.now.Add(15 * time.Minute)
			if got := told(b.tick(t)); tt.then != "" && !slices.Contains(got, tt.then) {
				t.Errorf("then: got %q, want %q among it", got, tt.then)
			}
		})
	}
}

// TestManyRuns: where many runs matter, those of the last day are read with one
// list, and only what is not in it by itself.
func TestManyRuns(t *testing.T) {
	t.Parallel()
	for _, n := range []int{manyRuns, manyRuns + 2} {
		b := &broken{telling: newTelling(t, n), reads: map[int64]int{}}
		for i := range b.runs {
			b.runs[i].Status, b.runs[i].Conclusion = "in_progress", ""
		}
		b.runs[0].Created = b.now.Add(-25 * time.Hour)
		b.tick(t)
		want := 1
		if n <= manyRuns {
			want = n
		}
		if len(b.reads) != want || b.reads[1] == 0 {
			t.Errorf("%d runs: got reads of %v, want %d", n, b.reads, want)
		}
	}
	b := &broken{telling: newTelling(t, manyRuns+2), read: "runs", reads: map[int64]int{}}
	r := b.tick(t)
	expect(t, "no list", told(r), []string{"problem: runs: 502"})
}

// TestRunsThatAreGone are reported as such.
func TestRunsThatAreGone(t *testing.T) {
	t.Parallel()
	w := newTelling(t, 1)
	w.told[1] = Told{Outcome: "missing", Note: "told"}
	w.runs = nil
	r := w.tick(t)
	expect(t, "result", told(r), []string{"doubt 1/1/autorun.yml/1: waiting: GitHub does not know run 1; it counts as gone if that lasts 10m0s"})
	w.now = w.now.Add(15 * time.Minute)
	r = w.tick(t)
	expect(t, "result", told(r), []string{"report 1/1/autorun.yml/1: done: told"})
	if r.Lines[0].Verb != plan.Report || r.Lines[0].Run.ID != 0 {
		t.Errorf("got %+v, want no run", r.Lines[0])
	}
}
