// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func emptyPack() io.Reader { return bytes.NewReader(EmptyPack()) }

func mustPush(t *testing.T, r *Remote, q PushRequest) *Report {
	t.Helper()
	report, err := r.Push(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestPushResults holds what C git answers command by command. Newer versions
// word some reasons in another way, so only the part that all share is checked.
func TestPushResults(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	m := b.repo("mirror.git")
	ids := m.history("refs/heads/master", 2, 1)
	m.git("update-ref", "refs/heads/dir/file", ids[0])
	m.git("update-ref", "refs/heads/old", ids[0])
	missing := strings.Repeat("12345", 8)
	cases := []struct {
		name     string
		commands []Command
		want     []string // "" is ok, else a part of the reason
		says     string   // a part of the messages
	}{
		{"create", []Command{{"refs/heads/new", "", ids[1]}}, []string{""}, ""},
		{"create what exists", []Command{{"refs/heads/master", "", ids[1]}}, []string{"failed to update ref|already exists"}, "already exists"},
		{"update", []Command{{"refs/heads/old", ids[0], ids[1]}}, []string{""}, ""},
		{"update to the same", []Command{{"refs/heads/old", ids[1], ids[1]}}, []string{""}, ""},
		{"update with a wrong old", []Command{{"refs/heads/old", ids[0], ids[1]}}, []string{"failed to update ref|is at"}, ""},
		{"funny name", []Command{{"refs/heads/a..b", "", ids[0]}, {"refs/heads/funny2", "", ids[0]}}, []string{"funny refname", ""}, ""},
		{"missing object", []Command{{"refs/heads/m1", "", missing}, {"refs/heads/m2", "", ids[0]}}, []string{"missing necessary objects|bad pack", ""}, ""},
		{"clash", []Command{{"refs/heads/dir", "", ids[0]}, {"refs/heads/c2", "", ids[0]}}, []string{"failed to update ref|exists", ""}, ""},
		{"delete", []Command{{"refs/heads/new", ids[1], ""}}, []string{""}, ""},
		{"delete with a wrong old", []Command{{"refs/heads/old", ids[0], ""}, {"refs/heads/m2", ids[0], ""}}, []string{"failed to|is at", ""}, ""},
	}
	r := b.remote("mirror.git", Options{})
	for _, c := range cases {
		q := PushRequest{Commands: c.commands}
		if c.commands[0].New != "" {
			q.Pack = emptyPack()
		}
		report := mustPush(t, r, q)
		if report.Unpack != "ok" || len(report.Results) != len(c.want) {
			t.Errorf("%s: got report %+v, want ok and %d results", c.name, report, len(c.want))
			continue
		}
		for i, res := range report.Results {
			if res.Ref != c.commands[i].Ref || !matchesReason(res.Reason, c.want[i]) {
				t.Errorf("%s: got %+v, want reason %q for %s", c.name, res, c.want[i], c.commands[i].Ref)
			}
		}
		if !strings.Contains(report.Messages, c.says) {
			t.Errorf("%s: got messages %q, want %q in them", c.name, report.Messages, c.says)
		}
	}
	if want := (ids[1]); m.rev("refs/heads/old") != want || m.rev("refs/heads/c2") != ids[0] || m.rev("refs/heads/new") != "" {
		t.Errorf("the mirror does not have what the reports say:\n%s", m.git("for-each-ref"))
	}
	for _, line := range b.seen() {
		if line != "POST /mirror.git/git-receive-pack" {
			t.Errorf("got request %s, want pushes without a request before them", line)
		}
	}
}

func matchesReason(got, want string) bool {
	if want == "" || got == "" {
		return got == want
	}
	for alternative := range strings.SplitSeq(want, "|") {
		if strings.Contains(got, alternative) {
			return true
		}
	}
	return false
}

// TestPushOfBadPacks checks that a pack which does not unpack changes nothing.
func TestPushOfBadPacks(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	source, m := b.repo("source.git"), b.repo("mirror.git", "receive.maxInputSize=4500")
	ids := source.history("refs/heads/master", 3, 4)
	whole := source.pack(ids[2])
	thin := source.pack(ids[2], "^"+ids[1])
	big := PushRequest{Pack: bytes.NewReader(source.pack(source.bulk("refs/heads/big", 5000)))}
	cases := map[string]PushRequest{
		"truncated":  {Pack: bytes.NewReader(whole[:len(whole)/2])},
		"no base":    {Pack: bytes.NewReader(thin)},
		"over limit": big,
		"spooled":    {Pack: bytes.NewReader(whole[:20]), Spool: true},
	}
	for name, q := range cases {
		q.Commands = []Command{{"refs/heads/a", "", ids[2]}, {"refs/heads/b", "", ids[1]}}
		report := mustPush(t, b.remote("mirror.git", Options{}), q)
		if report.Unpack == "ok" || report.Results[0].Reason == "" || report.Results[1].Reason == "" || report.Messages == "" {
			t.Errorf("%s: got report %+v, want everything refused, and why", name, report)
		}
		if m.git("for-each-ref") != "" {
			t.Errorf("%s: the mirror has refs", name)
		}
	}
}

func TestPushThenFetchBack(t *testing.T) {
	t.Parallel()
	for _, spool := range []bool{false, true} {
		b := newBed(t)
		source, m := b.repo("source.git"), b.repo("mirror.git", "receive.fsckObjects=true")
		id := source.bulk("refs/heads/master", 2<<20)
		pack, err := b.remote("source.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		b.seen()
		report := mustPush(t, b.remote("mirror.git", Options{}), PushRequest{Commands: []Command{{"refs/heads/master", "", id}}, Pack: pack, Spool: spool})
		if report.Unpack != "ok" || m.rev("refs/heads/master") != id {
			t.Errorf("spool %v: got report %+v, want the commit on the mirror", spool, report)
		}
		b.mu.Lock()
		length := b.requests[0].ContentLength
		b.mu.Unlock()
		if spool != (length > 2<<20) || !spool && length != -1 {
			t.Errorf("spool %v: got Content-Length %d", spool, length)
		}
	}
}

func TestPushChecksItsRequest(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := strings.Repeat("a", 40)
	create := Command{"refs/heads/x", "", id}
	cases := map[string]PushRequest{
		"no commands":        {Pack: emptyPack()},
		"no pack":            {Commands: []Command{create}},
		"deletes refs only":  {Commands: []Command{{"refs/heads/x", id, ""}}, Pack: emptyPack()},
		"twice":              {Commands: []Command{create, create}, Pack: emptyPack()},
		"cannot be the name": {Commands: []Command{{"refs/heads/x\x00y", "", id}}, Pack: emptyPack()},
		"name of a ref":      {Commands: []Command{{"HEAD", "", id}}, Pack: emptyPack()},
		"not SHA-1":          {Commands: []Command{{"refs/heads/x", "", id + id[:24]}}, Pack: emptyPack()},
		"no object id":       {Commands: []Command{{"refs/heads/x", "", ""}}},
		"null id":            {Commands: []Command{{"refs/heads/x", null, id}}, Pack: emptyPack()},
	}
	for want, q := range cases {
		_, err := b.remote("x.git", Options{}).Push(t.Context(), q)
		wantError(t, err, want, fault.Ours)
	}
	if got := b.seen(); got != nil {
		t.Errorf("got requests %v, want none", got)
	}
}

func TestPushRequestOnTheWire(t *testing.T) {
	t.Parallel()
	id1, id2 := strings.Repeat("1", 40), strings.Repeat("2", 40)
	r := open(t, "https://h/r", Options{UserAgent: "git/1 x\ny"})
	got, err := r.encode(PushRequest{Commands: []Command{{"refs/a/b", "", id1}, {"refs/c/d", id1, id2}, {"refs/e/f", id2, ""}}, Pack: emptyPack()})
	if err != nil {
		t.Fatal(err)
	}
	want := packets(null+" "+id1+" refs/a/b\x00 report-status side-band-64k ofs-delta agent=git/1-x-y",
		id1+" "+id2+" refs/c/d", id2+" "+null+" refs/e/f") + "0000"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}
