// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Artifacts opens artifacts: zip files.
type Artifacts interface {
	Artifact(ctx context.Context, repository string, id int64) (io.ReadCloser, error)
}

// Lines tells which lines of a file a patchset changes, as pairs of the first and
// the last one.
type Lines interface {
	ChangedLines(ctx context.Context, number int, rev change.Revision, path string) ([][2]int, error)
}

// What is looked at for comments. A report file is small; an artifact that is
// not was made for something else.
const (
	maxArtifact    = 32 << 20 // bytes, as GitHub has it
	maxArtifacts   = 20
	maxReportFiles = 100
	maxReportBytes = 128 << 20 // unpacked, of one artifact
	maxPlaces      = 20        // files whose changed lines are asked for
	commentTime    = 2 * time.Minute
)

// comments makes comments on the lines that the patchset changes. What cannot be
// read is left out: a verdict is possible without.
func (g *gathering) comments(ctx context.Context, v verdict.Verdict) []change.FileComment {
	rules := g.q.Project.Report.Comments
	if rules.Max == 0 || g.Lines == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commentTime)
	defer cancel()
	reports := slices.Clone(g.q.Findings)
	for _, result := range slices.Concat(v.Required, v.Optional) {
		for _, j := range result.Jobs {
			reports = append(reports, findings.Annotations(j.Job, g.roots()))
		}
		reports = append(reports, g.reportFiles(ctx, result.Run)...)
	}
	found := findings.Merge(reports...).Findings
	chosen, more := verdict.Comments(remarks(found), g.changed(ctx, found), g.Secrets)
	if over := len(chosen) - rules.Max; over > 0 {
		chosen, more = chosen[:rules.Max], more+over
	}
	if more > 0 {
		g.note(fmt.Sprintf("%d more remarks on changed lines have no comment of their own", more), "")
	}
	var comments []change.FileComment
	for _, c := range chosen {
		// Not Unresolved: that would block the change's submission.
		comments = append(comments, change.FileComment{Path: c.Path, Line: c.Line, Text: c.Text})
	}
	return comments
}

// remarks puts findings into the verdict's words.
func remarks(found []findings.Finding) []verdict.Finding {
	var all []verdict.Finding
	for _, f := range found {
		r := verdict.Finding{Path: f.Path, Line: f.Line, Severity: verdict.Notice, Text: f.Title + "\n" + f.Text, Job: f.Source}
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
func (g *gathering) changed(ctx context.Context, found []findings.Finding) verdict.Changed {
	changed := verdict.Changed{}
	asked := map[string]bool{}
	for _, f := range found {
		if f.Path == "" || asked[f.Path] || len(asked) == maxPlaces || !slices.Contains(g.change.Files, f.Path) {
			continue
		}
		asked[f.Path] = true
		pairs, err := g.Lines.ChangedLines(ctx, g.change.Number, g.change.Current.Revision, f.Path)
		if err != nil {
			g.warn(fmt.Errorf("no comments on %s: %w", change.OneLine(f.Path), err))
			continue
		}
		lines := []verdict.Lines{} // not nil: known
		for _, p := range pairs {
			lines = append(lines, verdict.Lines{First: p[0], Last: p[1]})
		}
		changed[f.Path] = lines
	}
	return changed
}

// reportFiles reads the test reports in a run's artifacts, the smallest artifacts
// first.
func (g *gathering) reportFiles(ctx context.Context, run verdict.Run) []findings.Report {
	if g.Artifacts == nil || len(g.q.Project.Report.Comments.Files) == 0 {
		return nil
	}
	small := slices.DeleteFunc(slices.Clone(run.Artifacts), func(a change.Artifact) bool { return a.Expired || a.Size > maxArtifact })
	slices.SortStableFunc(small, func(a, b change.Artifact) int { return cmp.Compare(a.Size, b.Size) })
	var reports []findings.Report
	for _, a := range small[:min(len(small), maxArtifacts)] {
		list, err := g.reportsIn(ctx, a)
		if err != nil {
			g.warn(fmt.Errorf("failed to read test reports in the artifact %s: %w", change.OneLine(a.Name), err))
		}
		reports = append(reports, list...)
		if ctx.Err() != nil {
			break
		}
	}
	return reports
}

// reportsIn reads the test reports in one artifact.
func (g *gathering) reportsIn(ctx context.Context, a change.Artifact) ([]findings.Report, error) {
	r, err := g.Artifacts.Artifact(ctx, g.q.Project.CI.Repository, a.ID)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	z, err := publish.OpenArchive(r, "", 2*maxArtifact) // GitHub's word on its size may be off
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var reports []findings.Report
	left := int64(maxReportBytes)
	for _, f := range z.File {
		if len(reports) == maxReportFiles || left <= 0 || ctx.Err() != nil {
			break
		}
		if f.Mode().IsRegular() && matches(g.q.Project.Report.Comments.Files, f.Name) {
			file, err := f.Open()
			if err != nil {
				continue // damaged, or packed in a way that nobody knows
			}
			n := &counted{r: io.LimitReader(file, left)}
			reports = append(reports, ReadFindings(f.Name, n, g.roots()))
			left -= n.n
			file.Close()
		}
	}
	return reports, nil
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// ReadFindings reads a test report, SARIF or JUnit by its name. Of one that is
// damaged it returns what stands before the damage: a test that was killed leaves
// such a file.
func ReadFindings(name string, r io.Reader, o findings.Options) findings.Report {
	read := findings.JUnit
	if lower := strings.ToLower(name); strings.HasSuffix(lower, ".sarif") || strings.HasSuffix(lower, ".json") {
		read = findings.SARIF
	}
	report, _ := read(path.Base(name), r, o)
	return report
}

// roots are where the source may have been checked out to on the machines that
// ran the tests: GitHub's own, those in containers, and container actions.
func (g *gathering) roots() findings.Options { return Roots(g.q.Project.CI.Repository) }

// Roots are the folders that a job's source may be in.
func Roots(repository string) findings.Options {
	name := path.Base(repository)
	return findings.Options{Roots: []string{
		"/home/runner/work/" + name + "/" + name, "/__w/" + name + "/" + name, "/github/workspace",
	}}
}
