// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
)

// fresh makes the folder for the results, without what another job left there, of
// whatever environment: a runner may keep its folder. A folder that holds more than
// results, the source or the one we are in, loses the places of this cell's alone.
func (r *cellRun) fresh() error {
	_, logErr := os.Lstat(r.kept(logFile))
	_, resultErr := os.Lstat(r.kept(environments.ResultFile))
	if (logErr == nil || resultErr == nil) && !within(r.results, ".") && !within(r.results, r.source) {
		if err := os.RemoveAll(r.results); err != nil {
			return err
		}
	}
	err := os.MkdirAll(r.results, 0o755)
	for _, name := range append([]string{logFile, consoleFile, environments.ResultFile}, environments.Kept(r.cell.Results)...) {
		if err == nil {
			err = os.RemoveAll(r.kept(name))
		}
	}
	return err
}

// within reports whether a path is a folder, or in it; also if nobody can tell.
func within(folder, path string) bool {
	folder, err := filepath.Abs(folder)
	abs, absErr := filepath.Abs(path)
	if err != nil || absErr != nil {
		return true
	}
	rel, err := filepath.Rel(folder, abs)
	return err != nil || filepath.IsLocal(rel)
}

// keep writes the result beside the results, of which only files and folders
// stay: a link could lead whoever uploads them anywhere. Whatever the test put in
// the result's place goes.
func (r *cellRun) keep(result environments.Result) error {
	clean := filepath.WalkDir(r.results, func(path string, d fs.DirEntry, err error) error {
		switch {
		case d != nil && d.IsDir() && err == nil:
			err = os.Chmod(path, 0o755) // before it is read, and so that things can be removed
		case err == nil && !d.Type().IsRegular():
			err = os.Remove(path)
		}
		return err
	})
	clean = errors.Join(clean, r.leaveOut(), r.rename())
	file := r.kept(environments.ResultFile)
	text, err := json.MarshalIndent(result, "", "  ")
	if err == nil {
		err = os.RemoveAll(file)
	}
	if err == nil {
		err = writeNew(file, append(text, '\n'))
	}
	return errors.Join(clean, err)
}

// leaveOut removes what is not to be kept. There are no links any more that could
// lead it elsewhere.
func (r *cellRun) leaveOut() error {
	var all error
	for _, kept := range environments.Kept(r.cell.Results) {
		root := r.kept(kept)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil || !environments.LeftOut(r.cell.Results, kept, filepath.ToSlash(name)) {
				return err
			}
			if err = os.RemoveAll(path); err == nil && d.IsDir() {
				err = fs.SkipDir
			}
			return err
		})
		if !errors.Is(err, fs.ErrNotExist) { // what is not there was told
			all = errors.Join(all, err)
		}
	}
	return all
}

// writeNew writes a file that must not be there, and follows no link.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// kept is where one of the cell's results goes.
func (r *cellRun) kept(path string) string {
	return filepath.Join(r.results, environments.KeptAs(path))
}
