// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"regexp"
	"strings"
)

const (
	maxScanned = 400 // lines of a text that are searched for a place
	maxLine    = 500 // bytes of such a line
)

// The two ways in which tools write a place: PATH:LINE, perhaps with a column,
// and Python's traceback.
var (
	pathLine   = regexp.MustCompile(`([^\s:"'()<>|,=]+):(\d{1,7})(?::\d{1,7})?(?:[:,)\s]|$)`)
	pythonLine = regexp.MustCompile(`File "([^"]+)", line (\d{1,7})`)
)

// place finds where a problem is best shown: where its element says, where its
// text says, or where the test is.
func (p *junit) place(t *testCase, q *problem) place {
	if q.file != "" {
		return place{path: q.file, line: q.line}
	}
	if at, ok := locate(q.message+"\n"+q.text.String(), p.roots); ok {
		return at
	}
	if t.file != "" {
		return place{path: t.file, line: t.line}
	}
	return place{path: p.suite().file}
}

// locate returns the first place in a text that is a file of the repository. In
// a Python traceback the last one counts: the innermost call is printed last.
// A bare file name says nothing about its folder, and is no place.
func locate(text string, roots []string) (at place, found bool) {
	scanned := 0
	for line := range strings.SplitSeq(text, "\n") {
		if scanned++; scanned > maxScanned {
			break
		}
		if len(line) > maxLine {
			line = line[:maxLine]
		}
		m := pythonLine.FindStringSubmatch(line)
		if m == nil {
			m = pathLine.FindStringSubmatch(line)
		}
		if m == nil || !strings.Contains(path.Base(m[1]), ".") {
			continue
		}
		clean, ok := cleanPath(m[1], roots)
		if !ok || !strings.Contains(clean, "/") || foreignCode(clean) {
			continue
		}
		if !found || strings.HasSuffix(clean, ".py") && strings.HasSuffix(at.path, ".py") {
			at, found = place{path: clean, line: number(m[2])}, true
		}
	}
	return at, found
}

// foreignCode reports whether a file belongs to a dependency.
func foreignCode(p string) bool {
	return strings.Contains(p, "site-packages/") || strings.Contains(p, "node_modules/")
}
