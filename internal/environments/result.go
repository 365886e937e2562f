// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Result is what became of one cell; a job writes it into its results.
type Result struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Kind     Kind    `json:"kind"`
	Optional bool    `json:"optional,omitempty"`
	Seconds  float64 `json:"seconds"`
	// Status is the command's exit status; RigFailed says why it has none.
	Status    int    `json:"status"`
	TimedOut  bool   `json:"timed_out,omitempty"`
	RigFailed string `json:"rig_failed,omitempty"`
}

// ResultFile is the name under which a job keeps its Result.
const ResultFile = "result.json"

// Limits of what is read back: anything in an artifact may come from a patch.
const (
	maxResults    = 3 * maxCells
	maxResultFile = 64 << 10
)

// Word says in one word or two how a cell ended.
func (r Result) Word() string {
	switch {
	case r.RigFailed != "":
		return "no verdict"
	case r.TimedOut:
		return "timed out"
	case r.Status != 0:
		return "failed"
	}
	return "passed"
}

// Collect reads the results below a folder, one in each of its folders, sorted
// by name. What cannot be read is told in the second list. The folder may be that
// of one job: a single artifact is not put into a folder of its own
// (actions/download-artifact with a pattern). Then the folders in it are the
// test's, and whatever is in them is no result.
func Collect(dir fs.FS) ([]Result, []error, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, nil, fault.New(fault.Ours, "failed to read the results: %w", err)
	}
	if _, err := fs.Lstat(dir, ResultFile); err == nil {
		entries = []fs.DirEntry{here{}}
	}
	var all []Result
	var wrong []error
	for _, e := range entries {
		if !e.IsDir() || len(all) == maxResults {
			continue
		}
		r, err := readResult(dir, path.Join(e.Name(), ResultFile))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s has no result: %w", change.OneLine(change.Clip(e.Name(), 100)), err))
			continue
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
	return all, wrong, nil
}

// here is the entry of a folder in itself.
type here struct{ fs.DirEntry }

func (here) Name() string { return "." }
func (here) IsDir() bool  { return true }

func readResult(dir fs.FS, name string) (Result, error) {
	var r Result
	info, err := fs.Lstat(dir, name)
	if err != nil {
		return r, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxResultFile {
		return r, fault.New(fault.Permanent, "it is no file, or too long")
	}
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}
