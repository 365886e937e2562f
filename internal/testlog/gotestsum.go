// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"cmp"
	"strings"
)

// gotestsum takes a test of the list at the end: what it said follows. Packages are
// named by their folders in the module there.
func (r *Reader) gotestsum(m []string) {
	folder := clip(m[1], maxName)
	r.goTurn(r.goKnown(folder, clip(m[2], maxName)))
	if r.golang.folder = folder; folder == "." {
		r.golang.folder = ""
	}
	r.goFailed([]string{m[0], "", m[2]})
	f := r.golang.last
	if f.rerun = number(m[3]); f.at != r.lines && f.Text != "" {
		r.block = nil // it says the same again
	}
}

// goKnown returns the package in a folder of which a test of that name has failed
// already, as go test names it, or else the folder. The module's own folder is "."
// there, and its package has the shortest name.
func (r *Reader) goKnown(folder, test string) string {
	known := ""
	for id := range r.index {
		if id.test != test || id.path == "" || folder != "." && !strings.HasSuffix(id.path, "/"+folder) {
			continue
		}
		if known == "" || len(id.path) < len(known) || len(id.path) == len(known) && id.path < known {
			known = id.path
		}
	}
	return cmp.Or(known, folder)
}
