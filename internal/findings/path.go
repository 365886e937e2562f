// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is longer than any path that git can check out on Linux.
const maxPath = 4096

// cleanPath makes a path relative to the repository's root. It refuses what
// stays absolute, leads out, or holds what no path has.
func cleanPath(p string, roots []string) (string, bool) {
	if p == "" || len(p) > maxPath || !utf8.ValidString(p) || strings.ContainsFunc(p, notInPath) {
		return "", false
	}
	p = path.Clean(strings.ReplaceAll(p, `\`, "/"))
	for _, root := range roots {
		if below, ok := strings.CutPrefix(p, root); ok {
			p = below
			break
		}
	}
	if p == "." || p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") || hasDrive(p) {
		return "", false
	}
	return p, true
}

// cleanRoots makes roots comparable: slashes, and one at the end.
func cleanRoots(roots []string) []string {
	var clean []string
	for _, r := range roots {
		r = path.Clean(strings.ReplaceAll(r, `\`, "/"))
		if r != "/" && (strings.HasPrefix(r, "/") || hasDrive(r)) {
			clean = append(clean, r+"/")
		}
	}
	return clean
}

// hasDrive reports whether a path begins with a drive of Windows.
func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z'
}

func notInPath(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
