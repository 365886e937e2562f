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
	"github.com/spdk-community-ci/dispatcher/internal/fault"
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

// roundTripper answers by a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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

const somePatch = `diff --git a/lib/a.c b/lib/a.c
index 0000000..65afadf 100644
--- a/lib/a.c
+++ b/lib/a.c
@@ -1,4 +1,5 @@ int main(void)
 int a;
 int b;
-old
+++ c;
+int d;
 int f;
@@ -393,0 +395 @@
+int e;
\ No newline at end of file
`

// asJSON is a text as Gerrit 3.13.5 sends it to whoever accepts JSON alone.
func asJSON(text string) string {
	data, _ := json.Marshal(text) // it is a string
	return ")]}'\n" + string(data)
}

// TestChangedLinesBehindAProxy: where the path of a file does not come through, its
// patch tells.
func TestChangedLinesBehindAProxy(t *testing.T) {
	t.Parallel()
	rev := change.Revision(strings.Repeat("a", 40))
	tests := []struct {
		name  string
		proxy answer
		patch answer
		want  [][2]int
		hint  bool
	}{
		{"refused", answer{404, "<html>", ""}, answer{200, asJSON(somePatch), ""}, [][2]int{{3, 4}, {395, 395}}, false},
		{"decoded", answer{404, "Not found: lib", ""}, answer{200, asJSON(somePatch), ""}, [][2]int{{3, 4}, {395, 395}}, false},
		{"binary", answer{404, "<html>", ""}, answer{200, asJSON("Binary files a/x and b/x differ\n"), ""}, [][2]int{}, false},
		{"a merge", answer{404, "<html>", ""}, answer{409, "Revision has more than 1 parent.", ""}, nil, true},
		{"no patch", answer{404, "<html>", ""}, answer{200, "!", ""}, nil, true},
		{"Gerrit's own", answer{404, "Not found: lib/a.c", ""}, answer{200, "", ""}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := New(Options{URL: "https://review.example.org", Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil },
				Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "/patch") && r.URL.Query().Get("path") == "lib/a.c" {
						return tt.patch.RoundTrip(r)
					}
					return tt.proxy.RoundTrip(r)
				})})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.ChangedLines(t.Context(), change.Address{Project: "spdk", Number: 12}, rev, "lib/a.c")
			if diff := cmp.Diff(tt.want, got); diff != "" || strings.Contains(fault.HintOf(err), "AllowEncodedSlashes") != tt.hint {
				t.Errorf("%v with hint %q (-want +got):\n%s", err, fault.HintOf(err), diff)
			}
		})
	}
}

// FuzzAddedLines: lines are in order and count from 1, whatever is sent.
func FuzzAddedLines(f *testing.F) {
	f.Add(somePatch)
	f.Fuzz(func(t *testing.T, patch string) { checkLines(t, addedLines(patch)) })
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
		checkLines(t, changedLines(diff.Content))
	})
}

func checkLines(t *testing.T, lines [][2]int) {
	t.Helper()
	last := 0
	for _, l := range lines {
		if l[0] <= last || l[1] < l[0] {
			t.Fatalf("got %v after line %d", l, last)
		}
		last = l[1]
	}
}
