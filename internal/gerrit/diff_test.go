// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// answer is a server that gives one answer to all.
type answer struct {
	status int
	body   string
	asked  string // one in a line
}

func (a *answer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = a.asked + r.URL.RequestURI() + "\n"
	return &http.Response{StatusCode: a.status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

const someDiff = `{"content":[{"ab":["int a;","int b;"]},{"a":["old"],"b":["int c;","int d;"]},{"skip":390},{"b":["int e;"]}]}`

func TestChangedLines(t *testing.T) {
	t.Parallel()
	rev := change.Revision(strings.Repeat("a", 40))
	tests := []struct {
		name string
		answer
		want [][2]int
		gone bool
	}{
		{"parts", answer{200, ")]}'\n" + someDiff, ""}, [][2]int{{3, 4}, {395, 395}}, false},
		{"nothing", answer{200, ")]}'\n{}", ""}, [][2]int{}, false},
		{"taken away", answer{200, ")]}'\n" + `{"content":[{"a":["gone"]}]}`, ""}, [][2]int{}, false},
		{"no sense", answer{200, ")]}'\n" + `{"content":[{"skip":-5},{"b":[""]}]}`, ""}, [][2]int{{1, 1}}, false},
		{"a page", answer{200, "<html>", ""}, nil, false},
		{"cut", answer{200, `)]}'{"content":[{"b":["x"`, ""}, nil, false},
		{"no such file", answer{404, "Not found: lib/a b+c.c", ""}, nil, true},
		{"a proxy's 404", answer{404, "Not found", ""}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := New(Options{URL: "https://review.example.org/gerrit", Username: "bot", Password: "secret", Transport: &tt.answer, Now: time.Now,
				Sleep: func(context.Context, time.Duration) error { return nil }})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.ChangedLines(t.Context(), spdk(12), rev, "lib/a b+c.c")
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) || errors.Is(err, ErrGone) != tt.gone {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			want := "/gerrit/a/changes/spdk%2Fspdk~12/revisions/" + string(rev) + "/files/lib%2Fa%20b%2Bc.c/diff?"
			if !strings.HasPrefix(tt.asked, want) {
				t.Errorf("got %s, want %s", tt.asked, want)
			}
		})
	}
}

// FuzzChangedLines: lines are in order and count from 1, whatever is sent.
func FuzzChangedLines(f *testing.F) {
	f.Add(someDiff)
	f.Fuzz(func(t *testing.T, body string) {
		var diff struct {
			Content []diffPart `json:"content"`
		}
		if json.Unmarshal([]byte(body), &diff) != nil {
			return
		}
		last := 0
		for _, l := range changedLines(diff.Content) {
			if l[0] <= last || l[1] < l[0] {
				t.Fatalf("got %v after line %d", l, last)
			}
			last = l[1]
		}
	})
}
