// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"net/http"
	"regexp"
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

// TestVisible: of all statuses, only what Gerrit itself says to be gone is gone,
// and the rest takes one query.
func TestVisible(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit"})
	s.Account("ci")
	open, merged, abandoned := p.Push(standin.Draft{Owner: "ann"}), p.Push(standin.Draft{Owner: "ann"}), p.Push(standin.Draft{Owner: "ann"})
	private, known, deleted := p.Push(standin.Draft{Owner: "ann"}), p.Push(standin.Draft{Owner: "ann"}), p.Push(standin.Draft{Owner: "ann"})
	noRight := p.Push(standin.Draft{Owner: "ann"})
	elsewhere := s.Project("other").Push(standin.Draft{Owner: "ann"})
	merged.Submit()
	abandoned.Abandon()
	private.SetPrivate(true)
	known.Comment("ci", "Tests have begun.")
	known.SetPrivate(true)
	deleted.Delete()
	noRight.Hide(true)
	asked := []int{999, 1, 2, 3, 4, 5, 6, 7, elsewhere.Number(), 1}
	for _, tt := range []struct {
		who     func(*Options)
		project string
		want    []int
	}{
		{as("ci"), "spdk/spdk", []int{1, 2, 3, 5}},
		{nil, "spdk/spdk", []int{1, 2, 3}},
	} {
		s.Requests()
		got, err := connect(t, s, tt.who).Visible(t.Context(), tt.project, asked)
		if diff := cmp.Diff(tt.want, sortedKeys(got)); diff != "" || err != nil {
			t.Errorf("visible in %q (-want +got), %v:\n%s", tt.project, err, diff)
		}
		if n := len(s.Requests()); n != 1+9-len(tt.want) {
			t.Errorf("%q: got %d requests, want a query and one for each missing change", tt.project, n)
		}
		if got[1].Current.Revision != open.Revision() || got[2].Status != change.Merged || got[3].Status != change.Abandoned {
			t.Errorf("got %+v", got)
		}
		if ch, ok := got[5]; ok && !ch.Private {
			t.Errorf("a private change that the account takes part in is %+v", ch)
		}
	}
	if got, err := connect(t, s, nil).Visible(t.Context(), "spdk/spdk", nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing: got %v, %v", got, err)
	}
}

func sortedKeys(m map[int]change.Change) []int {
	keys := make([]int, 0, len(m))
	for n := range m {
		keys = append(keys, n)
	}
	slices.Sort(keys)
	return keys
}

// TestVisibleWithALateIndex: what the index does not show yet is there.
func TestVisibleWithALateIndex(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{})
	s.SetLag(time.Minute)
	ch := p.Push(standin.Draft{Owner: "ann"})
	hidden := p.Push(standin.Draft{Owner: "ann"})
	got, err := connect(t, s, nil).Visible(t.Context(), "spdk/spdk", []int{1, 2})
	if err != nil || !slices.Equal(sortedKeys(got), []int{1, 2}) || got[1].Current.Revision != ch.Revision() {
		t.Errorf("got %+v, %v", got, err)
	}
	s.Advance(2 * time.Minute)
	hidden.SetPrivate(true)
	s.Requests()
	got, err = connect(t, s, nil).Visible(t.Context(), "spdk/spdk", []int{1, 2})
	if err != nil || !slices.Equal(sortedKeys(got), []int{1, 2}) || len(s.Requests()) != 1 {
		t.Errorf("while the index has it as public: got %v, %v", sortedKeys(got), err)
	}
	s.Advance(2 * time.Minute)
	if got, err = connect(t, s, nil).Visible(t.Context(), "spdk/spdk", []int{1, 2}); err != nil || !slices.Equal(sortedKeys(got), []int{1}) {
		t.Errorf("later: got %v, %v", sortedKeys(got), err)
	}
}

// TestVisibleIsNotGuessed: whatever goes wrong makes no change look gone.
func TestVisibleIsNotGuessed(t *testing.T) {
	t.Parallel()
	query, single := regexp.MustCompile(`changes/\?`), regexp.MustCompile(`changes/[^?]`)
	tests := []struct {
		name  string
		rule  faults.Rule
		kind  fault.Kind // of the error; Unknown is none
		known []int      // of which more than the number is known
	}{
		{"the query fails", faults.Rule{Path: query, Do: faults.Answer(500, "")}, fault.Transient, nil},
		{"an empty query, and a failure", faults.Rule{Path: single, Do: faults.Answer(502, "<html>nginx</html>")}, fault.Transient, []int{1}},
		{"a proxy's 404", faults.Rule{Path: single, Do: faults.Answer(404, "<html>Not found: 2</html>")}, fault.Configuration, []int{1}},
		{"another 404", faults.Rule{Path: single, Do: faults.Answer(404, "Not Found")}, fault.Configuration, []int{1}},
		{"an imported change", faults.Rule{Path: single, Do: faults.Answer(404, "Multiple changes found for 2\n")}, fault.Configuration, []int{1}},
		{"a 404 about another one", faults.Rule{Path: single, Do: faults.Answer(404, "Not found: 22")}, fault.Configuration, []int{1}},
		{"a right lacks", faults.Rule{Path: single, Do: faults.Answer(403, "read not permitted")}, fault.Configuration, []int{1}},
		{"no change at all", faults.Rule{Path: single, Do: faults.Answer(200, ")]}'\n{}")}, fault.Unknown, []int{1}},
		{"%2F does not pass", faults.Rule{Path: regexp.MustCompile(`%2F`), Do: faults.Answer(404, "<html>Not Found</html>")}, fault.Unknown, []int{1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := serve(t, standin.Options{})
			p.Push(standin.Draft{})
			s.Advance(time.Hour)
			s.SetLag(time.Minute)
			p.Push(standin.Draft{})
			s.Faults.Add(tt.rule)
			got, err := connect(t, s, func(o *Options) { o.Transport = plainQuery{} }).Visible(t.Context(), "spdk/spdk", []int{1, 2})
			if fault.KindOf(err) != tt.kind || !slices.Equal(sortedKeys(got), []int{1, 2}) {
				t.Fatalf("got %v and a %s failure, %v", sortedKeys(got), fault.KindOf(err), err)
			}
			var known []int
			for _, n := range sortedKeys(got) {
				if got[n].Project != "" {
					known = append(known, n)
				}
			}
			if got[2].Number != 2 || !slices.Equal(known, tt.known) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// plainQuery writes the slash in a query as it is, so that only a path has %2F.
type plainQuery struct{}

func (plainQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%2F", "/")
	return http.DefaultTransport.RoundTrip(r)
}

// TestVisibleIsBounded: a server whose index is empty is not asked for ever.
func TestVisibleIsBounded(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{})
	s.SetLag(time.Hour)
	var all []int
	for range maxConfirmed + 20 {
		all = append(all, p.Push(standin.Draft{}).Number())
	}
	s.Requests()
	var notes []string
	got, err := connect(t, s, func(o *Options) { o.Notes = func(n string) { notes = append(notes, n) } }).Visible(t.Context(), "spdk/spdk", all)
	if err != nil || !slices.Equal(sortedKeys(got), all) || len(s.Requests()) != 2+maxConfirmed {
		t.Errorf("got %d changes, %v", len(got), err)
	}
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "20 changes are not in Gerrit's search index") {
		t.Errorf("got notes %q", notes)
	}
	if _, err := connect(t, s, nil).Visible(t.Context(), `a"b`, []int{1}); !errors.Is(err, fault.Configuration) {
		t.Errorf("a bad project: got %v", err)
	}
}
