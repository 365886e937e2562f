// SPDX-License-Identifier: BSD-3-Clause

package findings

import "github.com/spdk-community-ci/dispatcher/internal/change"

// ofRun is the path of annotations that are about a run and no file (GitHub's
// own, such as a time-out).
const ofRun = ".github"

// Annotations reads what a job attached to itself and to lines of files.
func Annotations(job change.Job) Report {
	c := newCollector(job.Name)
	for _, a := range job.Annotations {
		at := Place{a.Path, a.Line, a.EndLine}
		if a.Path == ofRun {
			at = Place{}
		}
		c.add(Finding{Severity: severityOf(a.Level), Title: a.Title, Text: a.Text}, at)
	}
	return c.Report
}

// severityOf reads GitHub's word for a level; what it does not know is a notice.
func severityOf(level string) Severity {
	switch level {
	case "failure":
		return Failure
	case "warning":
		return Warning
	default:
		return Notice
	}
}
