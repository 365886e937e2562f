// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVotesAreCarriedByKind(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	p := s.Project("p")
	p.Commit("master", map[string]string{"x": "1\n"})
	c := p.Push(Draft{})
	c.Vote("ann", "Code-Review", 1)
	c.Vote("ci", "Verified", 1)
	c.Reword("better")
	if diff := cmp.Diff(map[string]map[string]int{"Verified": {"ci": 1}}, c.Votes()); diff != "" {
		t.Errorf("after another message (-want +got):\n%s", diff)
	}
	c.AmendAs("bob", map[string]string{"y": "2\n"})
	if got := c.Votes(); len(got) != 0 {
		t.Errorf("after a rework got votes %v, want none", got)
	}
}

// TestLateVoteOverwritesItsCopy, as it does in Gerrit.
func TestLateVoteOverwritesItsCopy(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	first := string(c.Revision())
	c.Vote("ci", "Verified", 1)
	c.Vote("ann", "Code-Review", 2)
	c.Reword("better")
	s.review(t, "ci", first, `{"labels":{"Verified":-1},"message":"late"}`)
	if diff := cmp.Diff(map[string]map[string]int{"Verified": {"ci": -1}}, c.Votes()); diff != "" {
		t.Errorf("votes on the current patchset (-want +got):\n%s", diff)
	}
	m := c.Messages()
	want := []string{
		"Uploaded patch set 2: Commit message was updated.\n\nCopied Votes:\n* Verified+1 (copy condition: \"**changekind:NO_CODE_CHANGE**\")\n" +
			"\nOutdated Votes:\n* Code-Review+2 (copy condition: \"changekind:TRIVIAL_REBASE\")\n",
		"Patch Set 1: Verified-1\n\nCopied votes on follow-up patch sets have been updated:\n" +
			"* Verified-1 has been copied to patch set 2 (was Verified+1) (copy condition: \"changekind:NO_CODE_CHANGE\").\n\nlate",
	}
	if diff := cmp.Diff(want, []string{m[3].Text, m[4].Text}); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	steps := []struct {
		revision string
		value    string
		current  int    // what becomes of the vote on the current patchset
		text     string // in the message
	}{
		{first, "0", 0, "\n* Copied Verified vote has been removed from patch set 2 (was Verified-1) since the new Verified=0 vote is not copyable (copy condition: \"changekind:NO_CODE_CHANGE\")."},
		{first, "1", 1, "\n* Verified+1 has been copied to patch set 2 (was -Verified) ("},
		{"current", "-1", -1, "Patch Set 2: Verified-1"},
		{first, "0", -1, "Patch Set 1: -Verified"},
	}
	for _, step := range steps {
		s.review(t, "ci", step.revision, `{"labels":{"Verified":`+step.value+`}}`)
		m := c.Messages()
		if got := c.Votes()["Verified"]["ci"]; got != step.current || !strings.Contains(m[len(m)-1].Text, step.text) {
			t.Errorf("%s on %s: got %d and %q, want %d and %q", step.value, step.revision, got, m[len(m)-1].Text, step.current, step.text)
		}
	}
}

func TestPermittedLabels(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	s.Restrict("ci", "Code-Review", 0, 0)
	permitted := func(who string) any {
		path := "/a/changes/1?o=DETAILED_LABELS"
		if who == "" {
			path = path[2:]
		}
		return decode[object](t, s.send(t, "GET", path, who+":password-of-"+who, ""))["permitted_labels"]
	}
	if got := permitted(""); got != nil {
		t.Errorf("anonymous: got %v", got)
	}
	steps := []struct {
		do   func()
		want object
	}{
		{func() {}, object{"Verified": []any{"-1", " 0", "+1"}}},
		{c.Abandon, object{}},
		{func() { c.Restore(); c.Vote("ci", "Verified", 1); c.Submit() }, object{"Verified": []any{"+1"}}},
	}
	for i, step := range steps {
		step.do()
		if diff := cmp.Diff(any(step.want), permitted("ci")); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}
