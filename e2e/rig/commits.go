// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Commit is a commit to make. Its object id depends on nothing else.
type Commit struct {
	// Parents are object ids, or ":N" for the Nth commit (from 1) of the same
	// call. Without parents it is a root.
	Parents []string
	Message string
	// Files are what the commit adds or changes against its first parent.
	Files map[string][]byte
	// When is the commit's date in seconds since 1970.
	When int64
	// Author is "Name <mail>"; empty is the administrator.
	Author string
}

// Import makes commits in a repository through git fast-import and returns
// their object ids in order. Refs under refs/import/ keep them alive.
func (g Git) Import(ctx context.Context, commits []Commit) ([]string, error) {
	marks, err := os.CreateTemp("", "rig-marks-*")
	if err != nil {
		return nil, err
	}
	marks.Close()
	defer os.Remove(marks.Name())
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriter(out)
		for i, c := range commits {
			c.write(w, i+1)
		}
		out.CloseWithError(w.Flush())
	}()
	_, err = g.Pipe(ctx, in, "fast-import", "--quiet", "--force", "--date-format=raw", "--export-marks="+marks.Name())
	in.CloseWithError(err)
	if err != nil {
		return nil, err
	}
	return readMarks(marks.Name(), len(commits))
}

// write puts the commit into a fast-import stream. The writer keeps its error.
func (c Commit) write(w *bufio.Writer, mark int) {
	author := c.Author
	if author == "" {
		author = "Admin <admin@example.com>"
	}
	fmt.Fprintf(w, "commit refs/import/%d\nmark :%d\n", mark, mark)
	fmt.Fprintf(w, "author %s %d +0000\ncommitter %s %d +0000\n", author, c.When, author, c.When)
	fmt.Fprintf(w, "data %d\n%s\n", len(c.Message), c.Message)
	for i, parent := range c.Parents {
		verb := "merge"
		if i == 0 {
			verb = "from"
		}
		fmt.Fprintf(w, "%s %s\n", verb, parent)
	}
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", path, len(c.Files[path]), c.Files[path])
	}
	fmt.Fprintln(w)
}

func readMarks(file string, count int) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	oids := make([]string, count)
	for line := range strings.Lines(string(data)) {
		var mark int
		var oid string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &oid); err != nil || mark < 1 || mark > count {
			return nil, fmt.Errorf("odd line in git's marks: %q", line)
		}
		oids[mark-1] = oid
	}
	if i := slices.Index(oids, ""); i >= 0 {
		return nil, fmt.Errorf("git fast-import did not make commit %d of %d", i+1, count)
	}
	return oids, nil
}
