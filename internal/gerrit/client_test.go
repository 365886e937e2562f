// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// now is later than all that happens on a stand-in.
var now = time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)

// connect returns a client for a server; edit may change its options. Waiting
// takes no time.
func connect(t *testing.T, s *standin.Server, edit func(*Options)) *Client {
	t.Helper()
	o := Options{
		URL: s.URL(), UserAgent: "test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Now:   func() time.Time { return now },
		Notes: func(note string) { t.Errorf("unexpected note: %s", note) },
	}
	if edit != nil {
		edit(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as makes the client log in.
func as(username string) func(*Options) {
	return func(o *Options) { o.Username, o.Password = username, "password-of-"+username }
}

// serve starts a server with the project spdk/spdk and one commit on master.
func serve(t *testing.T, o standin.Options) (*standin.Server, *standin.Project) {
	t.Helper()
	s := standin.Serve(t, o)
	p := s.Project("spdk/spdk")
	p.Commit("master", map[string]string{"README": "hello\n"})
	return s, p
}

// spdk is a change of the project that serve makes.
func spdk(number int) change.Address { return change.Address{Project: "spdk/spdk", Number: number} }

func TestNew(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url, user, password string
		base, problem       string
	}{
		{url: "https://review.spdk.io/gerrit", base: "https://review.spdk.io/gerrit"},
		{url: "https://review.spdk.io/gerrit/", base: "https://review.spdk.io/gerrit"},
		{url: "https://review.spdk.io/gerrit/a/", base: "https://review.spdk.io/gerrit"},
		{url: "https://review.example.org", base: "https://review.example.org"},
		{url: "http://[::1]:8080//", base: "http://[::1]:8080", user: "ci", password: "x"},
		{url: "https://ci:secret@review.example.org:443/", problem: "must not contain '@'"},
		{url: "https://review.example.org/a@b:80/", problem: "must not contain '@'"},
		{url: "review.example.org", problem: "must begin with https://"},
		{url: "ssh://review.example.org:29418", problem: "must begin with https://"},
		{url: "https:///gerrit", problem: "must begin with https://"},
		{url: "https://review.example.org/?x", problem: "must not have a query"},
		{url: "https://review.example.org/#/q/", problem: "must not have a query"},
		{url: "https://review.example.org:x", problem: "cannot be parsed"},
		{url: "https://review.example.org", user: "ci", problem: "must be given together"},
		{url: "https://review.example.org", password: "secret", problem: "must be given together"},
	}
	for _, tt := range tests {
		c, err := New(Options{URL: tt.url, Username: tt.user, Password: tt.password})
		switch {
		case tt.problem != "":
			if err == nil || !strings.Contains(err.Error(), tt.problem) || !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
				t.Errorf("%s: got %v with hint %q; want a configuration failure, %q", tt.url, err, fault.HintOf(err), tt.problem)
			}
			if err != nil && strings.Contains(err.Error()+fault.HintOf(err), "secret") {
				t.Errorf("%s: the error gives the password away: %v", tt.url, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.url, err)
		case c.base.String() != tt.base:
			t.Errorf("%s: got base %s, want %s", tt.url, c.base, tt.base)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	o := Options{URL: "https://review.spdk.io/gerrit/"}
	anonymous, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Username, o.Password = "ci", "secret"
	signed, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want string }{
		{anonymous.GitURL("spdk/spdk"), "https://review.spdk.io/gerrit/spdk/spdk"},
		{signed.GitURL("spdk/spdk"), "https://review.spdk.io/gerrit/a/spdk/spdk"},
		{signed.GitURL("a b/c+d/../%"), "https://review.spdk.io/gerrit/a/a%20b/c%2Bd/../%25"},
		{signed.ChangeURL("spdk/spdk", 12345), "https://review.spdk.io/gerrit/c/spdk/spdk/+/12345"},
		{anonymous.ChangeURL("a?b#c", 1), "https://review.spdk.io/gerrit/c/a%3Fb%23c/+/1"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{BasePath: "/gerrit", Version: "3.9.1\x1b[2J"})
	got, err := connect(t, s, nil).Version(t.Context())
	if want := "3.9.1 [2J"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{BasePath: "/gerrit"})
	ann, bob := s.Account("ann"), s.Account("bob")
	s.Group("CI trusted/people+", "ann").Include(s.Group("inner", "bob"))
	c := connect(t, s, as("ann"))
	got, err := c.Members(t.Context(), "CI trusted/people+")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int]bool{ann.ID: true, bob.ID: true}, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if _, err := c.Members(t.Context(), "none"); !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), "group's name") {
		t.Errorf("no such group: got %v with hint %q", err, fault.HintOf(err))
	}
	if _, err := connect(t, s, nil).Members(t.Context(), "inner"); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "Authentication required") {
		t.Errorf("anonymous: got %v", err)
	}
}

// TestMembersBehindAProxy: a group is found where no %2F comes through.
func TestMembersBehindAProxy(t *testing.T) {
	t.Parallel()
	for _, slashes := range []standin.Slashes{standin.SlashesRefused, standin.SlashesDecoded} {
		s, _ := serve(t, standin.Options{Slashes: slashes})
		bob := s.Account("bob")
		s.Group("CI trusted/people+").Include(s.Group("inner", "bob"))
		c := connect(t, s, as("bob"))
		if got, err := c.Members(t.Context(), "CI trusted/people+"); err != nil || !got[bob.ID] {
			t.Errorf("%d: got %v, %v", slashes, got, err)
		}
		if _, err := c.Members(t.Context(), "no/such"); !strings.Contains(fault.HintOf(err), "group's name") {
			t.Errorf("%d: no such group: got %v with hint %q", slashes, err, fault.HintOf(err))
		}
	}
}

// TestCredentials: they are in a header and nowhere else, and change what is seen.
func TestCredentials(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	p.Push(standin.Draft{Owner: "ann"})
	p.Push(standin.Draft{Owner: "ann", Private: true, WIP: true, Topic: "t", Hashtags: []string{"x"}})
	open := func(edit func(*Options)) []change.Change {
		t.Helper()
		list, err := connect(t, s, edit).Open(t.Context(), Query{Project: "spdk/spdk"})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if diff := cmp.Diff([]int{1}, numbers(open(nil))); diff != "" {
		t.Errorf("anonymous (-want +got):\n%s", diff)
	}
	list := open(as("ann"))
	if diff := cmp.Diff([]int{1, 2}, numbers(list)); diff != "" {
		t.Fatalf("ann (-want +got):\n%s", diff)
	}
	if c := list[1]; !c.Private || !c.WIP || c.Topic != "t" || !cmp.Equal(c.Hashtags, []string{"x"}) {
		t.Errorf("got %+v", c)
	}
	requests := s.Requests()
	if len(requests) != 2 || requests[0].User != "" || requests[1].User != "ann" || !strings.HasPrefix(requests[1].Path, "/a/changes/?") {
		t.Errorf("got requests %v", requests)
	}
}

// numbers returns the numbers of a list of changes.
func numbers(list []change.Change) []int {
	var all []int
	for _, c := range list {
		all = append(all, c.Number)
	}
	return all
}
