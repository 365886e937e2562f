// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clip shortens outside text to at most n bytes on a rune boundary for use in
// a message; it does not escape.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// OneLine makes outside text fit to be printed on a terminal or in a CI log:
// control, format and bidirectional characters become spaces, invalid bytes
// U+FFFD, and the marks that begin a workflow command ("::" at the start of a
// line and "##[" anywhere, in the runner's ActionCommand parser) are broken up.
func OneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	s = strings.ReplaceAll(strings.TrimSpace(s), "##[", "## [")
	if strings.HasPrefix(s, "::") {
		s = ": :" + s[2:]
	}
	return s
}
