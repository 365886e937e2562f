// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/testlog"
)

// told returns what the log of a job says of failures. Where nobody has read the
// whole, its remarks and the end of its log have to do.
func told(j change.Job) change.LogReport {
	if len(j.Told.Failures)+len(j.Told.Around) > 0 {
		return j.Told
	}
	var r testlog.Reader
	for _, a := range j.Annotations[:min(len(j.Annotations), maxRemarks)] {
		if a.Level == "failure" && !isBare(strings.TrimSpace(a.Text)) {
			for line := range strings.SplitSeq(change.Clip(a.Text, maxRaw), "\n") {
				r.Line([]byte(line))
			}
		}
	}
	for _, line := range tail(j.LogTail, maxTail) {
		if text, ok := logText(line); ok {
			r.Line([]byte(text))
		}
	}
	return r.Report()
}

// failures returns what failed in a job: the tests of its test reports, or else of
// its log, what the log says beside tests, and the findings of analysers. more counts those that nobody kept.
func (m Message) failures(run RunResult, j change.Job) (list []change.Failure, more int) {
	log := told(j)
	var beside []change.Failure
	for _, t := range m.Tests {
		if t.Key != run.Run.Key || t.Job != j.Name || j.Name == "" {
			continue
		}
		for _, f := range t.Failures {
			if f.Test == "" {
				beside = append(beside, f)
			} else {
				list = append(list, f)
			}
		}
	}
	reported := len(list) > 0
	for _, f := range log.Failures {
		if f.Test == "" || !reported {
			list = append(list, f)
		}
	}
	return append(list, beside...), log.More
}

// excerpt returns the lines that tell best why a job did not pass, raw: its remarks
// on lines of files, what failed in it, its other remarks; or else the end of its
// log, as the second result tells.
func (m Message) excerpt(run RunResult, j change.Job) (lines []string, fromLog bool) {
	failures, more := m.failures(run, j)
	failures = slices.DeleteFunc(failures, func(f change.Failure) bool {
		return f.Path == "" && f.Text == "" || remarked(j.Annotations, f)
	})
	if lines := around(j); len(failures) == 0 && len(lines) > 0 && len(remarks(j.Annotations, false)) == 0 {
		return lines, true
	}
	if len(failures) == 0 {
		return excerpt(j)
	}
	lines = remarks(j.Annotations, true)
	lines = append(lines, explain(failures, more, maxExcerpt-len(lines))...)
	if stage := told(j).Stage; stage != "" && len(lines) < maxExcerpt && !slices.ContainsFunc(failures, func(f change.Failure) bool { return f.Test == stage }) {
		lines = append(lines, "Execution failed at "+stage) // as people at SPDK say it
	}
	return lines, false
}

// around returns the lines around the first that says that something had failed.
func around(j change.Job) (lines []string) {
	for _, line := range told(j).Around {
		if text, ok := logText(line); ok {
			lines = append(lines, text)
		}
	}
	return lines
}

// remarked reports whether an annotation is on the same line as a failure.
func remarked(all []change.Annotation, f change.Failure) bool {
	return f.Line > 0 && slices.ContainsFunc(all[:min(len(all), maxRemarks)], func(a change.Annotation) bool {
		return a.Level == "failure" && a.Line == f.Line && path.Base(a.Path) == path.Base(f.Path)
	})
}

// explain writes failures in at most so many lines: each in one, what explains it
// below as far as there is room, and how many more there are.
func explain(failures []change.Failure, more, most int) (lines []string) {
	if most <= 0 {
		return nil
	}
	shown := min(len(failures), most)
	if more += len(failures) - shown; more > 0 && shown == most {
		shown, more = shown-1, more+1
	}
	room := most - shown
	if more > 0 {
		room--
	}
	named := 0
	for _, f := range failures {
		if f.Test != "" {
			named++
		}
	}
	for _, f := range failures[:shown] {
		if named == 1 && f.Text != "" { // which the line before has
			f.Test = ""
		}
		lines = append(lines, failureLine(f))
		n := min(len(f.Details), room)
		for _, line := range f.Details[:n] {
			lines = append(lines, "  "+line)
		}
		room -= n
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// failureLine writes a failure as compilers do: the place, and what is wrong there,
// without what names the file again.
func failureLine(f change.Failure) string {
	var parts []string
	if f.Path != "" {
		at := change.Annotation{Path: f.Path, Line: f.Line}
		parts = append(parts, place(at))
		f.Test = strings.TrimPrefix(f.Test, f.Path+"::") // pytest
		f.Text = withoutPlace(f.Text, at)
	}
	for _, text := range []string{f.Test, f.Text} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ": ")
}
