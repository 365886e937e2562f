// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// fake is a source and a mirror for what no git server can be brought to do.
type fake struct {
	refs          map[string]string
	fetches, push int
	fetch         func(gitwire.FetchRequest) error
	answer        func(gitwire.PushRequest) (*gitwire.Report, error)
	slept         time.Duration
}

func (f *fake) Fetch(_ context.Context, q gitwire.FetchRequest) (io.ReadCloser, error) {
	f.fetches++
	if f.fetch != nil {
		if err := f.fetch(q); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(bytes.NewReader(gitwire.EmptyPack())), nil
}

func (f *fake) ListRefs(_ context.Context, prefixes []string, visit func(gitwire.Ref) error) error {
	for name, oid := range f.refs {
		if err := visit(gitwire.Ref{Name: name, OID: oid}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Push(_ context.Context, q gitwire.PushRequest) (*gitwire.Report, error) {
	f.push++
	return f.answer(q)
}

func (f *fake) relay() *Relay {
	now := time.Unix(1700000000, 0)
	return &Relay{
		Source: f, Mirror: f, Allowed: func(string) bool { return true },
		Now: func() time.Time { return now },
		Sleep: func(_ context.Context, d time.Duration) error {
			now = now.Add(d)
			f.slept += d
			return nil
		},
	}
}

// items makes n patchsets with a ref each.
func (f *fake) items(n int) []Item {
	items := make([]Item, n)
	for i := range items {
		id := change.ID{Change: i + 1, Patchset: 1}
		items[i] = Item{ID: id, Want: sha(i), Updates: []Update{{Ref: change.CustomRefs.Ref(id), New: sha(i)}}}
	}
	return items
}

// says makes a report that gives each command the same reason.
func says(q gitwire.PushRequest, unpack, reason, messages string) *gitwire.Report {
	rep := &gitwire.Report{Unpack: unpack, Messages: messages}
	for _, c := range q.Commands {
		rep.Results = append(rep.Results, gitwire.Result{Ref: c.Ref, Reason: reason})
	}
	return rep
}

// TestTooManyCulprits: the pushes of one Move are bounded, and paced; the rest
// is left for the next pass without blame.
func TestTooManyCulprits(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(q gitwire.PushRequest) (*gitwire.Report, error) {
		return says(q, "ok", "pre-receive hook declined", "error: GH001: Large files detected.\n"), nil
	}}
	_, results := f.relay().Move(t.Context(), nil, f.items(64))
	poisoned, left := 0, 0
	for _, res := range results {
		switch {
		case res.Refused != "":
			poisoned++
		case errors.Is(res.Err, fault.Transient) && strings.Contains(res.Err.Error(), "left for the next pass"):
			left++
		}
	}
	if f.push != maxPushes || poisoned == 0 || poisoned+left != 64 {
		t.Errorf("got %d pushes, %d poisoned and %d left; want %d pushes and all 64 in one of these", f.push, poisoned, left, maxPushes)
	}
	if f.slept != 5*time.Minute {
		t.Errorf("slept %v, want 5m0s for the pace", f.slept)
	}
}

// TestUnreadableChanges: each want that the server does not give costs a fetch,
// and the number of fetches is bounded too.
func TestUnreadableChanges(t *testing.T) {
	t.Parallel()
	f := &fake{
		fetch:  func(q gitwire.FetchRequest) error { return &gitwire.WantError{OID: q.Wants[0]} },
		answer: func(gitwire.PushRequest) (*gitwire.Report, error) { return nil, errors.New("not reached") },
	}
	_, results := f.relay().Move(t.Context(), nil, f.items(maxFetches+5))
	if !errors.Is(results[0].Err, fault.Permanent) || results[0].Refused != "" {
		t.Errorf("first: got %+v, want a permanent failure that poisons nothing", results[0])
	}
	if last := results[maxFetches]; !errors.Is(last.Err, fault.Transient) {
		t.Errorf("last: got %v, want it left for the next pass", last.Err)
	}
	if f.fetches != maxFetches || f.push != 0 {
		t.Errorf("got %d fetches and %d pushes, want %d and none", f.fetches, f.push, maxFetches)
	}
}

// TestWantNobodyAskedFor: a server that names another object must not keep us
// asking.
func TestWantNobodyAskedFor(t *testing.T) {
	t.Parallel()
	f := &fake{fetch: func(gitwire.FetchRequest) error {
		return fault.Wrap(fault.Permanent, &gitwire.WantError{OID: string(sha(99))})
	}}
	_, results := f.relay().Move(t.Context(), nil, f.items(2))
	for i, res := range results {
		if !errors.Is(res.Err, fault.Permanent) {
			t.Errorf("item %d: got %v, want a permanent failure", i, res.Err)
		}
	}
	if f.fetches > 4 {
		t.Errorf("got %d fetches, want at most 4", f.fetches)
	}
}

// TestSourceRefusesAll: a source that can serve nothing is not asked for each
// object alone.
func TestSourceRefusesAll(t *testing.T) {
	t.Parallel()
	f := &fake{fetch: func(gitwire.FetchRequest) error {
		return fault.New(fault.Permanent, "the server reports an error: nope")
	}}
	_, results := f.relay().Move(t.Context(), nil, f.items(300))
	for i, res := range results {
		if res.Err == nil || res.Refused != "" {
			t.Errorf("item %d: got %+v, want an error and no poison", i, res)
		}
	}
	if f.fetches > 2*maxFetchDivisions+10 {
		t.Errorf("got %d fetches", f.fetches)
	}
}

// TestNoReport: a mirror that answers too many updates with an error instead of
// a report gets fewer at once.
func TestNoReport(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(q gitwire.PushRequest) (*gitwire.Report, error) {
		if len(q.Commands) > 5 {
			return nil, fault.New(fault.Permanent, "the server reports an error: too many ref updates")
		}
		return says(q, "ok", "", ""), nil
	}}
	_, results := f.relay().Move(t.Context(), nil, f.items(20))
	for i, res := range results {
		if res.Err != nil {
			t.Errorf("item %d: %v", i, res.Err)
		}
	}
	if f.push != 7 {
		t.Errorf("got %d pushes, want 7", f.push)
	}
}

// TestBusy: trouble of the mirror itself is tried again and blames nobody.
func TestBusy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		unpack, reason, messages string
	}{
		{"unpack-objects abnormal exit", "unpacker error", "fatal: write error: No space left on device"},
		{"ok", "internal server error", ""},
	}
	for _, tt := range tests {
		for _, failures := range []int{1, 100} {
			t.Run(fmt.Sprint(tt.reason, " ", failures), func(t *testing.T) {
				t.Parallel()
				f := &fake{}
				f.answer = func(q gitwire.PushRequest) (*gitwire.Report, error) {
					if f.push <= failures {
						return says(q, tt.unpack, tt.reason, tt.messages), nil
					}
					return says(q, "ok", "", ""), nil
				}
				_, results := f.relay().Move(t.Context(), nil, f.items(3))
				for i, res := range results {
					if failures == 1 && res.Err != nil || failures > 1 && (!errors.Is(res.Err, fault.Transient) || res.Refused != "") {
						t.Errorf("item %d: got %+v", i, res)
					}
				}
				if want := min(failures+1, 3); f.push != want {
					t.Errorf("got %d pushes, want %d", f.push, want)
				}
			})
		}
	}
}

// TestNeverSent: with no connection there is no doubt about what happened.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(1)
	nobody, err := gitwire.Open("http://127.0.0.1:1/mirror.git", gitwire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.Mirror = nobody
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, transient("failed to reach the mirror"))
}
