// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// get asks as an account.
func (s *Server) get(t *testing.T, who, path string) answer {
	t.Helper()
	return s.send(t, "GET", "/a"+path, who+":password-of-"+who, "")
}

// TestLabelsAtRunTime: rights and labels come and go.
func TestLabelsAtRunTime(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	vote := func(body string, status int, text string) {
		t.Helper()
		if got := s.review(t, "ci", "current", body); got.status != status || !strings.Contains(got.body, text) {
			t.Errorf("%s: got %v, want %d with %q", body, got, status, text)
		}
	}
	permitted := func(want string) {
		t.Helper()
		got := decode[object](t, s.get(t, "ci", "/changes/1?o=DETAILED_LABELS"))["permitted_labels"]
		if fmt.Sprint(got) != want {
			t.Errorf("got permitted labels %v, want %s", got, want)
		}
	}
	vote(`{"labels":{"verified":1}}`, 200, `"labels":{"verified":1}`)
	if diff := cmp.Diff(map[string]map[string]int{"Verified": {"ci": 1}}, c.Votes()); diff != "" {
		t.Errorf("votes (-want +got):\n%s", diff)
	}
	s.Forbid("Verified")
	permitted("map[Code-Review:[-2 -1  0 +1 +2]]")
	vote(`{"labels":{"Verified":-1}}`, 403, `Applying label "Verified": -1 is restricted`)
	vote(`{"labels":{"Verified":0}}`, 200, `"labels":{"Verified":0}`)
	s.Allow("Verified")
	permitted("map[Code-Review:[-2 -1  0 +1 +2] Verified:[-1  0 +1]]")
	vote(`{"labels":{"Verified":-1}}`, 200, `"labels":{"Verified":-1}`)
	s.SetLabels(Label{Name: "CI", Min: -1, Max: 1})
	vote(`{"labels":{"Verified":1}}`, 200, `"labels":{}`)
	permitted("map[CI:[-1  0 +1]]")
}

// TestPermittedOnAMergedChange: a label that only 0 is left of is not there.
func TestPermittedOnAMergedChange(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	s.Restrict("ci", "Code-Review", -1, 0)
	c.Submit()
	got := decode[object](t, s.get(t, "ci", "/changes/1?o=DETAILED_LABELS"))["permitted_labels"]
	if fmt.Sprint(got) != "map[Verified:[ 0 +1]]" {
		t.Errorf("got %v", got)
	}
}

// TestWhoSeesAPrivateChange: those who take part, and those with the right.
func TestWhoSeesAPrivateChange(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	s.Account("stranger")
	c.Vote("ann", "Code-Review", 1)
	c.Comment("bob", "hi")
	c.SetPrivate(true)
	see := func(who string, want bool) {
		t.Helper()
		single, listed := s.get(t, who, "/changes/1").status == 200, strings.Contains(s.get(t, who, "/changes/?q=change:1").body, `"_number":1`)
		if single != want || listed != want {
			t.Errorf("%s: sees it %t, in a query %t; want %t", who, single, listed, want)
		}
	}
	for who, want := range map[string]bool{"dev": true, "ann": true, "bob": true, "stranger": false} {
		see(who, want)
	}
	s.ShowPrivate("stranger", true)
	see("stranger", true)
	s.ShowPrivate("stranger", false)
	see("stranger", false)
	c.SetPrivate(false)
	see("stranger", true)
	s.Blind("stranger", true)
	see("stranger", false)
	c.Hide(true)
	see("dev", false)
	c.Hide(false)
	c.Delete()
	if got := s.get(t, "dev", "/changes/1"); got != (answer{404, "Not found: 1\n"}) {
		t.Errorf("deleted: got %v", got)
	}
}

// TestLag: queries come late, everything else is as it is.
func TestLag(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	s.Advance(time.Hour)
	s.SetLag(time.Minute)
	c.Vote("ci", "Verified", -1)
	c.Abandon()
	fresh := s.Project("p").Push(Draft{})
	list := func(query string) string {
		t.Helper()
		var all []string
		for _, o := range decode[[]object](t, s.send(t, "GET", "/changes/?o=DETAILED_LABELS&o=MESSAGES&q="+query, "", "")) {
			votes := strings.Count(fmt.Sprint(o["labels"]), "value:-1")
			all = append(all, fmt.Sprintf("%v %v votes=%d messages=%d", o["_number"], o["status"], votes, len(o["messages"].([]any))))
		}
		return strings.Join(all, ", ")
	}
	if got := list("status:open"); got != "1 NEW votes=0 messages=3" {
		t.Errorf("at once: got %q", got)
	}
	if got := s.send(t, "GET", fmt.Sprintf("/changes/%d", fresh.Number()), "", ""); got.status != 200 {
		t.Errorf("by its number: got %v", got)
	}
	s.Advance(2 * time.Minute)
	if got := list("status:abandoned"); got != "1 ABANDONED votes=1 messages=3" {
		t.Errorf("later: got %q", got)
	}
	if got := list("status:open"); got != "2 NEW votes=0 messages=1" {
		t.Errorf("later: got %q", got)
	}
	c.Restore()
	s.SetLag(0)
	if got := list("change:1"); got != "1 NEW votes=1 messages=4" {
		t.Errorf("without lag: got %q", got)
	}
}

