// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
)

func newClient(t *testing.T, username, password string) *gerrit.Client {
	t.Helper()
	c, err := gerrit.New(gerrit.Options{
		URL: world.gerrit.URL, Username: username, Password: password, Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error { return errors.New("no wait was expected") },
		Notes: func(text string) { t.Errorf("an entry was left out: %s", text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// numbers returns the numbers of changes, sorted.
func numbers(changes []change.Change) []int {
	ns := []int{}
	for _, c := range changes {
		ns = append(ns, c.Number)
	}
	slices.Sort(ns)
	return ns
}

// TestClientPages reads forty changes, most of them updated in the same second,
// from a server that gives three at a time.
func TestClientPages(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	must(t, g.CreateProject(ctx, "client/pages"))
	a := newAuthor(t, g, "client/pages", 1)
	for i := range 4 {
		a.stack(fmt.Sprintf("stack %d", i), 10)
	}
	want := []int{}
	changes, err := g.Changes(ctx, "project:client/pages")
	must(t, err)
	for _, c := range changes {
		want = append(want, c.Number)
	}
	slices.Sort(want)
	if len(want) != 40 {
		t.Fatalf("got %d changes on the server, want 40", len(want))
	}

	limit := rig.Rule{Action: "ALLOW", Min: 0, Max: 3}
	must(t, g.Grant(ctx, "All-Projects", "GLOBAL_CAPABILITIES", "queryLimit", rig.AnonymousUsers, limit))
	t.Cleanup(func() {
		must(t, g.Revoke(context.WithoutCancel(ctx), "All-Projects", "GLOBAL_CAPABILITIES", "queryLimit", rig.AnonymousUsers))
	})
	for _, user := range []string{"", botUser} {
		password := botPassword
		if user == "" {
			password = ""
		}
		if _, err := g.Requests(ctx); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		got, err := newClient(t, user, password).Open(ctx, gerrit.Query{Project: "client/pages"})
		must(t, err)
		requests, err := g.Requests(ctx)
		must(t, err)
		t.Logf("as %q: %d requests in %s for 40 changes, 3 at a time", user, len(requests), time.Since(begin).Round(time.Millisecond))
		if diff := cmp.Diff(want, numbers(got)); diff != "" {
			t.Errorf("as %q (-want +got):\n%s", user, diff)
		}
	}
}

// TestClientChange reads one change with all that Gerrit tells of it.
func TestClientChange(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	must(t, g.CreateProject(ctx, "client/one"))
	a := newAuthor(t, g, "client/one", 2)
	below := a.write("below")
	a.push(below, "")
	d := a.write(awkward[0], below.oid)
	a.push(d, "%topic=a-topic,hashtag=a-tag")
	first := d.oid
	a.amend(d)
	a.push(d, "")
	number := a.number(d)
	must(t, g.Review(ctx, number, "looks good", map[string]int{"Verified": 1, "Code-Review": -2}))

	client := newClient(t, botUser, botPassword)
	got, err := client.Change(ctx, change.Address{Project: "client/one", Number: number})
	must(t, err)
	admin := change.Account{ID: 1000000, Username: rig.AdminUser, Name: "Administrator", Email: "admin@example.com"}
	want := change.Change{
		Project: "client/one", Number: number, ChangeID: d.id, Branch: "master", Topic: "a-topic",
		Subject: awkward[0], Status: change.New, Owner: admin, Hashtags: []string{"a-tag"},
		Updated: got.Updated,
		Current: change.Patchset{
			Number: 2, Revision: change.Revision(d.oid), Kind: change.Rework, Created: got.Current.Created,
			Uploader: admin, Parents: []change.Revision{change.Revision(below.oid)},
		},
		Files: []string{"lib/amended.c", "lib/part2.c"},
		Votes: []change.Vote{{Label: "Code-Review", Value: -2, Account: admin}, {Label: "Verified", Value: 1, Account: admin}},
		Earlier: []change.Patchset{{
			Number: 1, Revision: change.Revision(first), Kind: change.Rework, Uploader: admin,
		}},
	}
	want.Messages = got.Messages // see TestReviewIsRead
	for i := range want.Votes {  // in the second of the message that tells of them
		want.Votes[i].At = got.Messages[len(got.Messages)-1].At.Truncate(time.Second)
	}
	if len(got.Earlier) == 1 {
		want.Earlier[0].Created = got.Earlier[0].Created
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Change (-want +got):\n%s", diff)
	}
	if age := time.Since(got.Current.Created); age < 0 || age > 10*time.Minute {
		t.Errorf("got a patchset of age %s, want a few seconds: is its time zone right?", age)
	}
	if _, err := client.Change(ctx, change.Address{Project: "client/one", Number: 999_999}); !errors.Is(err, gerrit.ErrGone) {
		t.Errorf("got %v for a change that is not there, want ErrGone", err)
	}

	open, err := client.Open(ctx, gerrit.Query{Project: "client/one", Extra: "topic:a-topic", MaxAge: time.Hour, Files: true, Votes: true})
	must(t, err)
	if len(open) != 1 {
		t.Fatalf("got %d open changes with the topic, want 1", len(open))
	}
	want.Earlier, want.Current.Parents, want.Messages = nil, nil, nil // the list does not tell
	if diff := cmp.Diff(want, open[0]); diff != "" {
		t.Errorf("Open (-want +got):\n%s", diff)
	}
}

// TestClientClosed finds what was merged and abandoned among all numbers.
func TestClientClosed(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	must(t, g.CreateProject(ctx, "client/closed"))
	a := newAuthor(t, g, "client/closed", 3)
	chain := a.stack("part", 4)
	ns := []int{}
	for _, d := range chain {
		ns = append(ns, a.number(d))
	}
	must(t, g.Review(ctx, ns[0], "", map[string]int{"Code-Review": 2}))
	must(t, g.Act(ctx, ns[0], "submit", nil))
	must(t, g.Act(ctx, ns[2], "abandon", nil))

	got, err := newClient(t, botUser, botPassword).Closed(ctx, "client/closed", append(ns, 999_999))
	must(t, err)
	status := map[int]change.Status{}
	for _, c := range got {
		status[c.Number] = c.Status
	}
	if diff := cmp.Diff(map[int]change.Status{ns[0]: change.Merged, ns[2]: change.Abandoned}, status); diff != "" {
		t.Errorf("closed changes (-want +got):\n%s", diff)
	}
}

// TestClientMembers reads a group with another one in it.
func TestClientMembers(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	ann, err := g.CreateAccount(ctx, "ann", "pw")
	must(t, err)
	bob, err := g.CreateAccount(ctx, "bob", "pw")
	must(t, err)
	if _, err := g.CreateGroup(ctx, "inner people", []string{"bob"}, nil); err != nil {
		t.Fatal(err)
	}
	outer, err := g.CreateGroup(ctx, "outer/people", []string{"ann"}, []string{"inner people"})
	must(t, err)

	admin := newClient(t, rig.AdminUser, rig.AdminPassword)
	for _, name := range []string{"outer/people", outer} {
		got, err := admin.Members(ctx, name)
		must(t, err)
		if diff := cmp.Diff(map[int]bool{ann: true, bob: true}, got); diff != "" {
			t.Errorf("members of %s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := admin.Members(ctx, "no such group"); fault.KindOf(err) != fault.Configuration {
		t.Errorf("got %v (%s) for a group that is not there, want a configuration failure", err, fault.KindOf(err))
	}
	if _, err := newClient(t, "", "").Members(ctx, "outer/people"); fault.KindOf(err) != fault.Configuration {
		t.Errorf("got %v (%s) without credentials, want a configuration failure", err, fault.KindOf(err))
	}
	if _, err := newClient(t, botUser, "wrong").Members(ctx, "outer/people"); fault.KindOf(err) != fault.Configuration {
		t.Errorf("got %v (%s) with a wrong password, want a configuration failure", err, fault.KindOf(err))
	}
	if v, err := admin.Version(ctx); err != nil || v == "" {
		t.Errorf("got version %q (%v)", v, err)
	}
}
