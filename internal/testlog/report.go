// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Report returns what was found so far, the first cause before what came of it.
func (r *Reader) Report() change.LogReport {
	report := change.LogReport{More: r.more, Around: slices.Clone(r.around), Stage: cmp.Or(r.stage.stack, r.stage.component)}
	list := r.told()
	// A test of Go fails with one below it.
	list = slices.DeleteFunc(list, func(f *failure) bool {
		return f.Test != "" && f.Text == "" && slices.ContainsFunc(list, func(other *failure) bool {
			return other.tool == "go" && strings.HasPrefix(other.Test, f.Test+"/")
		})
	})
	if f, ok := r.otherwise(); ok && !slices.ContainsFunc(list, func(f *failure) bool { return f.class != remark }) {
		report.Failures = append(report.Failures, f)
	}
	slices.SortStableFunc(list, func(a, b *failure) int { return cmp.Compare(a.weight(), b.weight()) })
	for _, f := range list {
		report.Failures = append(report.Failures, f.Failure)
	}
	for _, f := range list {
		if f.class == test && r.counts[f.tool] > 0 {
			report.Tests = r.counts[f.tool]
			break
		}
	}
	return report
}

// otherwise is what failed where no tool says that: a stage of SPDK's scripts, or
// what a program in Python raised.
func (r *Reader) otherwise() (f change.Failure, ok bool) {
	if f.Test = cmp.Or(r.stage.stack, r.stage.component); f.Test != "" {
		f.Path, f.Line, f.Text, f.Details = r.stage.at.Path, r.stage.at.Line, r.stage.at.Text, r.stage.before
		return f, true
	}
	if r.python.raised != nil {
		return *r.python.raised, true
	}
	return f, false
}

// told are the failures, and sections of pytest's report without a summary.
func (r *Reader) told() []*failure {
	list := slices.DeleteFunc(slices.Concat(r.found, r.ctest.unlisted()), func(f *failure) bool { return f.passed })
	for _, s := range r.python.noted {
		if s.Text == "" || slices.ContainsFunc(list, func(f *failure) bool { return f.tool == "pytest" }) || len(list) == maxFailures {
			continue
		}
		s.Failure.Test = s.title
		list = append(list, &failure{Failure: s.Failure, class: test, tool: "pytest", at: r.lines})
	}
	return list
}

// weight orders failures; those of the same weight stand as the log has them.
func (f *failure) weight() int {
	switch f.class {
	case build:
		if f.confirmed {
			return 0
		}
		return 2
	case test, crash:
		return 1
	}
	return 3
}
