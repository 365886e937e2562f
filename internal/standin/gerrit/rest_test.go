// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// answer is a response in short.
type answer struct {
	status int
	body   string
}

// send makes a request; who is "user:password" or empty.
func (s *Server) send(t *testing.T, method, path, who, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user, password, ok := strings.Cut(who, ":"); ok {
		r.SetBasicAuth(user, password)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text)}
}

// decode reads a good answer's JSON and insists on the prefix.
func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	text, ok := strings.CutPrefix(a.body, ")]}'\n")
	if err := json.Unmarshal([]byte(text), &v); err != nil || !ok || a.status != 200 {
		t.Fatalf("got status %d, prefix %t, %v: %s", a.status, ok, err, a.body)
	}
	return v
}

type object = map[string]any

// keys returns an object's keys, sorted.
func keys(o object) []string {
	var all []string
	for k := range o {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func TestFieldsOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{BasePath: "/r"})
	p := s.Project("a/b")
	p.Commit("master", map[string]string{"x": "y\n"})
	c := p.Push(Draft{Files: map[string]string{"dir/f.c": "1\n2\n"}})
	first := string(c.Revision())
	c.Reword("other")
	c.Vote("ann", "Code-Review", 2)
	one := func(query string) object { return decode[object](t, s.send(t, "GET", "/changes/1"+query, "", "")) }

	plain := one("")
	if plain["_number"] != 1.0 || plain["insertions"] != 2.0 || plain["updated"] != "2026-01-05 08:00:04.000000000" {
		t.Errorf("got %v", plain)
	}
	for _, key := range []string{"revisions", "current_revision", "labels", "messages"} {
		if plain[key] != nil {
			t.Errorf("%s is there without being asked for", key)
		}
	}
	if diff := cmp.Diff(object{"_account_id": 1000001.0}, plain["owner"]); diff != "" {
		t.Errorf("owner (-want +got):\n%s", diff)
	}
	revisions := func(query string) object { return one(query)["revisions"].(object) }
	if got := revisions("?o=CURRENT_REVISION"); len(got) != 1 || got[string(c.Revision())] == nil {
		t.Errorf("got revisions %v", keys(got))
	}
	all := revisions("?o=ALL_REVISIONS&o=CURRENT_COMMIT&o=CURRENT_FILES&o=DETAILED_ACCOUNTS")
	if all[first].(object)["commit"] != nil || all[first].(object)["kind"] != "REWORK" {
		t.Errorf("the first patchset is %v", all[first])
	}
	current := all[string(c.Revision())].(object)
	if current["kind"] != "NO_CODE_CHANGE" || current["ref"] != "refs/changes/01/1/2" || current["uploader"].(object)["username"] != "dev" {
		t.Errorf("the current patchset is %v", current)
	}
	parent := current["commit"].(object)["parents"].([]any)[0].(object)["commit"]
	if parent != string(p.Tip("master")) || current["files"].(object)["dir/f.c"] == nil {
		t.Errorf("got parent %v and files %v", parent, current["files"])
	}
	detail := one("/detail")
	votes := detail["labels"].(object)["Code-Review"].(object)["all"].([]any)
	if len(votes) != 2 || votes[0].(object)["value"] != 0.0 || votes[1].(object)["value"] != 2.0 || votes[1].(object)["username"] != "ann" {
		t.Errorf("got votes %v", votes)
	}
	if got := len(detail["messages"].([]any)); got != 3 {
		t.Errorf("got %d messages, want two uploads and a vote", got)
	}
}

func TestPagesAndOrder(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{PageLimit: 3})
	p := s.Project("p")
	for range 5 {
		p.Push(Draft{})
	}
	s.changes[change.Address{Project: "p", Number: 2}].Comment("ann", "hello")
	page := func(query string) (numbers []int, more bool) {
		for _, o := range decode[[]object](t, s.send(t, "GET", "/changes/?q=status:open"+query, "", "")) {
			numbers = append(numbers, int(o["_number"].(float64)))
			more = o["_more_changes"] == true
		}
		return numbers, more
	}
	tests := []struct {
		query string
		want  []int
		more  bool
	}{
		{"", []int{2, 5, 4}, true},
		{"&n=100", []int{2, 5, 4}, true},
		{"&n=1", []int{2}, true},
		{"&start=3", []int{3, 1}, false},
		{"&S=2", []int{4, 3, 1}, false},
		{"&S=9", nil, false},
	}
	for _, tt := range tests {
		if got, more := page(tt.query); !cmp.Equal(got, tt.want) || more != tt.more {
			t.Errorf("%q: got %v, %t; want %v, %t", tt.query, got, more, tt.want, tt.more)
		}
	}
	if got := decode[[][]object](t, s.send(t, "GET", "/changes/?q=change:1&q=change:2", "", "")); len(got) != 2 {
		t.Errorf("two queries got %d answers", len(got))
	}
}

