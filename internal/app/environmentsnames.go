// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// refusedInNames are the characters that upload-artifact takes in no path: one
// such file, and nothing is uploaded (actions/toolkit, packages/artifact,
// path-and-artifact-name-validation.ts). PCI addresses have them.
const refusedInNames = "\":<>|*?\r\n"

// maxRenamed is how many renamed files are named in the log.
const maxRenamed = 10

// rename gives files and folders of the results names that can be uploaded.
func (r *cellRun) rename() error {
	var paths []string
	err := filepath.WalkDir(r.results, func(path string, _ fs.DirEntry, err error) error {
		if base := filepath.Base(path); err == nil && path != r.results && base != uploadable(base) {
			paths = append(paths, path)
		}
		return err
	})
	next := map[string]int{}
	for i := len(paths) - 1; i >= 0; i-- { // what is in a folder comes before the folder
		to, renameErr := moveBeside(paths[i], next)
		if err = errors.Join(err, renameErr); renameErr == nil && i < maxRenamed {
			r.out.Println(fmt.Sprintf("results: %q is kept as %q: GitHub takes no artifact with such a name in it", filepath.Base(paths[i]), filepath.Base(to)))
		}
	}
	if more := len(paths) - maxRenamed; more > 0 {
		r.out.Println(fmt.Sprintf("results: so are %d more", more))
	}
	return err
}

// uploadable is a name with a '_' for each character that is refused. Names that
// are no UTF-8 are not found again by the program that uploads.
func uploadable(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || strings.ContainsRune(refusedInNames, r) {
			return '_'
		}
		return r
	}, name)
}

// maxFileName is the length of a name in bytes (NAME_MAX of Linux).
const maxFileName = 255

// moveBeside gives a file a name that can be uploaded and that no other has. Next has
// the number to try next for a name: any number of names may become the same.
func moveBeside(path string, next map[string]int) (string, error) {
	want := filepath.Join(filepath.Dir(path), uploadable(filepath.Base(path)))
	ending := filepath.Ext(want)
	if len(ending) > maxFileName/2 {
		ending = ""
	}
	stem := strings.TrimSuffix(want, ending)
	for to := want; ; {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, os.Rename(path, to)
		} else if err != nil {
			return to, err
		}
		next[want] = max(next[want], 1) + 1
		ending := fmt.Sprintf("_%d%s", next[want], ending)
		base := filepath.Base(stem)
		base = strings.ToValidUTF8(base[:min(len(base), maxFileName-len(ending))], "")
		to = filepath.Join(filepath.Dir(want), base+ending)
	}
}
