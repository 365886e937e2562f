// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Lines tells which lines of a file a patchset changes, as pairs of the first and
// the last one.
type Lines interface {
	ChangedLines(ctx context.Context, a change.Address, rev change.Revision, path string) ([][2]int, error)
}

const (
	maxPlaces   = 20 // files whose changed lines are asked for
	commentTime = 2 * time.Minute
)

// found is what findings add to a message.
type found struct {
	comments []change.FileComment
	tests    []verdict.Tests
	counts   verdict.Counts
	// unread are texts about what was not read, damaged counts those that are
	// worth a warning.
	unread  []string
	damaged int
}

// commenting reports whether comments on lines are made.
func (g *gathering) commenting() bool { return g.q.Project.Report.Comments.Max > 0 && g.Lines != nil }

// findings reads what tests and analysers found: for comments on the lines that
// the patchset changes, and for the names of the tests that failed. What cannot be
// read is left out and told: a verdict is possible without.
func (g *gathering) findings(ctx context.Context, v verdict.Verdict) {
	if !g.wanted(v) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commentTime)
	defer cancel()
	for _, err := range g.q.Unread {
		g.unread(err.Error())
	}
	sources := g.sources(ctx, v)
	var reports []findings.Report
	for _, s := range sources {
		reports = append(reports, s.Report)
		failures := s.Failures()
		g.shorten(failures)
		t := verdict.Tests{Key: s.key, Job: s.job, Names: failedTests(s.Report), Failures: failures, Ran: s.Totals.Tests, Incomplete: s.More > 0}
		if len(t.Names)+len(t.Failures) > 0 && !s.remarks && !g.known(t) {
			g.found.tests = append(g.found.tests, t)
		}
	}
	for _, result := range all(v) {
		for _, j := range result.Jobs {
			reports = append(reports, findings.Log(j.Job).Without(reports...))
		}
	}
	merged := findings.Merge(reports...)
	g.found.comments, g.found.counts = g.comments(ctx, merged.Findings)
	g.found.counts.Drop(merged.More)
	g.found.counts.Unread = g.found.unread
}

// shorten names the patchset's files as people do, without the folders of a machine.
// A bare name stays: it may be that of another file.
func (g *gathering) shorten(list []change.Failure) {
	tree := findings.NewTree(g.change.Files)
	for i, f := range list {
		if file, match := tree.Find(f.Path); match == findings.Found && strings.Contains(f.Path, "/") {
			list[i].Path = file
		}
	}
}

// known reports whether another file says the same: a report may be handed in and
// be kept as an artifact as well.
func (g *gathering) known(t verdict.Tests) bool {
	return slices.ContainsFunc(g.found.tests, func(other verdict.Tests) bool {
		return other.Key == t.Key && other.Job == t.Job && other.Ran == t.Ran && slices.Equal(other.Names, t.Names) && len(other.Failures) == len(t.Failures)
	})
}

// failedTests are the names of the tests that a report calls failed.
func failedTests(r findings.Report) (names []string) {
	for _, f := range r.Findings {
		if f.Severity == findings.Failure && f.Test != "" {
			names = append(names, f.Test)
		}
	}
	return names
}

// comments makes comments on lines that the patchset changes.
func (g *gathering) comments(ctx context.Context, all []findings.Finding) ([]change.FileComment, verdict.Counts) {
	if !g.commenting() {
		n := verdict.Counts{Read: len(all)}
		n.Left[verdict.Off] = len(all)
		return nil, n
	}
	placed := g.placed(all)
	chosen, counts := verdict.Comments(placed, g.changed(ctx, placed), g.q.Project.Report.Comments.Max, g.Secrets)
	if more := counts.Left[verdict.OverLimit]; more > 0 {
		g.note(fmt.Sprintf("%d more remarks on changed lines have no comment of their own", more), "")
	}
	var comments []change.FileComment
	for _, c := range chosen {
		// Not Unresolved: that would block the change's submission.
		comments = append(comments, change.FileComment{Path: c.Path, Line: c.Line, Text: c.Text})
	}
	return comments, counts
}

// placed puts findings into the verdict's words, in the files of the patchset.
func (g *gathering) placed(found []findings.Finding) []verdict.Finding {
	tree := findings.NewTree(g.change.Files)
	tree.Learn(found)
	var all []verdict.Finding
	for _, f := range found {
		r := verdict.Finding{Severity: verdict.Notice, Text: f.Title + "\n" + f.Text, Job: f.Source, Left: verdict.NoPlace}
		for _, p := range f.Places {
			file, match := tree.Find(p.Path)
			switch {
			case match == findings.Found:
				r.Places = append(r.Places, verdict.Place{Path: file, Line: p.Line})
			case match == findings.Ambiguous:
				r.Left = verdict.Ambiguous
			case r.Left == verdict.NoPlace:
				r.Left = verdict.OtherFile
			}
		}
		switch f.Severity {
		case findings.Failure:
			r.Severity = verdict.Failure
		case findings.Warning:
			r.Severity = verdict.Warning
		}
		if f.Test != "" {
			r.Text = f.Test + "\n" + r.Text
		}
		all = append(all, r)
	}
	return all
}

// changed asks for the changed lines of the patchset's files that something was
// found in, those with the worst findings first. A file whose lines nobody can
// tell gets no comments.
func (g *gathering) changed(ctx context.Context, found []verdict.Finding) verdict.Changed {
	changed := verdict.Changed{}
	asked := map[string]bool{}
	for _, f := range found {
		for _, at := range f.Places {
			if !asked[at.Path] && len(asked) < maxPlaces {
				asked[at.Path] = true
				g.ask(ctx, changed, at.Path)
			}
		}
	}
	return changed
}

// ask asks for the changed lines of one file.
func (g *gathering) ask(ctx context.Context, changed verdict.Changed, path string) {
	pairs, err := g.Lines.ChangedLines(ctx, g.q.address(), g.change.Current.Revision, path)
	if err != nil {
		g.warn(fmt.Errorf("no comments on %s: %w", change.OneLine(path), err))
		return
	}
	lines := []verdict.Lines{} // not nil: known
	for _, p := range pairs {
		lines = append(lines, verdict.Lines{First: p[0], Last: p[1]})
	}
	changed[path] = lines
}