// TestMove: the patchset stays, the votes go.
func TestMove(t *testing.T) {
	t.Parallel()
	s, c := bed(t, Options{})
	s.Project("p").Commit("other", map[string]string{"x": "z\n"})
	c.Vote("ci", "Verified", -1)
	c.Vote("ann", "Code-Review", 1)
	id := c.ID()
	c.Move("other")
	m := c.Messages()
	if c.ID() != id || len(c.Votes()) != 0 || m[len(m)-1].Text != "Change destination moved from master to other" {
		t.Errorf("got %v, votes %v and message %+v", c.ID(), c.Votes(), m[len(m)-1])
	}
	if got := decode[object](t, s.send(t, "GET", "/changes/1", "", ""))["branch"]; got != "other" {
		t.Errorf("got branch %v", got)
	}
}

// TestCopiedVotesOfBothAges: a copy keeps the tag; its date is the patchset's, or
// in older releases the vote's own.
func TestCopiedVotesOfBothAges(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		s, c := bed(t, Options{OwnVoteDates: own})
		if got := s.review(t, "ci", "current", `{"labels":{"Verified":1},"tag":"autogenerated:x"}`); got.status != 200 {
			t.Fatal(got)
		}
		s.Advance(time.Hour)
		c.Reword("better")
		o := decode[object](t, s.send(t, "GET", "/changes/1?o=DETAILED_LABELS&o=CURRENT_REVISION", "", ""))
		created := o["revisions"].(object)[string(c.Revision())].(object)["created"]
		all := o["labels"].(object)["Verified"].(object)["all"].([]any)
		v := all[len(all)-1].(object)
		if v["tag"] != "autogenerated:x" || (v["date"] == created) == own {
			t.Errorf("own dates %t: got %v, the patchset is of %v", own, v, created)
		}
	}
}

func TestKindsOfCopyConditions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		term, kind string
		want       bool
	}{
		{"REWORK", "TRIVIAL_REBASE", true}, {"REWORK", "REWORK", true}, {"TRIVIAL_REBASE", "NO_CHANGE", true}, {"NO_CODE_CHANGE", "NO_CHANGE", true},
		{"TRIVIAL_REBASE_WITH_MESSAGE_UPDATE", "NO_CODE_CHANGE", true}, {"NO_CODE_CHANGE", "TRIVIAL_REBASE", false}, {"TRIVIAL_REBASE", "REWORK", false},
	} {
		if got := (Label{Copy: []string{tt.term}}).copies(tt.kind); got != tt.want {
			t.Errorf("changekind:%s and %s: got %t", tt.term, tt.kind, got)
		}
	}
}

// TestAttentionOfBothAges: who cannot be called is left out, or refused.
func TestAttentionOfBothAges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		first  func(*Server)
		user   string
		old    string // the older releases' words, or ""
		called bool   // by the newer ones
	}{
		{func(*Server) {}, "1000002", "", true},
		{func(*Server) {}, "4711", "Account '4711' not found", false},
		{func(s *Server) { s.Account("stranger") }, "stranger", "", false},
		{func(s *Server) { s.SetActive("dev", false) }, "1000002", "", true},
		{func(s *Server) { s.SetActive("dev", false) }, "dev", "Account 'dev' only matches inactive accounts.", false},
		{func(s *Server) { s.Blind("dev", true) }, "dev", "Can't add to attention set: Read not permitted for 1000002", false},
	} {
		for _, strict := range []bool{false, true} {
			s, c := bed(t, Options{StrictAttention: strict})
			tt.first(s)
			got := s.review(t, "ci", "current", `{"message":"x","ignore_automatic_attention_set_rules":true,"add_to_attention_set":[{"user":"`+tt.user+`","reason":"r"}]}`)
			refused := strict && tt.old != ""
			if (got.status == 422) != refused || refused && !strings.HasPrefix(got.body, tt.old) || (len(c.Messages()) == 1) != refused {
				t.Errorf("%s, strict %t: got %v", tt.user, strict, got)
			}
			if !refused && (len(c.Attention()) > 0) != tt.called {
				t.Errorf("%s: got attention set %v, want somebody in it: %t", tt.user, c.Attention(), tt.called)
			}
		}
	}
}

func TestNamesAndAccounts(t *testing.T) {
	t.Parallel()
	for _, sensitive := range []bool{false, true} {
		s, _ := bed(t, Options{CaseSensitiveNames: sensitive})
		if got := s.send(t, "GET", "/a/accounts/self", "CI:password-of-ci", ""); (got.status == 200) == sensitive {
			t.Errorf("case-sensitive %t: got %v", sensitive, got)
		}
		s.SetActive("ci", false)
		if got := s.get(t, "ci", "/accounts/self"); got.status != 401 {
			t.Errorf("inactive: got %v", got)
		}
		if got := s.send(t, "GET", "/changes/?q=owner:DEV&o=DETAILED_ACCOUNTS", "", ""); !strings.Contains(got.body, `"username":"dev"`) {
			t.Errorf("got %v", got)
		}
	}
}
