// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Publisher copies what a run left behind to where readers without a GitHub
// account find it. What it returns is valid with an error, too.
type Publisher interface {
	Publish(ctx context.Context, b publish.Batch) (publish.Published, error)
}

// publish copies the results of all runs that a message is about, and reports
// whether it tried. What goes wrong is told in the message: it costs no verdict.
func (g *gathering) publish(ctx context.Context, v verdict.Verdict) bool {
	if g.Publisher == nil || g.change.Private {
		return false // an address can be guessed
	}
	tried := false
	g.open = map[int64]bool{}
	for _, result := range all(v) {
		b, some := g.batch(result)
		if !some {
			continue
		}
		tried = true
		out, err := g.Publisher.Publish(ctx, b)
		if err != nil {
			g.warn(fmt.Errorf("failed to publish the results of %s: %w", b.Key, err))
			g.note("the artifacts could not be published", err.Error())
			break // the others would fare no better
		}
		for _, l := range out.Links() {
			g.links = append(g.links, verdict.Link(l))
		}
		for i, item := range out.Artifacts {
			g.open[b.Artifacts[i].ID] = item.Whole()
		}
		if problems := out.Problems(); len(problems) > 0 {
			g.warn(fmt.Errorf("some results of %s were not published: %s", b.Key, strings.Join(problems[:min(len(problems), maxProblems)], "; ")))
			g.note(fmt.Sprintf("%d of %d artifacts and logs could not be published as a whole", len(problems), len(out.Artifacts)+len(out.Logs)), problems[0])
		}
	}
	return tried
}

// maxProblems is how many of a run's problems a warning names.
const maxProblems = 10

// all are the runs that a message is about.
func all(v verdict.Verdict) (runs []*verdict.RunResult) {
	for _, list := range [][]verdict.RunResult{v.Required, v.Optional} {
		for i := range list {
			runs = append(runs, &list[i])
		}
	}
	return runs
}

// leaveOut takes the artifacts out of a verdict that everybody can open now: a
// second link to one that needs an account would only be in the way.
func (g *gathering) leaveOut(v verdict.Verdict) {
	for _, result := range all(v) {
		result.Run.Artifacts = slices.DeleteFunc(slices.Clone(result.Run.Artifacts), func(a change.Artifact) bool { return g.open[a.ID] })
	}
}

// batch chooses what is copied of a run.
func (g *gathering) batch(result *verdict.RunResult) (b publish.Batch, some bool) {
	run, rules := result.Run, g.q.Project.Report.Publish
	if result.Outcome == verdict.Running || run.Run.ID == 0 {
		return b, false
	}
	b = publish.Batch{
		Project: g.q.Project.Name, Subject: g.change.Subject, Key: run.Key,
		Repository: g.q.Project.CI.Repository, Run: run.Run, Attempt: run.Attempt,
	}
	if g.ChangeURL != nil {
		b.ChangeURL = g.ChangeURL(b.Project, g.change.Number)
	}
	for _, a := range run.Artifacts {
		if matches(rules.Artifacts, a.Name) {
			b.Artifacts = append(b.Artifacts, a)
		}
	}
	for _, j := range result.Jobs {
		if rules.Logs && hasLog(j.Job) {
			b.Jobs = append(b.Jobs, j.Job)
		}
	}
	return b, len(b.Artifacts)+len(b.Jobs) > 0
}

// hasLog leaves out jobs that never ran, and those of which only the result is
// known.
func hasLog(j change.Job) bool {
	return j.ID > 0 && j.Conclusion != "" && j.Conclusion != "skipped" && j.Runner != ""
}

// matches reports whether one of the globs fits; config has checked them.
func matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := doublestar.Match(glob, name)
		return ok && err == nil
	})
}

// warn keeps what a person should mend, although the report was posted.
func (g *gathering) warn(err error) { g.warnings = append(g.warnings, err) }

func (g *gathering) note(text, detail string) {
	g.notes = append(g.notes, verdict.Note{Text: text, Detail: detail})
}
