// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// MaxComments is how many comments on lines one verdict makes at most: more
// would bury the review.
const MaxComments = 20

// maxComment is how many lines of a finding are shown.
const maxComment = 10

// maxPath bounds the paths that are looked at, in bytes.
const maxPath = 1000

// Severity says how bad a finding is.
type Severity int

// The severities, the worst first; they are the levels of GitHub's annotations.
const (
	Failure Severity = iota
	Warning
	Notice
)

// Finding is something that a job says about a line of a file.
type Finding struct {
	// Path is relative to the repository's root, or absolute on the machine that
	// made it.
	Path string
	// Line counts from 1; 0 means the whole file.
	Line     int
	Severity Severity
	Text     string
	// Job is the name of the job that found it.
	Job string
}

// Lines are the lines from First to Last of a file.
type Lines struct{ First, Last int }

// Changed are the files of a patchset, each with the lines that it changes;
// nil where they are not known, which allows comments on all lines.
type Changed map[string][]Lines

// Comment is a comment on a line of a file of a patchset.
type Comment struct {
	Path string
	// Line counts from 1; 0 means the whole file.
	Line int
	Text string
	// Failure tells what broke the job from what is merely worth a look.
	Failure bool
}

// Comments chooses what to say on the lines of a patchset: only what is about
// its own lines, each thing once, the worst first, and at most MaxComments.
// The second result is how many more there would have been.
func Comments(findings []Finding, changed Changed, secrets []string) ([]Comment, int) {
	c := newCleaner(secrets)
	var fit []Finding
	for _, f := range findings {
		if f, ok := changed.locate(f); ok {
			fit = append(fit, f)
		}
	}
	slices.SortStableFunc(fit, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	seen := map[Comment]bool{}
	var comments []Comment
	more := 0
	for _, f := range fit {
		body := c.body(f.Text)
		id := Comment{Path: f.Path, Line: f.Line, Text: body}
		switch {
		case body == "" || seen[id]:
			continue
		case len(comments) == MaxComments:
			more++
		default:
			comments = append(comments, Comment{Path: f.Path, Line: f.Line, Text: f.intro(c) + "\n\n" + body, Failure: f.Severity == Failure})
		}
		seen[id] = true
	}
	return comments, more
}

// intro says who found what, in words of ours.
func (f Finding) intro(c cleaner) string {
	word := "Notice"
	switch f.Severity {
	case Failure:
		word = "Failure"
	case Warning:
		word = "Warning"
	}
	if f.Job == "" {
		return word + ":"
	}
	return word + " in " + c.span(f.Job) + ":"
}

// body returns a finding's text as a preformatted block.
func (c cleaner) body(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = c.pre(line); line == "" {
			continue
		}
		if len(lines) == maxComment {
			lines = append(lines, "    ...")
			break
		}
		lines = append(lines, "    "+line)
	}
	return strings.Join(lines, "\n")
}

// locate finds the file of the patchset that a finding is about, and reports
// whether the finding is about a line that the patchset changes.
func (ch Changed) locate(f Finding) (Finding, bool) {
	f.Line = max(f.Line, 0)
	if len(f.Path) > maxPath {
		return f, false
	}
	name := path.Clean(strings.TrimPrefix(f.Path, "file://"))
	lines, ok := ch[name]
	if !ok && path.IsAbs(name) {
		name, ok = ch.longestEnd(name)
		lines = ch[name]
	}
	f.Path = name
	if !ok || lines == nil || f.Line == 0 {
		return f, ok
	}
	return f, slices.ContainsFunc(lines, func(l Lines) bool { return l.First <= f.Line && f.Line <= l.Last })
}

// longestEnd returns the longest file name that an absolute one ends with: the
// place of a checkout on a runner is not known.
func (ch Changed) longestEnd(absolute string) (string, bool) {
	for end := absolute; ; {
		_, rest, ok := strings.Cut(end, "/")
		if !ok {
			return "", false
		}
		if _, ok := ch[rest]; ok {
			return rest, true
		}
		end = rest
	}
}
