// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// copier is a publisher that notes what it is given.
type copier struct {
	batches []publish.Batch
	out     publish.Published
	err     error
	// meanwhile happens while it copies.
	meanwhile func()
}

func (c *copier) Publish(_ context.Context, b publish.Batch) (publish.Published, error) {
	c.batches = append(c.batches, b)
	if c.meanwhile != nil {
		c.meanwhile()
	}
	return c.out, c.err
}

// copied is what a publisher returns that copied one artifact and lost another.
func copied() publish.Published {
	return publish.Published{Index: "https://results.example.org/7/index.html", Artifacts: []publish.Item{
		{Name: "results", Files: []publish.File{{Path: "a.log", URL: "https://results.example.org/7/a.log", Size: 5}}},
		{Name: "old", Note: "not copied: it has expired, and GitHub has deleted it"},
	}}
}

// publishing has results published.
func (w *world) publishing(c *copier) {
	w.artifacts = []change.Artifact{{ID: 1, Name: "results"}, {ID: 2, Name: "vm-image"}, {ID: 3, Name: "old", Expired: true}}
	w.with = func(r *Reporter, q *Request) {
		r.Publisher = c
		r.ChangeURL = func(project string, number int) string { return "https://review.example.org/" + project }
		q.Project.Report.Publish = config.Publish{On: true, Artifacts: []string{"results", "o*"}, Logs: true}
	}
}

func TestPublishing(t *testing.T) {
	t.Parallel()
	skipped := change.Job{ID: 5, Name: "docs", Status: "completed", Conclusion: "skipped"}
	w, c := newWorld(job("tests", "failure"), skipped, change.Job{ID: 6, Name: "report", Status: "in_progress", Runner: "r2"}), &copier{out: copied()}
	w.publishing(c)
	done, err := w.ask(t)
	if err != nil || !done.Voted || done.Vote != -1 || len(w.posted) != 1 {
		t.Fatalf("got %+v, %v", done, err)
	}
	for _, want := range []string{
		"* `all results of  (5 bytes)`: https://results.example.org/7/index.html", "* `results (5 bytes)`: https://results.example.org/7/a.log",
		"Note: 1 of 2 artifacts and logs could not be published as a whole: `old: not copied: it has expired, and GitHub has deleted it`",
	} {
		if !strings.Contains(done.Text, want) {
			t.Errorf("the message lacks %q:\n%s", want, done.Text)
		}
	}
	if !strings.Contains(done.Text, "`vm-image` (0 bytes)") || strings.Contains(done.Text, "`results` (0 bytes)") {
		t.Errorf("got links to what everybody can open, or none to what was not copied:\n%s", done.Text)
	}
	if len(done.Warnings) != 1 || len(c.batches) != 1 {
		t.Fatalf("got warnings %v and %d batches", done.Warnings, len(c.batches))
	}
	b := c.batches[0]
	if b.Key != keyOf("autorun.yml") || b.Attempt != 1 || b.ChangeURL != "https://review.example.org/spdk/spdk" || b.Repository != "example/ci" ||
		len(b.Jobs) != 1 || b.Jobs[0].Name != "tests" || len(b.Artifacts) != 2 || b.Artifacts[1].Name != "old" {
		t.Errorf("got %+v", b)
	}
}

// TestPublishingFails: the verdict is posted whatever the storage does.
func TestPublishingFails(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.Configuration, "failed to put x: the storage answered 403").WithHint("check S3_KEY")
	for name, edit := range map[string]func(*world, *copier){
		"the storage refuses":     func(_ *world, c *copier) { c.out, c.err = publish.Published{}, refused },
		"artifacts are not known": func(w *world, c *copier) { w.artifacts, w.unlisted = nil, refused },
	} {
		w, c := newWorld(job("tests", "success")), &copier{}
		w.publishing(c)
		edit(w, c)
		done, err := w.ask(t)
		if err != nil || done.Vote != 1 || !done.Voted || len(w.posted) != 1 {
			t.Errorf("%s: got %+v, %v", name, done, err)
		}
		if !strings.Contains(done.Text, "Note: the artifacts could not be published: `failed to put x: the storage answered 403`") {
			t.Errorf("%s: got\n%s", name, done.Text)
		}
		if len(done.Warnings) != 1 || fault.HintOf(done.Warnings[0]) != "check S3_KEY" {
			t.Errorf("%s: got warnings %v", name, done.Warnings)
		}
	}
}

