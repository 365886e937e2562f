// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

const docsFile = "../../docs/verdicts.md"

// TestDocs holds the tables and the example of docs/verdicts.md to the code.
// With -update it writes them.
func TestDocs(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	docs := string(data)
	example := textCases(t)["testdata/text/failure-and-lost-runner"].message().Text()
	for name, want := range map[string]string{
		"outcomes": outcomeTable(),
		"jobs":     jobTable(),
		"example":  "```\n" + example + "\n```\n",
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
		head, rest, ok := strings.Cut(docs, begin)
		got, foot, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s: got no part between %q and %q", docsFile, begin, end)
		}
		if !golden.Update() && got != want {
			t.Errorf("%s: the part %q is not what the code says; run the tests with -update", docsFile, name)
		}
		docs = head + begin + want + end + foot
	}
	if golden.Update() {
		if err := os.WriteFile(docsFile, []byte(docs), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func outcomeTable() string {
	var b strings.Builder
	b.WriteString("| outcome | what it means | vote | tried again |\n|---|---|---|---|\n")
	for _, tr := range traits {
		vote, retry := fmt.Sprintf("%+d", Policy{}.Vote(tr.outcome)), "no"
		switch {
		case tr.outcome == Running:
			vote = "none"
		case vote == "+0":
			vote = "0"
		}
		if tr.outcome.Retryable() {
			retry = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", tr.outcome, tr.means, vote, retry)
	}
	return b.String()
}

// jobTable shows the very cases of TestJobs.
func jobTable() string {
	var b strings.Builder
	b.WriteString("| what GitHub says of the job | outcome |\n|---|---|\n")
	for _, tt := range jobCases() {
		if tt.says != "" {
			fmt.Fprintf(&b, "| %s | `%s` |\n", tt.says, tt.want)
		}
	}
	return b.String()
}
