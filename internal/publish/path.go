// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// indexName is the page in a run's folder.
const indexName = "index.html"

// Folder is where a run's results are:
//
//	[SERVER/]PROJECT/CHANGE/PATCHSET/WORKFLOW/ATTEMPT
//
// with ".N" behind the attempt for a run's N-th run attempt, from 2.
func Folder(project string, k change.Key, runAttempt int) (string, error) {
	folder, err := projectFolder(project)
	if err != nil {
		return "", err
	}
	if _, err := change.ParseKey(k.String()); err != nil {
		return "", fault.Wrap(fault.Permanent, err)
	}
	if k.Server != "" {
		folder = k.Server + "/" + folder
	}
	folder = fmt.Sprintf("%s/%d/%d/%s/%d", folder, k.Change, k.Patchset, k.Workflow, k.Attempt)
	if runAttempt > 1 {
		folder += "." + strconv.Itoa(runAttempt)
	}
	return folder, nil
}

// projectFolder keeps the parts of a project's name apart.
func projectFolder(project string) (string, error) {
	var parts []string
	for part := range strings.SplitSeq(project, "/") {
		parts = append(parts, segment(part))
	}
	folder := strings.Join(parts, "/")
	if project == "" || len(folder) > 300 {
		return "", fault.New(fault.Permanent, "%q cannot be the project of published results", change.Clip(project, 80))
	}
	return folder, nil
}

// segment makes one part of a path of any text: letters, digits, '.', '_' and
// '-'. Different texts may become the same.
func segment(s string) string {
	const limit = 80
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, s)
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	if s = strings.Trim(s[:min(len(s), limit)], ".-"); s == "" {
		return "x"
	}
	return s
}

// names gives out paths that were not given out before.
type names map[string]bool

// take returns base, or base with the id behind it if that is taken.
func (n names) take(base string, id int64) string {
	for n[base] {
		base = fmt.Sprintf("%s-%d", base, id)
	}
	n[base] = true
	return base
}

// checkPath accepts the paths of files in an artifact that stay below it.
func checkPath(path string) error {
	switch {
	case strings.Contains(path, `\`):
		return errors.New(`its path has a '\'`)
	case strings.HasPrefix(path, "/"):
		return errors.New("its path is absolute")
	case slices.Contains(strings.Split(path, "/"), ".."):
		return errors.New("its path has '..' in it")
	case !fs.ValidPath(path) || path == ".":
		return errors.New("its path is empty, not UTF-8, or has an empty part or '.' in it")
	case change.OneLine(path) != path:
		return errors.New("its path has characters that cannot be seen")
	case len(path) > 600:
		return errors.New("its path is too long")
	}
	return nil
}
