// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// read gives a log to a Reader.
func read(log string) change.LogReport {
	var r Reader
	for line := range strings.SplitSeq(log, "\n") {
		r.Line([]byte(line))
	}
	return r.Report()
}

// show writes a report for a golden file.
func show(report change.LogReport) string {
	var b strings.Builder
	for _, f := range report.Failures {
		if f.Test != "" {
			fmt.Fprintf(&b, "test %s\n", f.Test)
		}
		if f.Path != "" {
			fmt.Fprintf(&b, "at %s:%d\n", f.Path, f.Line)
		}
		fmt.Fprintf(&b, "%s\n", f.Text)
		for _, line := range f.Details {
			fmt.Fprintf(&b, "| %s\n", line)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%d failures and %d more, %d tests, stage %q\n", len(report.Failures), report.More, report.Tests, report.Stage)
	return b.String()
}

// TestLogs reads what tools wrote when they were run on small trees that are broken
// in one way each (testdata/README.md).
func TestLogs(t *testing.T) {
	t.Parallel()
	logs, err := filepath.Glob("testdata/logs/*.log")
	if err != nil || len(logs) < 30 {
		t.Fatalf("got %d logs: %v", len(logs), err)
	}
	for _, file := range logs {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, strings.TrimSuffix(file, ".log")+".golden", show(read(string(text))))
	}
}
