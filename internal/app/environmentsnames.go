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
	for i := len(paths) - 1; i >= 0; i-- { // what is in a folder comes before the folder
		to, renameErr := moveBeside(paths[i])
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

// moveBeside gives a file a name that can be uploaded and that no other has.
func moveBeside(path string) (string, error) {
	to := filepath.Join(filepath.Dir(path), uploadable(filepath.Base(path)))
	ending := filepath.Ext(to)
	stem := strings.TrimSuffix(to, ending)
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, os.Rename(path, to)
		} else if err != nil {
			return to, err
		}
		to = fmt.Sprintf("%s_%d%s", stem, n, ending)
	}
}
