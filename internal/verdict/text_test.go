// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// textCase is a file of testdata/text.
type textCase struct {
	Rules     Rules
	Policy    Policy
	Workflows []struct {
		Workflow           string // where there is no run
		Optional, Expected bool
		Run                *Run
	}
	Retry     Retry
	Secrets   []string
	Published []Link
	Hints     []Hint
	Notes     []Note
	Tests     []Tests
	Findings  Counts
	Limit     int
	// Summary: the case has a step summary as well.
	Summary bool
}

func (tc textCase) message() Message {
	var wants []Want
	for _, w := range tc.Workflows {
		want := Want{Optional: w.Optional, Expected: w.Expected}
		want.Key = change.Key{ID: change.ID{Change: 27101, Patchset: 2}, Workflow: w.Workflow, Attempt: 1}
		if w.Run != nil {
			res := tc.Rules.Fold(*w.Run)
			want.Key, want.Run = w.Run.Key, &res
		}
		wants = append(wants, want)
	}
	return Message{
		Verdict: tc.Policy.Combine(wants), Retry: tc.Retry, Secrets: tc.Secrets,
		Published: tc.Published, Hints: tc.Hints, Notes: tc.Notes, Limit: tc.Limit,
		Tests: tc.Tests, Findings: tc.Findings,
	}
}

// textCases reads all cases, by name.
func textCases(t testing.TB) map[string]textCase {
	t.Helper()
	files, err := filepath.Glob("testdata/text/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("got %d cases, want at least 20 (%v)", len(files), err)
	}
	cases := map[string]textCase{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tc textCase
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&tc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases[strings.TrimSuffix(file, ".json")] = tc
	}
	return cases
}

// TestText compares the message of each case, and the summary of some, with
// golden files. A new case is a new JSON file.
func TestText(t *testing.T) {
	t.Parallel()
	// What the caller hands in is not at issue here.
	cell := func(s string) string { return strings.NewReplacer("|", "&#124;", "<", "&lt;").Replace(s) }
	for name, tc := range textCases(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			m := tc.message()
			text := m.Text()
			golden.Compare(t, name+".txt", text+"\n")
			if tc.Summary {
				golden.Compare(t, name+".md", m.Summary(cell))
			}
			limit := tc.Limit
			if limit == 0 {
				limit = 16 << 10
			}
			checkText(t, m, text, limit)
		})
	}
}

// checkText checks what holds for every message.
func checkText(t *testing.T, m Message, text string, limit int) {
	t.Helper()
	if len(text) > limit || !utf8.ValidString(text) {
		t.Errorf("got %d bytes (valid UTF-8: %v), want at most %d", len(text), utf8.ValidString(text), limit)
	}
	for i, line := range strings.Split(text, "\n") {
		switch {
		case line != strings.TrimRight(line, " "), strings.ContainsAny(line, "\r\t\x00\x1b"):
			t.Errorf("line %d has blanks or controls: %q", i, line)
		case strings.HasPrefix(strings.TrimSpace(line), "::"), strings.Contains(line, "##["):
			t.Errorf("line %d is a workflow command: %q", i, line)
		case !strings.HasPrefix(line, "    ") && strings.Count(line, "`")%2 != 0:
			t.Errorf("line %d has an open code span: %q", i, line)
		}
	}
	if n := strings.Count(text, residueMark); n != 1 {
		t.Errorf("got the residue's mark %d times, want once:\n%s", n, text)
	}
	for _, secret := range m.Secrets {
		if len(secret) >= minSecret && strings.Contains(text, secret) {
			t.Errorf("got the secret %q", secret)
		}
	}
	want := m.Residue()
	got, ok := ParseResidue("Patch Set 2: Verified-1\n\n" + text + "\n")
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("residue (%v, -want +got):\n%s", ok, diff)
	}
}