func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	p := s.Project("p")
	p.Commit("master", map[string]string{"x": "y\n"})
	c := p.Push(Draft{Owner: "ann", Private: true})
	s.Account("bob")
	s.Account("ci").SeesPrivate = true
	s.Group("inner", "ann")
	s.Group("all people", "bob").Include(s.Group("inner"))
	tests := []struct {
		path, who string
		status    int
		want      string // in the body
	}{
		{"/changes/1", "", 404, "Not found: 1"},
		{"/changes/1", "ann:password-of-ann", 404, "Not found: 1"}, // no /a/
		{"/a/changes/1", "ann:password-of-ann", 200, `"is_private":true`},
		{"/a/changes/p~1", "ci:password-of-ci", 200, `"_number":1`},
		{"/a/changes/1", "bob:password-of-bob", 404, "Not found: 1"},
		{"/a/changes/1", "ann:wrong", 401, "Unauthorized"},
		{"/a/changes/1", "", 401, "Unauthorized"},
		{"/changes/?q=status:open", "", 200, "[]"},
		{"/changes/?q=status:bad", "", 400, "Unrecognized value: bad"},
		{"/accounts/self", "", 403, "requires login"},
		{"/a/accounts/self", "bob:password-of-bob", 200, `"username":"bob"`},
		{"/groups/inner/members/", "", 403, "Authentication required"},
		{"/a/groups/none/members/", "bob:password-of-bob", 404, "none"},
		{"/a/groups/all%20people/members/?recursive", "bob:password-of-bob", 200, `"username":"ann"`},
		{"/config/server/version", "", 200, `"3.13.5"`},
		{"/projects/p/branches/", "", 200, `{"ref":"refs/heads/master","revision":"` + string(p.Tip("master")) + `"}`},
		{"/projects/none/branches/", "", 404, "Not found: none"},
		{"/p/info/refs?service=git-receive-pack", "", 404, "Not Found"},
	}
	for _, tt := range tests {
		if got := s.send(t, "GET", tt.path, tt.who, ""); got.status != tt.status || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s as %q: got %d %s; want %d with %q", tt.path, tt.who, got.status, got.body, tt.status, tt.want)
		}
	}
	if got := s.send(t, "GET", "/a/groups/all+people/members/", "bob:password-of-bob", ""); strings.Contains(got.body, "ann") {
		t.Errorf("direct members include those of a group inside: %s", got.body)
	}
	c.SetPrivate(false)
	if got := s.send(t, "GET", "/changes/1", "", ""); got.status != 200 {
		t.Errorf("got %d once it is public, want 200", got.status)
	}
}

// TestUnplannedAndRecorded looks at a server of its own: Serve would fail.
func TestUnplannedAndRecorded(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir(), Options{BasePath: "/g"})
	if _, err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hooked []string
	s.OnRequest(func(r Request) { hooked = append(hooked, r.Path) })
	for _, path := range []string{"/plugins/?x=1", "/config/server/version"} {
		s.send(t, "GET", path, "ann:x", "")
	}
	want := []Request{{"GET", "/plugins/?x=1", "ann"}, {"GET", "/config/server/version", "ann"}}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := s.Requests(); got != nil {
		t.Errorf("got %v again", got)
	}
	if diff := cmp.Diff([]Request{{Method: "GET", Path: "/g/plugins/?x=1"}}, s.Unplanned()); diff != "" {
		t.Errorf("unplanned (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/plugins/?x=1", "/config/server/version"}, hooked); diff != "" {
		t.Errorf("hook (-want +got):\n%s", diff)
	}
}
