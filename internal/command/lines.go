// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	// The lines that Gerrit puts before a message: which patchset, which votes, and
	// how many file comments came with it.
	headerLine = regexp.MustCompile(`^Patch Set \d+:`)
	countLine  = regexp.MustCompile(`^\(\d+ comments?\)$`)
	// The lines that mail programs put before a quote that they do not mark, in the
	// language of their user: Gerrit takes such a quote for part of the comment.
	wroteLine    = regexp.MustCompile(`(?i)^(?:on\s.{1,300}\s)?wrote:$|\S@\S{1,255}>[^<>]{0,30}:$`)
	originalLine = regexp.MustCompile(`(?i)^-{2,} ?(?:original|forwarded) message ?-{2,}$`)
	// fieldLine is a field of a mail's header.
	fieldLine = regexp.MustCompile(`^\*?\pL[\pL\pZ-]{0,20}:\*?[\s\pZ]`)
	// htmlLine opens a block whose text is a sample, a quote or hidden.
	htmlLine = regexp.MustCompile(`(?i)^<(pre|code|blockquote|!--)(?:[\s>]|$|--)`)
)

// headerFields is how many fields a quoted mail begins with: the author, first, the
// date, to whom and about what.
const headerFields = 4

// wrapped is the shortest line, in characters, after which a program would wrap a
// quote.
const wrapped = 50

// reader walks through a comment's lines.
type reader struct {
	lines []string
	// fence and html are what ends the block that was opened, or "".
	fence, html string
	// quote is the length of the quoted line before; 0 is none. A line right below
	// continues it (CommonMark, section 5.1), and is what mail programs make of a
	// long one.
	quote int
	// below is the first line right below a quote too short to be wrapped, or "".
	below string
	// code is the line on which an open code span ends.
	code int
	// wrote: the line before says that somebody else's words follow.
	wrote bool
}

// spoken returns the lines of a comment that are its author's own words: not a
// quote, not a block of code (fenced, four spaces, a tab, <pre>), not a code span
// of several lines, not what Gerrit puts before a message. below is the first line
// right below a quote too short to be wrapped, or "".
func spoken(text string) (own []string, below string) {
	r := reader{lines: strings.Split(text, "\n"), code: -1}
	first := true
	for i, line := range r.lines {
		line = strings.TrimRightFunc(line, blank)
		r.lines[i] = line
		if line == "" {
			r.quote = 0
			continue
		}
		header := first && headerLine.MatchString(line)
		first = false
		if header || r.foreign(i, line) {
			continue
		}
		_, line = cutIndent(line)
		if len(own) == 0 && countLine.MatchString(line) {
			continue
		}
		if originalLine.MatchString(line) || r.mailHeader(i) {
			return own, r.below
		}
		if r.wrote = wroteLine.MatchString(line); r.wrote {
			continue
		}
		own = append(own, line)
		r.code = r.spanEnd(i, line)
	}
	return own, r.below
}

// mailHeader reports whether line i begins the header of a mail that is quoted.
func (r *reader) mailHeader(i int) bool {
	fields := r.lines[i:]
	return len(fields) >= headerFields && strings.Contains(fields[0], "@") &&
		!slices.ContainsFunc(fields[:headerFields], func(line string) bool { return !fieldLine.MatchString(line) })
}

// foreign reports whether a line is somebody else's text or a sample.
func (r *reader) foreign(i int, line string) bool {
	indent, text := cutIndent(line)
	switch {
	case r.fence != "":
		if closesFence(line, r.fence) {
			r.fence = ""
		}
	case r.html != "":
		r.endHTML(text)
	case indent > 3:
	case strings.HasPrefix(text, ">"):
		r.quote, r.wrote = utf8.RuneCountInString(text), false
	case r.wrote: // all that follows, as it is not marked
	case i <= r.code:
	case r.opens(line, text):
		r.quote = 0
	case r.quote > 0:
		if r.quote < wrapped && r.below == "" {
			r.below = text
		}
	default:
		return false
	}
	return true
}

// opens reports whether a line opens a block.
func (r *reader) opens(line, text string) bool {
	if r.fence = opensFence(line); r.fence != "" {
		return true
	}
	m := htmlLine.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	if r.html = "</" + lower(m[1]) + ">"; m[1] == "!--" {
		r.html = "-->"
	}
	r.endHTML(text)
	return true
}

func (r *reader) endHTML(text string) {
	if strings.Contains(lower(text), r.html) {
		r.html = ""
	}
}

// spanEnd returns the line on which a code span ends that begins on line i, or -1
// (CommonMark, section 6.1: a span ends with as many back-quotes as it begins with,
// in the same paragraph).
func (r *reader) spanEnd(i int, line string) int {
	for line != "" {
		_, rest, found := strings.Cut(line, "`")
		if !found {
			return -1
		}
		line = strings.TrimLeft(rest, "`")
		n := len(rest) - len(line) + 1
		if after, ok := closesSpan(line, n); ok {
			line = after
			continue
		}
		for j := i + 1; j < len(r.lines) && strings.TrimFunc(r.lines[j], blank) != ""; j++ {
			if _, ok := closesSpan(r.lines[j], n); ok {
				return j
			}
		}
	}
	return -1
}

// closesSpan finds n back-quotes in a row, no more and no less, and returns what
// follows.
func closesSpan(line string, n int) (after string, ok bool) {
	for {
		_, rest, found := strings.Cut(line, "`")
		if !found {
			return "", false
		}
		line = strings.TrimLeft(rest, "`")
		if len(rest)-len(line)+1 == n {
			return line, true
		}
	}
}

// cutIndent cuts a line's leading blanks; a tab reaches the next fourth column.
func cutIndent(line string) (indent int, rest string) {
	for i := range len(line) {
		switch line[i] {
		case ' ':
			indent++
		case '\t':
			indent += 4 - indent%4
		default:
			return indent, line[i:]
		}
	}
	return indent, ""
}

// fenceRun returns the marks that a fence line begins with, and what follows.
func fenceRun(line string) (run, rest string) {
	indent, line := cutIndent(line)
	if indent > 3 || line == "" || line[0] != '`' && line[0] != '~' {
		return "", ""
	}
	rest = strings.TrimLeft(line, line[:1])
	if run = line[:len(line)-len(rest)]; len(run) < 3 {
		return "", ""
	}
	return run, rest
}

// opensFence returns the marks of the fence that a line opens, or "". After
// back-quotes there must be no more of them, or it is code within a line.
func opensFence(line string) string {
	run, rest := fenceRun(line)
	if run != "" && run[0] == '`' && strings.Contains(rest, "`") {
		return ""
	}
	return run
}

// closesFence reports whether a line ends the block that fence opened: the same
// marks, as many or more, and nothing else (CommonMark, section 4.5).
func closesFence(line, fence string) bool {
	run, rest := fenceRun(line)
	return strings.HasPrefix(run, fence) && strings.Trim(rest, " \t") == ""
}
