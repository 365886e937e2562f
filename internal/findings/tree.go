// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"slices"
	"strings"
)

// Match says what came of the search for a path among a patchset's files.
type Match int

// The matches, the better the greater.
const (
	// Elsewhere: no file of the patchset, or one that only has the same name.
	Elsewhere Match = iota
	// Ambiguous: more than one file of the patchset fits as well.
	Ambiguous
	// Found: one file fits best.
	Found
)

// Tree finds the files of a patchset by what machines and tools call them: the
// folders that they were checked out to, mounted at or built in are not known.
type Tree struct {
	files map[string][][]string // by base name, split at slashes
	// roots are folders below which several folders of a path were found.
	roots map[string]bool
}

// NewTree returns a tree of files with paths from the root of the repository.
func NewTree(files []string) *Tree {
	t := &Tree{files: map[string][][]string{}, roots: map[string]bool{}}
	for _, f := range files {
		base := path.Base(f)
		t.files[base] = append(t.files[base], strings.Split(f, "/"))
	}
	return t
}

// Learn looks where the repository was checked out: a file at its top has no
// more than its name to be known by.
func (t *Tree) Learn(found []Finding) {
	const maxRoots = 100
	for _, f := range found {
		for _, p := range f.Places {
			parts := components(p.Path)
			file, m := t.Find(p.Path)
			n := strings.Count(file, "/") + 1
			if m == Found && n < len(parts) && len(t.roots) < maxRoots {
				t.roots[strings.Join(parts[:len(parts)-n], "/")] = true
			}
		}
	}
}

// Find returns the file with the longest common end, in folders and name. One of
// the two must be the end of the other: lib/a/x.c is not module/a/x.c. A bare
// name is the file of that name if there is one only. A file at the top of the
// repository has no folder in common; it is found below a known checkout only.
func (t *Tree) Find(p string) (string, Match) {
	parts := components(p)
	var best []string
	longest, same := 0, 0
	for _, f := range t.files[parts[len(parts)-1]] {
		n := commonEnd(f, parts)
		whole, bare := n == len(f), n == len(parts)
		switch {
		case whole && bare:
			return strings.Join(f, "/"), Found
		case !whole && !bare, n == 1 && whole && !t.checkout(parts[:len(parts)-1]):
		case n > longest:
			best, longest, same = f, n, 1
		case n == longest:
			same++
		}
	}
	switch same {
	case 0:
		return "", Elsewhere
	case 1:
		return strings.Join(best, "/"), Found
	}
	return "", Ambiguous
}

// commonEnd counts the components that two paths have in common at their ends.
func commonEnd(a, b []string) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func components(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }

// checkout reports whether a folder is one that sources are checked out to:
// learned, or one of those of GitHub's runners, by their documentation and
// actions/runner (PipelineDirectory: WORK/REPOSITORY/REPOSITORY; in containers
// /__w, on hosted Windows D:/a), container actions, a Go module's name at a forge,
// or "source", where our own environments unpack, in one of them.
func (t *Tree) checkout(folder []string) bool {
	if n := len(folder); n > 0 && folder[n-1] == "source" && !t.roots[strings.Join(folder, "/")] {
		folder = folder[:n-1]
	}
	n := len(folder)
	switch {
	case n == 0, t.roots[strings.Join(folder, "/")]:
		return true
	case n == 2 && folder[0] == "github" && folder[1] == "workspace":
		return true
	case n == 3 && strings.Contains(folder[0], "."):
		return true
	}
	if n < 3 || folder[n-1] != folder[n-2] {
		return false
	}
	return slices.Contains([]string{"work", "_work", "__w"}, folder[n-3]) || n == 3 && folder[0] == "a"
}