// TestPublishingTakesLong: what happened meanwhile counts.
func TestPublishingTakesLong(t *testing.T) {
	t.Parallel()
	for silent, meanwhile := range map[string]func(*world){
		"patchset 3 replaced it": func(w *world) { w.change.Current.Number = 3 },
		"the change is gone":     func(w *world) { w.gone = true },
		"it was reported before": func(w *world) {
			other := *w
			other.with = nil
			if _, err := other.ask(t); err != nil {
				t.Error(err)
			}
			w.change = other.change
		},
	} {
		w, c := newWorld(job("tests", "success")), &copier{out: copied()}
		w.publishing(c)
		c.meanwhile = func() { meanwhile(w) }
		done, err := w.ask(t)
		if err != nil || done.Silent != silent || len(w.posted) != 0 {
			t.Errorf("got %q, %v and %d posts, want %q", done.Silent, err, len(w.posted), silent)
		}
	}
	w, c := newWorld(job("tests", "success")), &copier{out: copied()}
	w.publishing(c)
	c.meanwhile = func() { w.change.Private = true }
	if done, err := w.ask(t); err != nil || strings.Contains(done.Text, "results.example.org") {
		t.Errorf("private meanwhile: got %v\n%s", err, done.Text)
	}
}

// TestNothingIsPublished where it must not be, or need not.
func TestNothingIsPublished(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*world){
		"private":                 func(w *world) { w.change.Private = true },
		"replaced":                func(w *world) { w.change.Current.Number = 3 },
		"a run that is not known": func(w *world) { delete(w.runs, 99) },
	} {
		w, c := newWorld(job("tests", "success")), &copier{out: copied()}
		w.publishing(c)
		edit(w)
		if _, err := w.ask(t); err != nil || len(c.batches) != 0 {
			t.Errorf("%s: got %v and %d batches, want none", name, err, len(c.batches))
		}
	}
}

// TestPublishesAllRuns: the message is about all of them, and who posts it
// publishes what it links.
func TestPublishesAllRuns(t *testing.T) {
	t.Parallel()
	w, c := newWorld(job("tests", "success")), &copier{out: copied()}
	w.publishing(c)
	w.runs[98] = change.Run{ID: 98, Status: "completed", Conclusion: "failure", Attempt: 3}
	w.jobs[98] = []change.Job{job("nvme on metal", "failure")}
	if _, err := w.ask(t, plan.Standing{Workflow: "hw.yml", Key: keyOf("hw.yml"), RunID: 98, Outcome: verdict.Failed}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range c.batches {
		got = append(got, b.Key.Workflow)
	}
	if diff := cmp.Diff([]string{"autorun.yml", "hw.yml"}, got); diff != "" || c.batches[1].Attempt != 3 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestARunIsReadOnce: a pass has read it already.
func TestARunIsReadOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(job("tests", "success"))
	w.with = func(_ *Reporter, q *Request) {
		q.Run, q.Attempt = change.Run{ID: 99, Status: "completed", Conclusion: "success", Attempt: 1}, 0
	}
	if done, err := w.ask(t); err != nil || done.Vote != 1 || w.reads != 0 {
		t.Errorf("got %+v, %v after %d reads, want none", done, err, w.reads)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	// Another change failed, and passed when it was run again.
	other := newWorld(job("tests", "failure"))
	other.change.Number = 8
	other.with = func(_ *Reporter, q *Request) {
		q.Key.Change = 8
		run := other.runs[99]
		run.Name = q.Key.String()
		other.runs[99] = run
		q.Standings = func(*change.Change) []plan.Standing { return []plan.Standing{{Key: q.Key, RunID: 99}} }
	}
	if _, err := other.ask(t); err != nil {
		t.Fatal(err)
	}
	run := other.runs[99]
	run.Attempt, other.runs[99] = 2, run
	other.jobs[99] = []change.Job{job("tests", "success")}
	with := other.with
	other.with = func(r *Reporter, q *Request) { with(r, q); q.Attempt = 2 }
	if _, err := other.ask(t); err != nil {
		t.Fatal(err)
	}
	for i := range other.change.Messages {
		other.change.Messages[i].At = now.Add(-24 * time.Hour)
	}
	for _, c := range []struct {
		conclusion string
		err        error
		hint       bool
	}{{"failure", nil, true}, {"success", nil, false}, {"failure", errors.New("502"), false}} {
		w, asked := newWorld(job("tests", c.conclusion)), 0
		w.with = func(r *Reporter, q *Request) {
			r.Now = func() time.Time { return now }
			r.Others = func(context.Context) ([]change.Change, error) {
				asked++
				return []change.Change{w.change, other.change}, c.err
			}
		}
		done, err := w.ask(t)
		hint := strings.Contains(done.Text, "Seen before:\n* `tests failed once on another change in the last 14 days, and passed later once`")
		if err != nil || !done.Voted || hint != c.hint || (asked > 0) != (c.conclusion == "failure") || (len(done.Warnings) > 0) != (c.err != nil) {
			t.Errorf("%+v: got %v, %d times asked, warnings %v\n%s", c, err, asked, done.Warnings, done.Text)
		}
	}
}
