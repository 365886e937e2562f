// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// reader is JUnit, SARIF or Read.
type reader func(string, io.Reader) (Report, error)

// tell writes a report for people to compare.
func tell(r Report, err error) string {
	var b strings.Builder
	t := r.Totals
	fmt.Fprintf(&b, "%d tests, %d failures, %d errors, %d skipped, %g s; %d bad paths, %d more\n",
		t.Tests, t.Failures, t.Errors, t.Skipped, t.Seconds, r.BadPaths, r.More)
	if err != nil {
		fmt.Fprintf(&b, "error: %s\n", err)
	}
	for _, f := range r.Findings {
		places := ""
		for _, p := range f.Places {
			places += fmt.Sprintf(" %s:%d-%d", p.Path, p.Line, p.EndLine)
		}
		fmt.Fprintf(&b, "\n%s%s [%s] (%s)\n%s\n", f.Severity, places, f.Test, f.Source, f.Title)
		if f.Text != "" {
			fmt.Fprintf(&b, "  | %s\n", strings.ReplaceAll(f.Text, "\n", "\n  | "))
		}
	}
	return b.String()
}

// TestGolden reads every sample in testdata. They are read a byte at a time as
// well: nothing may depend on where the pieces of a stream end.
func TestGolden(t *testing.T) {
	t.Parallel()
	for pattern, read := range map[string]reader{"*.xml": JUnit, "*.sarif": SARIF, "any/*[^n]": Read} {
		files, err := filepath.Glob("testdata/" + pattern)
		if err != nil || len(files) < 5 {
			t.Fatalf("got %q, %v", files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			got := tell(read(name, bytes.NewReader(data)))
			golden.Compare(t, file+".golden", got)
			if slow := tell(read(name, &slowly{data})); slow != got {
				t.Errorf("%s: a byte at a time it reads as\n%s", file, slow)
			}
		}
	}
}

// slowly gives a byte at a time.
type slowly struct{ data []byte }

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], s.data)
	s.data = s.data[n:]
	return n, nil
}
