// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
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

// numbers returns the numbers of a list of changes.
func numbers(list []change.Change) []int {
	var all []int
	for _, c := range list {
		all = append(all, c.Number)
	}
	return all
}

func TestOpenReadsSixHundredChangesWithTwoRequests(t *testing.T) {
	t.Parallel()
	s := standin.Serve(t, standin.Options{BasePath: "/gerrit"})
	p := s.Project("spdk/spdk")
	p.Commit("master", map[string]string{"README": "hello\n"})
	var want []int
	for range 600 {
		want = append(want, p.Push(standin.Draft{}).Number())
	}
	list, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, numbers(list)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if got := s.Requests(); len(got) != 2 {
		t.Errorf("got %d requests, want 2: %v", len(got), got)
	}
}
