// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

func TestSelf(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{BasePath: "/gerrit"})
	s.Account("ci").Robot = true
	if got, err := connect(t, s, as("ci")).Self(t.Context()); err != nil || got != user(s, "ci") {
		t.Errorf("got %+v, %v", got, err)
	}
	s.Requests()
	c := connect(t, s, as("ci"))
	for range 3 {
		if got, err := c.Self(t.Context()); err != nil || got != user(s, "ci") {
			t.Errorf("again: got %+v, %v", got, err)
		}
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("got %d requests, want 1", n)
	}
	if _, err := connect(t, s, nil).Self(t.Context()); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" || len(s.Requests()) != 0 {
		t.Errorf("anonymous: got %v with hint %q", err, fault.HintOf(err))
	}
	s.Faults.Add(faults.Rule{Do: faults.Answer(200, "{}")})
	if _, err := connect(t, s, as("ci")).Self(t.Context()); !errors.Is(err, fault.Permanent) {
		t.Errorf("an account without id: got %v", err)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	ch := p.Push(standin.Draft{})
	s.Restrict("ci", "Code-Review", -1, 1)
	s.Restrict("out", "Code-Review", 0, 0)
	s.Restrict("out", "Verified", 0, 0)
	ranges := func(edit func(*Options)) map[string][2]int {
		t.Helper()
		got, err := connect(t, s, edit).Ranges(t.Context(), spdk(ch.Number()))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := map[string][2]int{"Code-Review": {-1, 1}, "Verified": {-1, 1}}
	steps := []struct {
		name string
		do   func()
		who  func(*Options)
		want map[string][2]int
	}{
		{"open", func() {}, as("ci"), all},
		{"without rights", func() {}, as("out"), map[string][2]int{}},
		{"anonymous", func() {}, nil, map[string][2]int{}},
		{"abandoned", ch.Abandon, as("ci"), map[string][2]int{}},
		{"merged with a vote", func() { ch.Restore(); ch.Vote("ci", "Verified", 1); ch.Submit() }, as("ci"), map[string][2]int{"Code-Review": {0, 1}, "Verified": {1, 1}}},
	}
	for _, step := range steps {
		step.do()
		if diff := cmp.Diff(step.want, ranges(step.who)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if _, err := connect(t, s, nil).Ranges(t.Context(), spdk(99)); !errors.Is(err, ErrGone) {
		t.Errorf("no such change: got %v", err)
	}
}

func TestOddRanges(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, standin.Options{})
	for _, body := range []string{
		`{"_number":2,"owner":{"_account_id":7},"status":"NEW"}`,
		`{"_number":1,"status":"NEW"}`,
		`{"_number":1,"owner":{"_account_id":7},"status":"?"}`,
		`{"_number":1,"owner":{"_account_id":7},"status":"NEW","permitted_labels":{"A":["-1","x"]}}`,
		`{"_number":1,"owner":{"_account_id":7},"status":"NEW","labels":{"A":{"values":{"":"x"}}}}`,
		`{"_number":1,"owner":{"_account_id":7},"status":"NEW","labels":[]}`,
	} {
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Do: faults.Answer(200, ")]}'\n"+body)})
		if got, err := connect(t, s, nil).Ranges(t.Context(), spdk(1)); !errors.Is(err, fault.Permanent) {
			t.Errorf("%s: got %v, %v; want a permanent failure", body, got, err)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	open := ballot{
		status: change.New, labels: map[string][2]int{"CI": {-1, 1}, "Code-Review": {-2, 2}, "Release": {0, 1}},
		mine: map[string][2]int{"CI": {-1, 1}, "Code-Review": {-1, 0}},
	}
	abandoned := open
	abandoned.status, abandoned.mine = change.Abandoned, nil
	tests := []struct {
		b     ballot
		label string
		value int
		want  string
	}{
		{open, "CI", 1, ""},
		{open, "CI", 0, ""},
		{open, "CI", 2, "its values go from -1 to +1"},
		{open, "ci", 1, "the change has no such label"},
		{open, "Code-Review", 2, "ci may vote on it from -1 to 0 only"},
		{open, "Release", 1, "ci may not vote on it"},
		{open, "Release", -1, "its values go from 0 to +1"},
		{abandoned, "CI", 1, "the change is abandoned"},
	}
	for _, tt := range tests {
		if got := tt.b.refusal(tt.label, tt.value, "ci"); got != tt.want {
			t.Errorf("%s %d: got %q, want %q", tt.label, tt.value, got, tt.want)
		}
	}
}
