// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
)

// maxLocalFiles bounds the files that --findings names.
const maxLocalFiles = 100

// pathList is a flag that may be given several times.
type pathList []string

func (l *pathList) String() string { return strings.Join(*l, ",") }

// Set adds paths, one a line or with commas between them.
func (l *pathList) Set(text string) error {
	for _, path := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == ',' }) {
		if path = strings.TrimSpace(path); path != "" {
			*l = append(*l, path)
		}
	}
	return nil
}

// localFindings reads test reports of this job: names or globs. A name that is
// not there is a warning: the step that should have written it may have failed. A
// glob takes what there is.
func localFindings(paths pathList) (list []findings.Report, warnings []error) {
	for _, pattern := range paths {
		names, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
		if err == nil && len(names) == 0 && strings.ContainsAny(pattern, "*?[{") {
			continue
		}
		if err != nil || len(names) == 0 {
			warnings = append(warnings, fault.New(fault.Configuration, "--findings %s names no file", pattern).
				WithHint("paths are relative to the job's working directory"))
			continue
		}
		for _, name := range names {
			if len(list) == maxLocalFiles {
				return list, append(warnings, fmt.Errorf("only %d files of --findings were read", maxLocalFiles))
			}
			file, err := openRegular(name)
			if err != nil {
				warnings = append(warnings, fmt.Errorf("failed to read findings: %w", err))
				continue
			}
			found, err := findings.Read(filepath.Base(name), file)
			if file.Close(); err != nil {
				warnings = append(warnings, fmt.Errorf("the test report %s was not read, or not to its end: %w", change.OneLine(name), err))
			}
			list = append(list, found)
		}
	}
	return list, warnings
}

// openRegular opens a file. Code under test may have left something else in its
// place: to open a pipe waits for whoever writes into it.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.Permanent, "%s is no regular file", change.OneLine(name))
	}
	if err != nil {
		return nil, err
	}
	return os.Open(name)
}
