// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

func TestQueryText(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		q    Query
		want string
	}{
		{Query{Project: "spdk/spdk"}, `status:open project:"spdk/spdk"`},
		{Query{Project: "a b", MaxAge: 180 * day}, `status:open project:"a b" -age:180d`},
		{Query{Project: "p", MaxAge: 36 * time.Hour}, `status:open project:"p" -age:36h`},
		{Query{Project: "p", MaxAge: 90 * time.Minute}, `status:open project:"p" -age:90m`},
		{Query{Project: "p", MaxAge: 90500 * time.Millisecond}, `status:open project:"p" -age:90s`},
		{Query{Project: "p", MaxAge: 1}, `status:open project:"p" -age:1s`},
		{Query{Project: "p", Extra: " branch:a OR branch:b\n"}, `status:open project:"p" (branch:a OR branch:b)`},
		{Query{Project: "p", MaxAge: day, Extra: `-"[RFC]"`}, `status:open project:"p" -age:1d (-"[RFC]")`},
	}
	for _, tt := range tests {
		if got := tt.q.text(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestBadProjectNamesAreNotSent(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	c := connect(t, s, nil)
	for _, name := range []string{"", `a" OR project:"b`, "^.*", "a\\b", "a\nb", "/a", "a/", "a//b", "../a", "a/./b", strings.Repeat("x", 501)} {
		if _, err := c.Open(t.Context(), Query{Project: name}); !errors.Is(err, fault.Configuration) {
			t.Errorf("%q: got %v, want a configuration failure", name, err)
		}
	}
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("got requests %v", got)
	}
}

// TestOpen looks at everything that a list of changes tells.
func TestOpen(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	p.Push(standin.Draft{Owner: "ann"}).Abandon()
	s.Project("spdk/spdk-other").Push(standin.Draft{})
	low := p.Push(standin.Draft{Owner: "ann", Subject: "Low", Branch: "v1", Files: map[string]string{"lib/b.c": "", "lib/a.c": ""}})
	high := p.Push(standin.Draft{Owner: "ann", Parent: low})
	high.AmendAs("bob", nil)
	high.Vote("ci", "Verified", -1)
	high.Vote("ann", "Code-Review", 2)
	high.Vote("bob", "Code-Review", -1)

	c := connect(t, s, nil)
	list, err := c.Open(t.Context(), Query{Project: "spdk/spdk", Extra: "owner:ann OR owner:bob", Files: true, Votes: true})
	if err != nil {
		t.Fatal(err)
	}
	ann, bob, ci := user(s, "ann"), user(s, "bob"), user(s, "ci")
	at := func(second int) time.Time { return time.Date(2026, 1, 5, 8, 0, second, 0, time.UTC) }
	want := []change.Change{{
		Project: "spdk/spdk", Number: 3, Branch: "v1", Subject: "Low", Status: change.New, Owner: ann, Updated: at(5),
		Current: change.Patchset{Number: 1, Revision: low.Revision(), Kind: change.Rework, Created: at(5), Uploader: ann},
		Files:   []string{"lib/a.c", "lib/b.c"},
	}, {
		Project: "spdk/spdk", Number: 4, Branch: "master", Subject: "Change number 4", Status: change.New, Owner: ann, Updated: at(10),
		Current: change.Patchset{Number: 2, Revision: high.Revision(), Kind: change.Rework, Created: at(7), Uploader: bob},
		Files:   []string{"lib/file4.c"},
		Votes:   []change.Vote{{Label: "Code-Review", Value: 2, Account: ann, At: at(9)}, {Label: "Code-Review", Value: -1, Account: bob, At: at(10)}, {Label: "Verified", Value: -1, Account: ci, At: at(8)}},
	}}
	for i := range list {
		if !changeIDPattern.MatchString(list[i].ChangeID) {
			t.Errorf("got Change-Id %q", list[i].ChangeID)
		}
		list[i].ChangeID = ""
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	plain, err := c.Open(t.Context(), Query{Project: "spdk/spdk"})
	if err != nil || len(plain) != 2 || plain[1].Files != nil || plain[1].Votes != nil {
		t.Errorf("without files and votes: got %+v, %v", plain, err)
	}
	built, err := c.Open(t.Context(), Query{Project: "spdk/spdk", Parents: true})
	if err != nil || len(built) != 2 || plain[1].Current.Parents != nil || !slices.Equal(built[1].Current.Parents, []change.Revision{low.Revision()}) {
		t.Errorf("with parents: got %+v, %v", built, err)
	}
}

func user(s *standin.Server, name string) change.Account {
	a := s.Account(name)
	return change.Account{ID: a.ID, Username: a.Username, Name: a.Name, Email: a.Email}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{})
	p.Push(standin.Draft{})
	s.Advance(48 * time.Hour)
	p.Push(standin.Draft{})
	list, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk", MaxAge: 47 * time.Hour})
	if diff := cmp.Diff([]int{2}, numbers(list)); diff != "" || err != nil {
		t.Errorf("changes (-want +got), %v:\n%s", err, diff)
	}
}

// TestChangeIDs: Gerrit takes what begins like one, whoever made it up.
func TestChangeIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"Ib097", "ib097efb75f9d12f0013c9db802e66ef0eebc2abd", "Ib097efb75f9d12f0013c9db802e66ef0eebc2abd-stable", "I8473B959"} {
		var info changeInfo
		if err := json.Unmarshal([]byte(strings.Replace(realChange, "Ib097efb75f9d12f0013c9db802e66ef0eebc2abd\",\"subject", id+"\",\"subject", 1)), &info); err != nil {
			t.Fatal(err)
		}
		if c, err := decode(&info); err != nil || c.ChangeID != id {
			t.Errorf("%s: got %q, %v", id, c.ChangeID, err)
		}
	}
}

