// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// Artifacts opens artifacts: zip files.
type Artifacts interface {
	Artifact(ctx context.Context, repository string, id int64) (io.ReadCloser, error)
}

// What is looked at for test reports. A report file is small; an artifact that is
// not was made for something else.
const (
	maxArtifact    = 32 << 20 // bytes, as GitHub has it
	maxArtifacts   = 20
	maxReportFiles = 100
	maxReportBytes = 128 << 20 // unpacked, of one artifact
)

// source is a test report of a run.
type source struct {
	findings.Report
	key change.Key
	// job is the one that the report is of, "" where nothing tells.
	job string
	// remarks: they are a job's annotations, which the verdict has anyhow.
	remarks bool
}

// wanted reports whether test reports are worth their reading: for comments, or
// for the names of tests where a job failed.
func (g *gathering) wanted(v verdict.Verdict) bool {
	if g.commenting() {
		return true
	}
	return slices.ContainsFunc(all(v), func(r *verdict.RunResult) bool {
		return slices.ContainsFunc(r.Jobs, func(j verdict.JobResult) bool { return j.Outcome == verdict.Failed || j.Outcome == verdict.TimedOut })
	})
}

// sources reads the annotations and test reports of all runs.
func (g *gathering) sources(ctx context.Context, v verdict.Verdict) (list []source) {
	for _, result := range all(v) {
		key := result.Run.Key
		if key == g.q.Key { // the caller's files are of the run that it is part of
			for _, r := range g.q.Findings {
				list = append(list, source{Report: r, key: key, job: jobOf(result.Jobs, "")})
			}
		}
		for _, j := range result.Jobs {
			list = append(list, source{Report: findings.Annotations(j.Job), key: key, job: j.Job.Name, remarks: true})
		}
		if g.Artifacts != nil && len(g.q.Project.Report.Comments.Files) > 0 {
			list = append(list, g.reportFiles(ctx, result)...)
		}
	}
	return list
}

// reportFiles reads the test reports in a run's artifacts, the smallest artifacts
// first.
func (g *gathering) reportFiles(ctx context.Context, result *verdict.RunResult) (list []source) {
	small := slices.DeleteFunc(slices.Clone(result.Run.Artifacts), func(a change.Artifact) bool { return a.Expired })
	slices.SortStableFunc(small, func(a, b change.Artifact) int { return cmp.Compare(a.Size, b.Size) })
	for i, a := range small {
		switch {
		case a.Size > maxArtifact:
			g.unread(fmt.Sprintf("the artifact %s was not searched: it is larger than %d MB", a.Name, maxArtifact>>20))
			continue
		case i >= maxArtifacts:
			g.unread(fmt.Sprintf("the artifact %s was not searched: it is not among the %d smallest", a.Name, maxArtifacts))
			continue
		case ctx.Err() != nil:
			g.unread(fmt.Sprintf("the artifact %s was not searched: there was no time left", a.Name))
			continue
		}
		reports, err := g.reportsIn(ctx, a)
		if err != nil {
			g.damaged(fmt.Errorf("failed to read test reports in the artifact %s: %w", change.OneLine(a.Name), err))
		}
		job := jobOf(result.Jobs, a.Name)
		for _, r := range reports {
			list = append(list, source{Report: r, key: result.Run.Key, job: job})
		}
	}
	return list
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
		if !f.Mode().IsRegular() || !matches(g.q.Project.Report.Comments.Files, f.Name) {
			continue
		}
		switch {
		case len(reports) == maxReportFiles:
			return reports, fmt.Errorf("only the first %d were read", maxReportFiles)
		case left <= 0:
			return reports, fmt.Errorf("only the first %d MB were read", maxReportBytes>>20)
		case ctx.Err() != nil:
			return reports, fmt.Errorf("only the first %d were read: %w", len(reports), ctx.Err())
		}
		report, n, err := readZipped(f, left)
		if err != nil {
			g.damaged(fmt.Errorf("the test report %s in the artifact %s: %w", change.Clip(change.OneLine(f.Name), 200), change.OneLine(a.Name), err))
		}
		reports, left = append(reports, report), left-n
	}
	return reports, nil
}

// readZipped reads a test report out of a zip file, and returns how many bytes of
// it were unpacked.
func readZipped(f *zip.File, most int64) (findings.Report, int64, error) {
	file, err := f.Open()
	if err != nil {
		return findings.Report{}, 0, err // damaged, or packed in a way that nobody knows
	}
	defer file.Close()
	n := &counted{r: io.LimitReader(file, most)}
	report, err := findings.Read(path.Base(f.Name), n)
	return report, n.n, err
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

// maxDamaged bounds the warnings about test reports.
const maxDamaged = 10

// damaged warns of a test report that could not be read, or not to its end.
func (g *gathering) damaged(err error) {
	g.unread(err.Error())
	switch g.found.damaged++; {
	case g.found.damaged <= maxDamaged:
		g.warn(err)
	case g.found.damaged == maxDamaged+1:
		g.warn(errors.New("more test reports could not be read; the summary names them"))
	}
}

// unread notes for the summary what was not read.
func (g *gathering) unread(text string) {
	const most = 1000
	if len(g.found.unread) < most {
		g.found.unread = append(g.found.unread, text)
	}
}
