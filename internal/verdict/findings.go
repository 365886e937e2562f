// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"slices"
	"strings"
)

// MaxComments is how many comments on lines one verdict makes at most: more
// would bury the review.
const MaxComments = 20

// maxComment is how many lines of a finding are shown.
const maxComment = 10

// Severity says how bad a finding is.
type Severity int

// The severities, the worst first; they are the levels of GitHub's annotations.
const (
	Failure Severity = iota
	Warning
	Notice
)

// Finding is something that a job says, perhaps about a line of a file.
type Finding struct {
	// Places are those of its places that are in files of the patchset, the
	// likeliest first. Where there are none, Left says why.
	Places   []Place
	Left     Reason
	Severity Severity
	Text     string
	// Job is the name of the job or tool that found it.
	Job string
}

// Place is a line of a file of the patchset; 0 stands for the whole file.
type Place struct {
	Path string
	Line int
}

// Lines are the lines from First to Last of a file.
type Lines struct{ First, Last int }

// Changed are files of a patchset, each with the lines that it changes; nil allows
// comments on all lines. A file that is left out has none.
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
// its own lines, each thing once, the worst first, and no more than most and
// MaxComments. What is left out is counted.
func Comments(findings []Finding, changed Changed, most int, secrets []string) ([]Comment, Counts) {
	c := newCleaner(secrets)
	counts := Counts{Read: len(findings)}
	var fit []Finding
	for _, f := range findings {
		if why := changed.place(&f); why != Placed {
			counts.leave(why, 1)
			continue
		}
		fit = append(fit, f)
	}
	slices.SortStableFunc(fit, func(a, b Finding) int {
		x, y := a.Places[0], b.Places[0]
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Line, y.Line))
	})
	seen := map[Comment]bool{}
	var comments []Comment
	for _, f := range fit {
		at, body := f.Places[0], c.body(f.Text)
		id := Comment{Path: at.Path, Line: at.Line, Text: body}
		switch {
		case body == "":
			counts.leave(NoText, 1)
			continue
		case seen[id]:
			counts.leave(Repeated, 1)
			continue
		case len(comments) >= min(most, MaxComments):
			counts.leave(OverLimit, 1)
		default:
			comments = append(comments, Comment{Path: at.Path, Line: at.Line, Text: f.intro(c) + "\n\n" + body, Failure: f.Severity == Failure})
		}
		seen[id] = true
	}
	return comments, counts
}

// place leaves a finding the first of its places that is on a changed line, or
// says why there is none. A whole file is meant only where nothing before says a
// line of one of the patchset's files.
func (ch Changed) place(f *Finding) Reason {
	if len(f.Places) == 0 {
		return f.Left
	}
	why := UnknownLines
	for i, at := range f.Places {
		at.Line = max(at.Line, 0)
		lines, ok := ch[at.Path]
		on := func(l Lines) bool { return l.First <= at.Line && at.Line <= l.Last }
		switch {
		case !ok:
			continue
		case at.Line == 0 && i > 0:
			continue
		case at.Line == 0 || lines == nil || slices.ContainsFunc(lines, on):
			f.Places = []Place{at}
			return Placed
		}
		why = OtherLine
	}
	return why
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
