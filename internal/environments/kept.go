// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// without marks a result that is left out of the others.
const without = "!"

// Kept returns the files and folders to keep, of a list of results.
func Kept(results []string) []string {
	var kept []string
	for _, r := range results {
		if !strings.HasPrefix(r, without) {
			kept = append(kept, r)
		}
	}
	return kept
}

// Files that a job itself writes beside the results: what the test printed, and the
// console of a guest.
const (
	LogFile     = "log.txt"
	ConsoleFile = "console.txt"
)

var ownFiles = []string{LogFile, ConsoleFile, ResultFile}

// KeptAs is the name under which a result is kept.
func KeptAs(result string) string {
	switch name := path.Base(path.Clean(result)); name {
	case ".":
		return "source" // the command's own folder
	case "..":
		return "work" // the one above it
	default:
		return name
	}
}

// LeftOut reports whether a file or folder is to be left out, with all that is in
// it. Name is its path in the result kept, with slashes; "." is the result itself.
func LeftOut(results []string, kept, name string) bool {
	for _, r := range results {
		pattern, ok := strings.CutPrefix(r, without)
		if !ok {
			continue
		}
		if pattern, ok = below(kept, pattern); ok {
			if ok, err := doublestar.Match(pattern, name); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// below returns a pattern as it is seen from the folder kept, if it can match
// anything in there. Both are seen from the source's folder.
func below(kept, pattern string) (string, bool) {
	kept, pattern = path.Clean(kept), path.Clean(pattern)
	switch out := pattern == ".." || strings.HasPrefix(pattern, "../"); {
	case kept == "." && !out:
		return pattern, true
	case kept == ".." && !out:
		return "source/" + pattern, true
	}
	return strings.CutPrefix(pattern, kept+"/")
}
