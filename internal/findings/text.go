// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// escapes are a terminal's control sequences: CSI, OSC and two-byte ones
// (ECMA-48, section 5.4 and 8.3).
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_])")

// cleanText makes a text of many lines fit for people: no colours, no control
// or invisible characters but line ends and tabs, valid UTF-8.
func cleanText(s string) string {
	s = escapes.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2028', r == '\u2029':
			return '\n'
		case r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)):
			return -1
		}
		return r
	}, s)
	return strings.Trim(strings.TrimRight(s, " \t\n"), "\n")
}

// oneLine makes a text fit for one line of at most n bytes.
func oneLine(s string, n int) string {
	return change.Clip(change.OneLine(escapes.ReplaceAllString(change.Clip(s, 4*n), "")), n)
}

// justPlace is a line that only says where (gtest begins its messages so).
var justPlace = regexp.MustCompile(`^[^\s:]+:\d+:?$`)

// split cuts a text into the first line that says something and what follows
// it; head is empty, and rest is all, where there is no such line.
func split(s string) (head, rest string) {
	for line, after := "", s; after != ""; {
		line, after, _ = strings.Cut(after, "\n")
		if line = strings.TrimSpace(line); line != "" && !justPlace.MatchString(line) {
			return line, after
		}
	}
	return "", s
}

// clipText cuts out the middle of a long text: tools say what went wrong first
// (gtest) or last (pytest).
func clipText(s string) string {
	const mark = "\n[...]\n"
	if len(s) <= MaxText {
		return s
	}
	head, tail := MaxText/4, len(s)-(MaxText*3/4-len(mark))
	for !utf8.RuneStart(s[head]) {
		head--
	}
	for !utf8.RuneStart(s[tail]) {
		tail++
	}
	return strings.TrimRight(s[:head], "\n") + mark + strings.TrimLeft(s[tail:], "\n")
}
