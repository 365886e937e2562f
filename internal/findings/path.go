// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is longer than any path that git can check out on Linux.
const maxPath = 4096

// cleanPlaces returns the places that have a path, cleaned, each once.
func cleanPlaces(all []Place) []Place {
	var places []Place
	for _, p := range all {
		clean, ok := cleanPath(p.Path)
		if !ok || len(places) == maxPlaces {
			continue
		}
		p = Place{Path: clean, Line: max(0, p.Line), EndLine: p.EndLine}
		if p.EndLine = max(p.Line, p.EndLine); p.Line == 0 {
			p.EndLine = 0
		}
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return places
}

// cleanPath writes a path with slashes and without drives, detours and leading
// "..": where it begins is not known anyhow. It refuses what no path has, and
// addresses of anything but files.
func cleanPath(p string) (string, bool) {
	if p = filePath(p); p == "" || len(p) > maxPath || !utf8.ValidString(p) || strings.ContainsFunc(p, notInPath) || hasScheme(p) {
		return "", false
	}
	p = strings.ReplaceAll(p, `\`, "/")
	if hasDrive(p) {
		p = p[2:]
	}
	p = path.Clean(p)
	for strings.HasPrefix(p, "../") {
		p = p[3:]
	}
	if hasDrive(p) || p == "." || p == ".." || p == "/" {
		return "", false
	}
	return p, true
}

// filePath returns the path of a file: URI (RFC 8089), and all else as it is.
func filePath(p string) string {
	if len(p) < 5 || !strings.EqualFold(p[:5], "file:") {
		return p
	}
	u, err := url.Parse(p)
	switch {
	case err != nil: // some tools escape nothing
		p = strings.TrimPrefix(p[5:], "//")
	case u.Opaque != "": // file:lib/nvme.c
		p = u.Opaque
	default:
		p = u.Path
	}
	if q := strings.TrimPrefix(p, "/"); hasDrive(q) { // file:///D:/a
		return q
	}
	return p
}

// schemed is an address, or a URI of another kind that cannot be a path, such
// as pkg:docker/debian.
var schemed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:(?://|[a-z]+/)`)

func hasScheme(p string) bool { return schemed.MatchString(p) }

// hasDrive reports whether a path begins with a drive of Windows.
func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z'
}

func notInPath(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
