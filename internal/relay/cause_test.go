// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestNamed(t *testing.T) {
	t.Parallel()
	text := "error: object " + string(sha(1)) + ": badDate\n - commit: " + string(sha(2)) + "\n" + string(sha(3)) + "f"
	if diff := cmp.Diff([]change.Revision{sha(1), sha(2)}, named(text)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if got := len(named(strings.Repeat(string(sha(1))+" ", 1000))); got != 50 {
		t.Errorf("got %d ids, want the bound of 50", got)
	}
}

// FuzzCause: whatever a server says becomes one bounded line of valid text that
// cannot pass for a workflow command, with an error of a known kind.
func FuzzCause(f *testing.F) {
	f.Add("pre-receive hook declined", "error: GH001: Large files detected.\n", "refs/changes/01/1/1")
	f.Add("push declined due to repository rule violations", "GH013: Repository rule violations found for refs/heads/x.\n- a\x1b[31m\nerror: GH0", "refs/heads/x")
	f.Add("index-pack abnormal exit", "##[error]\r\n::set-output\xff", "")
	f.Fuzz(func(t *testing.T, reason, messages, ref string) {
		for _, c := range []cause{refCause(ref, reason, messages), packCause(reason, ref, messages)} {
			text := c.err.Error()
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b") || strings.Contains(text, "##[") || len(text) > 2000 {
				t.Errorf("%q, %q: got the text %q", reason, messages, text)
			}
			if c.err.Kind == fault.Unknown {
				t.Errorf("%q: got no kind", reason)
			}
		}
		if strings.Contains(said(messages), "\n\n") {
			t.Errorf("%q: empty lines are left", messages)
		}
		if s := section(messages, ref); !strings.Contains(messages, s) {
			t.Errorf("section %q is not in %q", s, messages)
		}
		for _, id := range named(messages) {
			if !strings.Contains(messages, string(id)) {
				t.Errorf("named %s is not in %q", id, messages)
			}
		}
	})
}
