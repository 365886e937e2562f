// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes outside text fit for one line of a log: control characters,
// line ends and broken UTF-8 become spaces, runs of spaces become one, and what
// is longer than limit bytes is cut on a rune boundary.
func printable(s string, limit int) string {
	if len(s) > 4*limit { // enough for any mix of spaces; keeps the work bounded
		s = s[:4*limit]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// isOID reports whether s is an object id of SHA-1: 40 lower-case hex digits.
func isOID[T string | []byte](s T) bool {
	return len(s) == oidLen && isHex(s)
}

// oidLen is the length of a SHA-1 object id in hex.
const oidLen = 40

func isHex[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
