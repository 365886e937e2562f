// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
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
	// Suggestion is the verb that a comment without commands seems to mean, or "".
	Suggestion Verb
}

// speaks reports whether a comment needs an answer.
func (p Parsed) speaks() bool { return len(p.Commands) > 0 || p.Suggestion != "" }

// asks reports whether a comment has a command of a verb.
func (p Parsed) asks(v Verb) bool {
	return slices.ContainsFunc(p.Commands, func(c Command) bool { return c.Verb == v })
}

// drop takes the commands of a verb out.
func (p *Parsed) drop(v Verb) {
	p.Commands = slices.DeleteFunc(p.Commands, func(c Command) bool { return c.Verb == v })
}

// keep takes all out but the commands of a verb.
func (p *Parsed) keep(v Verb) {
	p.Commands = slices.DeleteFunc(p.Commands, func(c Command) bool { return c.Verb != v })
	p.Suggestion, p.Left = "", 0
}

// Names are the names that a comment may use.
type Names struct {
	// Workflows are the configured ones, for "recheck NAME".
	Workflows []string
	// Bot are those of our own account: "@NAME recheck".
	Bot []string
}

// Parse reads a comment. A command is a whole line of its own that its author wrote
// (see spoken). Letter case, a full stop and emphasis do not matter; in back-quotes
// it is a command where the comment has no other words, and a sample otherwise.
func Parse(text string, names Names) Parsed {
	var p Parsed
	if len(text) > MaxComment {
		p.Cut = true
		text = text[:strings.LastIndexByte(text[:MaxComment], '\n')+1]
	}
	own, below := spoken(text)
	called := false
	for _, line := range own {
		line, code := plain(line)
		if !code || len(own) == 1 {
			c, ok, calls := parseLine(line, names)
			called = called || calls
			p.take(c, ok)
		}
	}
	switch {
	case len(p.Commands) > 0:
	case called:
		p.take(Command{Verb: Help}, true)
	case p.Cut:
	case len(own) > 0:
		first, _ := plain(own[0])
		p.Suggestion = suggest(first, len(own) == 1)
	case below != "":
		line, _ := plain(below)
		c, _, calls := parseLine(line, names)
		if p.Suggestion = c.Verb; calls {
			p.Suggestion = Help
		}
	}
	return p
}

// take adds a command, if it is one.
func (p *Parsed) take(c Command, ok bool) {
	switch {
	case !ok:
	case len(p.Commands) == MaxCommands:
		p.Left++
	default:
		p.Commands = append(p.Commands, c)
	}
}

// plain takes off a line what only makes it look nice: emphasis, or the
// back-quotes of a code span, and the stop at its end. One space is as good as
// another, or as many.
func plain(line string) (text string, code bool) {
	line = strings.Join(strings.Fields(line), " ")
	for {
		line = strings.TrimRightFunc(strings.TrimLeftFunc(line, blank), func(r rune) bool { return blank(r) || strings.ContainsRune(".!,;", r) })
		bare, mark := unwrap(line)
		if mark == "" {
			return line, code
		}
		line, code = bare, code || mark == "`"
	}
}

// unwrap takes off the marks that a line begins and ends with.
func unwrap(line string) (bare, mark string) {
	for _, mark := range []string{"**", "__", "*", "_", "`"} {
		if len(line) > 2*len(mark) && strings.HasPrefix(line, mark) && strings.HasSuffix(line, mark) && !strings.Contains(line[len(mark):len(line)-len(mark)], mark) {
			return line[len(mark) : len(line)-len(mark)], mark
		}
	}
	return line, ""
}

// blank reports whether a rune shows nothing: a space, or one that has no width.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }
