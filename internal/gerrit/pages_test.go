// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// redirect is a transport that asks for another path than it was told.
type redirect struct{ from, to string }

func (x redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	r.URL.Path = strings.Replace(r.URL.Path, x.from, x.to, 1)
	r.URL.RawPath = strings.Replace(r.URL.RawPath, x.from, x.to, 1)
	return http.DefaultTransport.RoundTrip(r)
}

// push makes n changes and returns their numbers.
func push(p *standin.Project, n int) []int {
	var all []int
	for range n {
		all = append(all, p.Push(standin.Draft{}).Number())
	}
	return all
}

func TestPagesCostNoMoreThanTheyMust(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{BasePath: "/gerrit", PageLimit: 500})
	c := connect(t, s, nil)
	var want []int
	for _, tt := range []struct{ changes, requests int }{{0, 1}, {500, 1}, {501, 2}, {600, 2}, {1200, 3}} {
		want = append(want, push(p, tt.changes-len(want))...)
		list, err := c.Open(t.Context(), Query{Project: "spdk/spdk", Files: true, Votes: true})
		if diff := cmp.Diff(want, numbers(list)); diff != "" || err != nil {
			t.Errorf("%d changes (-want +got), %v:\n%s", tt.changes, err, diff)
		}
		if got := len(s.Requests()); got != tt.requests {
			t.Errorf("%d changes: got %d requests, want %d", tt.changes, got, tt.requests)
		}
	}
}

// TestPagesWhileChangesMove: whatever happens between two pages, no change that
// is open all the time is missed, and none comes twice.
func TestPagesWhileChangesMove(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		move func(all []*standin.Change, page int)
		gone []int // numbers that may be missing
	}{
		{"newest goes to the front", func(all []*standin.Change, page int) { all[29].Comment("ann", "x") }, nil},
		{"oldest goes to the front", func(all []*standin.Change, page int) { all[0].Comment("ann", "x") }, nil},
		{"next ones go to the front", func(all []*standin.Change, page int) {
			for _, c := range all[max(0, 30-10*page-3):max(0, 30-10*page)] {
				c.Amend(map[string]string{"x": fmt.Sprint(page)})
			}
		}, nil},
		{"all go to the front", func(all []*standin.Change, page int) {
			if page == 1 {
				for _, c := range all {
					c.Comment("ann", "x")
				}
			}
		}, nil},
		{"seen ones are closed", func(all []*standin.Change, page int) { all[30-page].Abandon() }, []int{29, 30}},
		{"others are edited", func(all []*standin.Change, page int) { all[0].SetHashtags("x"); all[1].SetWIP(true) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := serve(t, standin.Options{PageLimit: 10})
			var all []*standin.Change
			want := map[int]bool{}
			for range 30 {
				c := p.Push(standin.Draft{})
				all, want[c.Number()] = append(all, c), true
			}
			page := 0
			s.OnRequest(func(standin.Request) {
				if page > 0 { // the hook runs before an answer: after the page before
					tt.move(all, page)
				}
				page++
			})
			list, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk"})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				if !want[c.Number] {
					t.Errorf("change %d comes twice or is not there", c.Number)
				}
				delete(want, c.Number)
			}
			for _, number := range tt.gone {
				delete(want, number)
			}
			if len(want) > 0 {
				t.Errorf("missed %v", want)
			}
		})
	}
}

// TestNewestStateCounts: a change that was read twice is as it was read last.
func TestNewestStateCounts(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{PageLimit: 10})
	first := p.Push(standin.Draft{})
	push(p, 18)
	last := p.Push(standin.Draft{})
	requests := 0
	s.OnRequest(func(standin.Request) {
		if requests++; requests == 2 {
			first.Amend(map[string]string{"x": "1"})
			last.Amend(map[string]string{"x": "1"})
		}
	})
	list, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk"})
	if err != nil || len(list) != 20 {
		t.Fatalf("got %d changes, %v; want 20", len(list), err)
	}
	for _, c := range []*standin.Change{first, last} {
		if got := list[c.Number()-1]; got.ID() != c.ID() || got.Current.Revision != c.Revision() {
			t.Errorf("got %s, want %s", got.ID(), c.ID())
		}
	}
}

// TestPagesThatShowNothing: changes that the server cannot show leave pages short or
// empty, and hide none that come after them.
func TestPagesThatShowNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		limit  int
		broken []int // of 1 to 12, where 12 is the first on the first page
	}{
		{"the last of a page", 3, []int{10}},
		{"a whole page", 3, []int{7, 8, 9}},
		{"two pages", 3, []int{4, 5, 6, 7, 8, 9}},
		{"the last page", 3, []int{1, 2, 3}},
		{"all but the ends", 2, []int{5, 6, 7, 8, 9, 10}},
		{"every second one", 2, []int{2, 4, 6, 8, 10}},
		{"all but one of each page", 4, []int{1, 2, 3, 5, 6, 7, 9, 10, 11}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, p := serve(t, standin.Options{PageLimit: tt.limit})
			var want []int
			for n := 1; n <= 12; n++ {
				ch := p.Push(standin.Draft{})
				if slices.Contains(tt.broken, n) {
					ch.Break(true)
					continue
				}
				want = append(want, n)
			}
			var notes []string
			c := connect(t, s, func(o *Options) { o.Notes = func(text string) { notes = append(notes, text) } })
			list, err := c.Open(t.Context(), Query{Project: "spdk/spdk"})
			if diff := cmp.Diff(want, numbers(list)); diff != "" || err != nil {
				t.Errorf("(-want +got), %v:\n%s", err, diff)
			}
			if told := len(notes) == 1 && strings.Contains(notes[0], "some may be missing"); told != (tt.name == "the last page") || len(notes) > 1 {
				t.Errorf("got the notes %q", notes)
			}
		})
	}
}

