// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Log takes what a job's log says of failures at a place.
func Log(job change.Job) Report {
	c := newCollector(job.Name)
	for _, f := range job.Told.Failures {
		if f.Path != "" {
			c.add(Finding{Severity: Failure, Test: f.Test, Title: f.Text, Text: strings.Join(f.Details, "\n")}, Place{Path: f.Path, Line: f.Line})
		}
	}
	return c.report()
}

// Without leaves out what others say of the same line: a log repeats what test
// reports and annotations say better. Of folders each may know another part.
func (r Report) Without(others ...Report) Report {
	type spot struct {
		name string
		line int
	}
	said := map[spot]bool{}
	for _, other := range others {
		for _, f := range other.Findings {
			for _, p := range f.Places {
				said[spot{path.Base(p.Path), p.Line}] = true
			}
		}
	}
	all := r.Findings
	r.Findings = nil
	for _, f := range all {
		if at := f.first(); !said[spot{path.Base(at.Path), at.Line}] {
			r.Findings = append(r.Findings, f)
		}
	}
	return r
}

// Failures are those findings that are failures, without what explains them.
func (r Report) Failures() (list []change.Failure) {
	for _, f := range r.Findings {
		if f.Severity == Failure {
			at := f.first()
			list = append(list, change.Failure{Test: f.Test, Path: at.Path, Line: at.Line, Text: f.Title})
		}
	}
	return list
}
