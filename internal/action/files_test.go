// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// withFile returns a step with one of the runner's files and a function that
// reads it.
func withFile(t *testing.T, variable string) (*Action, func() string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	a, _ := start("GITHUB_ACTIONS=true", variable+"="+name)
	return a, func() string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

// parseOutputs reads the file as the runner does (FileCommandManager.cs):
// NAME<<DELIMITER, lines, DELIMITER, or NAME=VALUE.
func parseOutputs(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" {
			continue
		}
		equal, heredoc := strings.Index(lines[i], "="), strings.Index(lines[i], "<<")
		if equal >= 0 && (heredoc < 0 || equal < heredoc) {
			out[lines[i][:equal]] = lines[i][equal+1:]
			continue
		}
		if heredoc < 0 {
			t.Fatalf("line %q is no output", lines[i])
		}
		name, delimiter := lines[i][:heredoc], lines[i][heredoc+2:]
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		if i == len(lines) {
			t.Fatalf("the output %s has no end", name)
		}
		out[name] = strings.Join(value, "\n")
	}
	return out
}

func TestSetOutput(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"relayed": "7", "empty": "", "runs": `[{"key":"1/1/a.yml/1"}]`, "lines": "a\nb=c\nd<<e\n", "evil": "x\nghadelimiter\nother=1",
	}
	a, read := withFile(t, "GITHUB_OUTPUT")
	for name, value := range values {
		if err := a.SetOutput(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(values, parseOutputs(t, read())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSetOutputRefusesNames(t *testing.T) {
	t.Parallel()
	a, _ := withFile(t, "GITHUB_OUTPUT")
	for _, name := range []string{"", "a b", "a=b", "a<<b", "a\nb", "1a", strings.Repeat("=", 1000)} {
		if err := a.SetOutput(name, "x"); !errors.Is(err, fault.Ours) || len(err.Error()) > 300 {
			t.Errorf("%.20q: got %v, want a short error", name, err)
		}
	}
}

func TestNoFiles(t *testing.T) {
	t.Parallel()
	a, log := start()
	if err := errors.Join(a.SetOutput("x", "y"), a.Summary("# x")); err != nil {
		t.Errorf("away from a runner: %v", err)
	}
	want(t, log, "")
	a, _ = start("GITHUB_OUTPUT=/nowhere/at/all", "GITHUB_STEP_SUMMARY=/nowhere/at/all")
	for _, err := range []error{a.SetOutput("x", "y"), a.Summary("# x")} {
		if !errors.Is(err, fault.Ours) {
			t.Errorf("got %v, want a failure of ours", err)
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	a, read := withFile(t, "GITHUB_STEP_SUMMARY")
	for _, text := range []string{"# One", "bad \xff byte", "| a |\n|---|\n"} {
		if err := a.Summary(text); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := read(), "# One\nbad \ufffd byte\n| a |\n|---|\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSummaryIsCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		parts []string
	}{
		{"lines", []string{strings.Repeat("a line of it\n", 100_000)}},
		{"one long line", []string{strings.Repeat("\u00e4", 600_000)}},
		{"in parts", []string{strings.Repeat("x\n", 400_000), strings.Repeat("y\n", 400_000), "z"}},
		{"no room left", []string{strings.Repeat("x", maxSummary-1-len(summaryCut)), "\u00e4\u00e4", "z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, read := withFile(t, "GITHUB_STEP_SUMMARY")
			for _, part := range tt.parts {
				if err := a.Summary(part); err != nil {
					t.Fatal(err)
				}
			}
			got := read()
			if len(got) > maxSummary || len(got) < maxSummary/2 || !utf8.ValidString(got) {
				t.Errorf("got %d bytes, valid %v", len(got), utf8.ValidString(got))
			}
			if strings.Count(got, summaryCut) != 1 || !strings.HasSuffix(got, summaryCut) {
				t.Errorf("it does not end with one note: %q", got[len(got)-200:])
			}
			if strings.Contains(got, "z") {
				t.Error("something follows the cut")
			}
		})
	}
}

func TestSummaryFillsTheLimit(t *testing.T) {
	t.Parallel()
	a, read := withFile(t, "GITHUB_STEP_SUMMARY")
	text := strings.Repeat("x", maxSummary-1-len(summaryCut))
	if err := a.Summary(text); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != text+"\n" {
		t.Errorf("got %d bytes, want all %d", len(got), len(text)+1)
	}
}

func FuzzSetOutput(f *testing.F) {
	f.Add("a\nb")
	f.Add("dispatcher-\nx=y")
	f.Fuzz(func(t *testing.T, value string) {
		a, read := withFile(t, "GITHUB_OUTPUT")
		if err := a.SetOutput("first", value); err != nil {
			t.Fatal(err)
		}
		if err := a.SetOutput("second", "2"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"first": value, "second": "2"}, parseOutputs(t, read())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