// TestPagesOfOneTime: many changes share a second, more than fit in a page.
func TestPagesOfOneTime(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 3, 7} {
		clock := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
		s, p := serve(t, standin.Options{PageLimit: limit, Now: func() time.Time { return clock }})
		want := push(p, 20)
		clock = clock.Add(time.Second)
		want = append(want, push(p, 20)...)
		clock = clock.Add(time.Hour)
		list, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk"})
		if diff := cmp.Diff(want, numbers(list)); diff != "" || err != nil {
			t.Errorf("limit %d: changes (-want +got), %v:\n%s", limit, err, diff)
		}
	}
}

// TestEndlessAnswers: a server that never stops is given up.
func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{PageLimit: 5})
	push(p, 10)
	s.Faults.Add(faults.Rule{Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "q=status:open&o=CURRENT_REVISION" // always the first page
			next.ServeHTTP(w, r)
		})
	}})
	_, err := connect(t, s, nil).Open(t.Context(), Query{Project: "spdk/spdk"})
	if !errors.Is(err, fault.Permanent) || !strings.Contains(fmt.Sprint(err), "after 5 changes the server still says that there are more") {
		t.Errorf("got %v", err)
	}
	if got := len(s.Requests()); got > 10 {
		t.Errorf("got %d requests", got)
	}
}

// TestMonsterChange: a change with more files than an answer may have does not
// hold up the others; only its neighbours' files stay unknown.
func TestMonsterChange(t *testing.T) {
	t.Parallel()
	s, p := serve(t, standin.Options{PageLimit: 40})
	want := push(p, 60)
	files := map[string]string{}
	for i := range 2000 {
		files[fmt.Sprintf("%0100d", i)] = ""
	}
	want = append(want, p.Push(standin.Draft{Files: files}).Number())
	want = append(want, push(p, 60)...)
	var notes []string
	c := connect(t, s, func(o *Options) { o.Notes = func(n string) { notes = append(notes, n) } })
	c.door.maxBody = 100_000
	list, err := c.Open(t.Context(), Query{Project: "spdk/spdk", Files: true})
	if diff := cmp.Diff(want, numbers(list)); diff != "" || err != nil {
		t.Fatalf("changes (-want +got), %v:\n%s", err, diff)
	}
	unknown := map[int]bool{}
	for _, c := range list {
		if c.Files == nil {
			unknown[c.Number] = true
		}
	}
	if len(unknown) == 0 || len(unknown) > smallPage || !unknown[61] {
		t.Errorf("files are unknown for %v", unknown)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "stay unknown") {
		t.Errorf("got notes %q", notes)
	}
	c.door.maxBody = 100
	if _, err := c.Open(t.Context(), Query{Project: "spdk/spdk", Files: true}); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v, want errTooLarge when not even one change fits", err)
	}
}

// listed is a transport that plays a server with changes that were last updated
// at these times, in order of their numbers.
type listed struct {
	times []time.Time
	limit int
}

var windowPattern = regexp.MustCompile(`before:"([^"]+)" OR after:"([^"]+)"`)

func (l listed) RoundTrip(r *http.Request) (*http.Response, error) {
	values := r.URL.Query()
	before, after := time.Time{}, time.Time{}
	if m := windowPattern.FindStringSubmatch(values.Get("q")); m != nil {
		before, _ = time.Parse(time.DateTime, m[1])
		after, _ = time.Parse(time.DateTime, m[2])
	}
	start, _ := strconv.Atoi(values.Get("start"))
	var page []int
	more := false
	for i := len(l.times) - 1; i >= 0 && !more; i-- {
		if l.times[i].After(before) && l.times[i].Before(after) {
			continue
		}
		if start--; start < 0 {
			more = len(page) == l.limit
			page = append(page, i)
		}
	}
	page = page[:min(len(page), l.limit)]
	entries := make([]string, len(page))
	for n, i := range page {
		entries[n] = fmt.Sprintf(`{"project":"p","branch":"b","change_id":"I12345678","status":"NEW","owner":{"_account_id":1},"updated":%q,"_number":%d,`+
			`"_more_changes":%t,"current_revision":"%040x","revisions":{"%040x":{"_number":1,"ref":%q,"uploader":{"_account_id":1}}}}`,
			l.times[i].Format("2006-01-02 15:04:05.000000000"), i+1, more && n == len(page)-1, i+1, i+1, change.CustomRefs.Ref(change.ID{Change: i + 1, Patchset: 1}))
	}
	rec := httptest.NewRecorder()
	fmt.Fprintf(rec, "[%s]", strings.Join(entries, ","))
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// FuzzWindow plays any sequence of times as a server's answer: reading comes to
// an end and every change is found.
func FuzzWindow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 5, 9}, uint8(2))
	f.Add([]byte{3}, uint8(1))
	f.Add(make([]byte, 30), uint8(4))
	f.Fuzz(func(t *testing.T, gaps []byte, limit uint8) {
		if len(gaps) > 100 || limit == 0 {
			return
		}
		at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
		l := listed{limit: int(limit)}
		for _, gap := range gaps {
			at = at.Add(time.Duration(gap) * 400 * time.Millisecond)
			l.times = append(l.times, at)
		}
		c, err := New(Options{URL: "http://127.0.0.1", Transport: l, Notes: func(note string) { t.Error(note) }})
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Open(t.Context(), Query{Project: "p"})
		if err != nil || len(list) != len(gaps) {
			t.Errorf("got %d of %d changes, %v", len(list), len(gaps), err)
		}
	})
}
