// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// started is told of each attempt of a run that GitHub starts.
func (w *world) started(g github.Run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, ok := change.KeyOfRun(g.Title)
	i := slices.IndexFunc(w.changes, func(c *subject) bool { return c.Number() == key.Change && c.site.name == g.Inputs["project"] })
	if !ok || i < 0 || !slices.ContainsFunc(w.config.workflows(), func(f workflow) bool { return f.file == key.Workflow && f.file == g.Workflow }) {
		w.violates("R4", "%s was started as %q, which is the key of nothing", g.Workflow, g.Title)
		return
	}
	r := w.runs[g.ID]
	if r == nil {
		r = &run{id: g.ID, key: key, on: w.changes[i]}
	}
	w.onStart(r, g)
	w.runs[g.ID] = r
	r.attempts = append(r.attempts, &attempt{begun: w.clock.Now(), means: going})
}

// ordered returns the runs that a test accepts, oldest first.
func (w *world) ordered(accept func(*run) bool) []*run {
	var list []*run
	for _, r := range w.runs {
		if accept(r) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *run) int { return cmp.Compare(a.id, b.id) })
	return list
}

// of returns the runs of a workflow for a patchset, oldest first.
func (w *world) of(c *subject, patchset int, file string) []*run {
	return w.ordered(func(r *run) bool {
		return r.on == c && r.key.Patchset == patchset && r.key.Workflow == file
	})
}

func (r *run) last() *attempt { return r.attempts[len(r.attempts)-1] }

func (r *run) String() string {
	return fmt.Sprintf("%s (run %d, attempt %d)", r.key, r.id, len(r.attempts))
}

// place names an attempt by what stays the same when other events are taken out.
func (r *run) place() string {
	return fmt.Sprintf("%s/%d/%s/%d.%d", r.on.name, r.key.Patchset, r.key.Workflow, r.key.Attempt, len(r.attempts))
}

var cancelling = regexp.MustCompile(`/actions/runs/([0-9]+)/(?:force-)?cancel$`)

// served is told what a server answered: a cancel that was accepted is noted, and
// a request about a change names it by its project.
func (w *world) served(r *http.Request, resp *http.Response) {
	w.addressed(r)
	m := cancelling.FindStringSubmatch(r.URL.Path)
	if m == nil || resp.StatusCode != http.StatusAccepted {
		return
	}
	id, _ := strconv.ParseInt(m[1], 10, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	if run := w.runs[id]; run != nil && run.last().stopped.IsZero() {
		run.last().stopped = w.clock.Now()
	}
}

// settle notes the runs that ended without an event: by a cancel of ours.
func (w *world) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.github.Runs() {
		if r := w.runs[g.ID]; r != nil && g.Status == "completed" && r.last().means == going {
			w.conclude(r, nothing, "cancelled by the dispatcher")
		}
	}
}

func (w *world) conclude(r *run, means truth, how string) {
	a := r.last()
	a.ended, a.means, a.how = w.clock.Now(), means, how
	r.on.touched = a.ended
	r.on.news++
}

// unfinished returns the runs that go on, oldest first.
func (w *world) unfinished() []*run {
	return w.ordered(func(r *run) bool { return r.last().means == going })
}

// begin lets a run have jobs. Every other one has a job that outlives a cancel,
// as "if: always()" does.
func (w *world) begin(r *run) {
	now := w.clock.Now()
	always := draw(w.history.seed, "always "+r.place()).name == "pass"
	w.github.SetJobs(r.id,
		github.Job{Name: "unit", Status: "in_progress", Started: now, Runner: "runner-1"},
		github.Job{Name: "docs", Status: "queued", Started: now},
		github.Job{Name: "report", Status: "queued", Started: now, Always: always})
}

// finish lets a run end in a way. One that the dispatcher has stopped has been
// cancelled, whatever else was to become of it.
func (w *world) finish(r *run, how way) {
	if !r.last().stopped.IsZero() {
		how, _ = wayOf("cancelled")
	}
	now := w.clock.Now()
	jobs := how.listed(now)
	if len(jobs) > 0 || len(w.github.Jobs(r.id, len(r.attempts))) > 0 {
		w.github.SetJobs(r.id, jobs...)
	}
	if how.conclusion != "" {
		w.github.SetRunState(r.id, "completed", how.conclusion)
	}
	w.conclude(r, how.means, how.name)
}

// reports lets a run's own last job report before the run ends. It is told the
// results of the other jobs as "needs", or, in every other run, nothing.
func (w *world) reports(r *run, how way) {
	if !r.last().stopped.IsZero() || how.needs[0] == "" {
		w.finish(r, how)
		return
	}
	jobs := append(how.listed(w.clock.Now()), github.Job{Name: "report", Status: "in_progress", Started: w.clock.Now(), Runner: "runner-1"})
	w.github.SetJobs(r.id, jobs...)
	vars := map[string]string{"GITHUB_RUN_ID": strconv.FormatInt(r.id, 10), "GITHUB_RUN_ATTEMPT": strconv.Itoa(len(r.attempts)), "GITHUB_JOB": "report"}
	maps.Copy(w.env, vars)
	args := []string{"report", "--key", r.key.String()}
	if draw(w.history.seed, "needs "+r.place()).name == "pass" {
		args = append(args, "--needs", fmt.Sprintf(`{"unit": {"result": %q, "outputs": {}}, "docs": {"result": %q, "outputs": {}}}`, how.needs[0], how.needs[1]))
	}
	w.reporting = true
	p := w.dispatch("report", args, &wire{})
	w.reporting = false
	for name := range vars {
		delete(w.env, name)
	}
	w.clock.advance(10 * time.Second)
	w.finish(r, how)
	w.afterPass(p)
}

// violation is a rule that was broken.
type violation struct {
	rule, text string
	step       int
}

func (v violation) String() string { return fmt.Sprintf("%s at step %d: %s", v.rule, v.step, v.text) }

var particular = regexp.MustCompile(`[0-9]+|[a-z]+\.yml`)

// shape is the violation without what differs from one history to the next.
func (v violation) shape() string {
	first, _, _ := strings.Cut(v.text, "\n")
	return v.rule + ": " + particular.ReplaceAllString(first, "N")
}

// violates notes that a rule is broken, once for each rule and place.
func (w *world) violates(rule, format string, args ...any) {
	v := violation{rule, fmt.Sprintf(format, args...), w.step}
	same := func(old violation) bool { return old.rule == v.rule && old.text == v.text }
	if !slices.ContainsFunc(w.broken, same) {
		w.broken = append(w.broken, v)
	}
}
