// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

func TestRelated(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	low := p.Push(standin.Draft{Subject: "Low"})
	middle := p.Push(standin.Draft{Subject: "Middle", Parent: low})
	high := p.Push(standin.Draft{Subject: "High", Parent: middle})
	alone := p.Push(standin.Draft{})
	first := middle.Revision()
	middle.Amend(nil) // high still builds on the first patchset
	low.Submit()
	high.Abandon()

	c := connect(t, s, nil)
	got, err := c.Related(t.Context(), spdk(high.Number()), high.Revision())
	want := []change.Related{
		{ID: change.ID{Change: 3, Patchset: 1}, Current: 1, Revision: high.Revision(), Status: change.Abandoned, Subject: "High"},
		{ID: change.ID{Change: 2, Patchset: 1}, Current: 2, Revision: first, Status: change.New, Subject: "Middle"},
		{ID: change.ID{Change: 1, Patchset: 1}, Current: 1, Revision: low.Revision(), Status: change.Merged, Subject: "Low"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("chain (-want +got), %v:\n%s", err, diff)
	}
	if got, err := c.Related(t.Context(), spdk(alone.Number()), alone.Revision()); err != nil || len(got) != 0 {
		t.Errorf("without relatives: got %v, %v", got, err)
	}
	for _, number := range []int{alone.Number(), 99} {
		if _, err := c.Related(t.Context(), spdk(number), first); !errors.Is(err, ErrGone) {
			t.Errorf("change %d has no patchset %s: got %v", number, first, err)
		}
	}
	s.Requests()
	if _, err := c.Related(t.Context(), spdk(1), "current"); !errors.Is(err, fault.Ours) || len(s.Requests()) != 0 {
		t.Errorf("no revision: got %v", err)
	}
}

// TestOddRelatives: what Gerrit would not send is left out and noted.
func TestOddRelatives(t *testing.T) {
	t.Parallel()
	const good = `{"commit":{"commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"s"},"_change_number":1,"_revision_number":2,"_current_revision_number":3,"status":"NEW"}`
	tests := []struct {
		old, new, note string // no note: left out in silence
	}{
		{`"commit":"aaaa`, `"commit":"--aa`, "is not a commit id"},
		{`"_change_number":1`, `"_change_number":-1`, "cannot be"},
		{`"_revision_number":2`, `"_revision_number":4`, "patchset 1/4 of 3 cannot be"},
		{`"status":"NEW"`, `"status":"\u001b[2J"`, "is not a change's status"},
		{`"_change_number":1,"_revision_number":2,"_current_revision_number":3,"status":"NEW"`, `"x":1`, ""},
	}
	s, _ := serve(t, standin.Options{})
	for _, tt := range tests {
		s.Faults.Clear()
		s.Faults.Add(faults.Rule{Do: faults.Answer(200, ")]}'\n"+`{"changes":[`+strings.Replace(good, tt.old, tt.new, 1)+","+good+"]}")})
		var notes []string
		c := connect(t, s, func(o *Options) { o.Notes = func(n string) { notes = append(notes, n) } })
		got, err := c.Related(t.Context(), spdk(1), change.Revision(strings.Repeat("b", 40)))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: got %v, %v; want the good one only", tt.new, got, err)
		}
		if text := strings.Join(notes, ""); (text == "") != (tt.note == "") || !strings.Contains(text, tt.note) || strings.ContainsAny(text, "\x1b\n") {
			t.Errorf("%s: got notes %q, want %q", tt.new, notes, tt.note)
		}
	}
}