// TestImported: only a change of another server has a number that is not its own.
func TestImported(t *testing.T) {
	t.Parallel()
	for old, want := range map[bool][]bool{false: {false, true}, true: {false, false}} {
		s, p := serve(t, standin.Options{NoVirtualIDs: old})
		p.Push(standin.Draft{})
		p.Push(standin.Draft{Imported: 7})
		c := connect(t, s, nil)
		list, err := c.Open(t.Context(), Query{Project: "spdk/spdk"})
		if err != nil || len(list) != 2 {
			t.Fatalf("got %+v, %v", list, err)
		}
		for i := range list {
			whole, err := c.Change(t.Context(), list[i].Address())
			if err != nil || list[i].Imported != want[i] || whole.Imported != want[i] {
				t.Errorf("change %d: got %t and %t, %v; want %t", list[i].Number, list[i].Imported, whole.Imported, err, want[i])
			}
		}
	}
}

// TestHostileEntries: an entry that is not what Gerrit would send is left out
// and noted; the others come through.
func TestHostileEntries(t *testing.T) {
	t.Parallel()
	const good = `{"project":"spdk/spdk","branch":"master","change_id":"I0a19ba26360add6a2fb5d4c641f34277a7239400","subject":"s","status":"NEW",` +
		`"updated":"2026-01-05 08:00:02.000000000","_number":1234,"owner":{"_account_id":7},"current_revision":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",` +
		`"revisions":{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":{"_number":2,"ref":"refs/changes/34/1234/2","uploader":{"_account_id":7}}}}`
	tests := []struct{ old, new, note string }{
		{`"ref":"refs/changes/34/1234/2"`, `"ref":"refs/heads/master"`, "is not a patchset ref"},
		{`"ref":"refs/changes/34/1234/2"`, `"ref":"refs/changes/35/1234/2"`, "wrong shard"},
		{`"ref":"refs/changes/34/1234/2"`, `"ref":"refs/changes/34/1234/3"`, "does not belong to patchset 1234/2"},
		{`"ref":"refs/changes/34/1234/2"`, `"ref":"refs/changes/34/1234/2/../../../../heads/x"`, "is not a patchset ref"},
		{`"_number":2`, `"_number":-2`, "does not belong to patchset 1234/-2"},
		{`"_number":1234`, `"_number":-1234`, "does not belong to patchset -1234/2"},
		{`"_number":1234`, `"_number":4321`, "does not belong to patchset 4321/2"},
		{`"revisions":{"aaaa`, `"revisions":{"--upload-pack=x":{},"aaaa`, "is not a commit id"},
		{`"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":`, `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA":`, "is not a commit id"},
		{`"current_revision":"aaaa`, `"current_revision":"bbbb`, "is not described"},
		{`"project":"spdk/spdk"`, `"project":"spdk/other"`, `it is of project "spdk/other"`},
		{`"project":"spdk/spdk"`, `"project":"../x"`, "no part between slashes"},
		{`"branch":"master"`, `"branch":"refs/meta/config"`, "must not begin with"},
		{`"branch":"master"`, `"branch":"a\u001b[2Jb"`, "control characters"},
		{`"status":"NEW"`, `"status":"MERGED"`, "it is not open"},
		{`"status":"NEW"`, `"status":"new"`, "is not a change's status"},
		{`"change_id":"I0a`, `"change_id":"\n::set-env","x":"I0a`, "is not a Change-Id"},
		{`"change_id":"I0a`, `"change_id":"I0a1","x":"I0a`, "is not a Change-Id"},
		{`"change_id":"I0a`, `"change_id":"I0a19\u001b[2J","x":"I0a`, "is not a Change-Id"},
		{`"change_id":"I0a`, `"change_id":"J0a19","x":"I0a`, "is not a Change-Id"},
		{`"owner":{"_account_id":7}`, `"owner":{}`, "its owner has no account id"},
		{`"uploader":{"_account_id":7}`, `"uploader":{}`, "has no account id"},
		{`"updated":"2026-01-05 08:00:02.000000000",`, ``, "no time of its last update"},
	}
	s, _ := serve(t, standin.Options{})
	for _, tt := range tests {
		bad := strings.Replace(good, tt.old, tt.new, 1)
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Do: faults.Answer(200, ")]}'\n["+bad+","+strings.ReplaceAll(good, "1234", "5634")+"]")})
		var notes []string
		c := connect(t, s, func(o *Options) { o.Notes = func(n string) { notes = append(notes, n) } })
		list, err := c.Open(t.Context(), Query{Project: "spdk/spdk"})
		if err != nil || !slices.Equal(numbers(list), []int{5634}) {
			t.Errorf("%s: got %v, %v; want the good one only", tt.new, numbers(list), err)
		}
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "change ") || !strings.Contains(notes[0], tt.note) || strings.ContainsAny(notes[0], "\x1b\n") {
			t.Errorf("%s: got notes %q, want one with %q", tt.new, notes, tt.note)
		}
		var why error
		c = connect(t, s, func(o *Options) { o.LeftOut = func(_ int, err error) { why = err } })
		if _, err := c.Open(t.Context(), Query{Project: "spdk/spdk"}); err != nil || why == nil || !strings.Contains(why.Error(), tt.note) {
			t.Errorf("%s: got left out: %v, %v; want %q", tt.new, why, err, tt.note)
		}
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{PageLimit: 20})
	var all, want []int
	for i := range 120 {
		c := p.Push(standin.Draft{})
		all = append(all, c.Number())
		switch {
		case i%3 == 0:
			c.Abandon()
			want = append(want, c.Number())
		case i%40 == 1:
			c.Submit()
			want = append(want, c.Number())
		}
	}
	p.Push(standin.Draft{}).Abandon() // not asked for
	list, err := connect(t, s, nil).Closed(t.Context(), "spdk/spdk", append(all, 99999))
	if diff := cmp.Diff(want, numbers(list)); diff != "" || err != nil {
		t.Errorf("closed (-want +got), %v:\n%s", err, diff)
	}
	if list[0].Status != change.Abandoned || list[1].Status != change.Merged || list[1].Updated.IsZero() {
		t.Errorf("got %+v", list[:2])
	}
	s.Requests()
	if list, err := connect(t, s, nil).Closed(t.Context(), "spdk/spdk", nil); err != nil || list != nil || len(s.Requests()) != 0 {
		t.Errorf("of nothing: got %v, %v", list, err)
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	low := p.Push(standin.Draft{Owner: "ann"})
	high := p.Push(standin.Draft{Owner: "ann", Parent: low})
	first := high.Revision()
	low.Amend(map[string]string{"x": "y"})
	high.Rebase()
	high.Vote("bob", "Code-Review", 1)
	hidden := p.Push(standin.Draft{Owner: "ann", Private: true})

	c := connect(t, s, nil)
	got, err := c.Change(t.Context(), spdk(high.Number()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]change.Revision{low.Revision()}, got.Current.Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if len(got.Earlier) != 1 || got.Earlier[0].Revision != first || got.Current.Number != 2 || got.Current.Kind != change.TrivialRebase {
		t.Errorf("got patchsets %+v and %+v", got.Earlier, got.Current)
	}
	if !cmp.Equal(got.Files, []string{"lib/file2.c"}) || len(got.Votes) != 1 || got.Votes[0].Account != user(s, "bob") {
		t.Errorf("got files %v and votes %v", got.Files, got.Votes)
	}
	for _, number := range []int{999, hidden.Number()} {
		if _, err := c.Change(t.Context(), spdk(number)); !errors.Is(err, ErrGone) || !errors.Is(err, fault.Permanent) {
			t.Errorf("change %d: got %v, want ErrGone", number, err)
		}
	}
}

// TestGoneIsNotGuessed: only Gerrit itself can say that a change is gone.
func TestGoneIsNotGuessed(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{})
	p.Push(standin.Draft{})
	p.Push(standin.Draft{})
	other, err := connect(t, s, nil).Change(t.Context(), spdk(2))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"Not Found", "<html>Not found: 1</html>", ""} {
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Do: faults.Answer(404, body)})
		if _, err := connect(t, s, nil).Change(t.Context(), spdk(1)); errors.Is(err, ErrGone) || !errors.Is(err, fault.Configuration) {
			t.Errorf("%q: got %v, want a configuration failure", body, err)
		}
	}
	s.Faults.Clear()
	c := connect(t, s, func(o *Options) { o.Transport = redirect{"~1/", "~2/"} })
	if got, err := c.Change(t.Context(), spdk(1)); !errors.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "is about change 2") {
		t.Errorf("asked for 1 and got %d, %v; want a refusal of %d", got.Number, err, other.Number)
	}
}

func TestNoWaitAfterCancel(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	s.Faults.Add(faults.Rule{Do: faults.Answer(500, "")})
	ctx, cancel := context.WithCancel(t.Context())
	c := connect(t, s, func(o *Options) {
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	})
	if _, err := c.Version(ctx); err == nil || len(s.Requests()) != 1 {
		t.Errorf("got %v, want an error after one request", err)
	}
}
