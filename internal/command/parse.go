// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"regexp"
	"strings"
	"unicode"
)

const (
	// MaxComment is how many bytes of a comment are looked at. Gerrit's own
	// default limit is 16 KiB.
	MaxComment = 64 << 10
	// MaxCommands is how many commands of one comment are carried out.
	MaxCommands = 5
)

// Parsed is what a comment asks for.
type Parsed struct {
	// Commands stand in the order in which they were written.
	Commands []Command
	// Left counts the commands beyond MaxCommands.
	Left int
	// Cut is set when the comment is longer than MaxComment; only whole lines
	// before that were read.
	Cut bool
	// Suggestion is the verb that the comment's only line narrowly misses, or "".
	Suggestion Verb
}

// The lines that Gerrit puts before a message: which patchset, which votes, and
// how many file comments came with it.
var (
	headerLine = regexp.MustCompile(`^Patch Set \d+:`)
	countLine  = regexp.MustCompile(`^\(\d+ comments?\)$`)
)

// Parse reads a comment. A command is a whole line of its own: not in a quote
// (a line that begins with '>'), not in a fenced block, not preformatted (four
// spaces or a tab). workflows are the names that "recheck NAME" may use.
func Parse(text string, workflows []string) Parsed {
	var p Parsed
	if len(text) > MaxComment {
		p.Cut = true
		text = text[:strings.LastIndexByte(text[:MaxComment], '\n')+1]
	}
	fence, first, only, spoken := "", true, "", 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" {
			continue
		}
		header := first && headerLine.MatchString(line)
		first = false
		switch {
		case fence != "":
			if closesFence(line, fence) {
				fence = ""
			}
			continue
		case header, quoted(line):
			continue
		}
		if fence = opensFence(line); fence != "" {
			continue
		}
		_, line = cutIndent(line)
		if spoken == 0 && countLine.MatchString(line) {
			continue
		}
		spoken++
		only = line
		p.take(line, workflows)
	}
	if spoken == 1 && len(p.Commands) == 0 && !p.Cut {
		p.Suggestion = suggest(only)
	}
	return p
}

// take adds the line's command, if it is one.
func (p *Parsed) take(line string, workflows []string) {
	c, ok := parseLine(line, workflows)
	switch {
	case !ok:
	case len(p.Commands) == MaxCommands:
		p.Left++
	default:
		p.Commands = append(p.Commands, c)
	}
}

// quoted reports whether a line is somebody else's text or sample text.
func quoted(line string) bool {
	indent, rest := cutIndent(line)
	return indent > 3 || strings.HasPrefix(rest, ">")
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
