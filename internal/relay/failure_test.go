// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// repeat makes n equal outcomes.
func repeat(n int, o outcome) []outcome { return slices.Repeat([]outcome{o}, n) }

func transient(text string) outcome {
	return outcome{States: "not tried, not tried", Kind: fault.Transient, Text: text}
}

func configuration(text string) outcome {
	return outcome{States: "not tried, not tried", Kind: fault.Configuration, Text: text}
}

// answerPush and answerFetch make the mirror's receive-pack or the source's
// upload-pack answer with a status, so many times (0 is always).
func (b *bed) answerPush(times, status int, body string, header ...string) {
	b.mirrorFaults.Add(faults.Rule{Path: pushPath, Times: times, Do: faults.Answer(status, body, header...)})
}

func (b *bed) answerFetch(times, status int, header ...string) {
	b.sourceFaults.Add(faults.Rule{Path: fetchPath, Times: times, Do: faults.Answer(status, "", header...)})
}

// TestWholePush: failures of a push or a fetch as a whole, over four changes.
func TestWholePush(t *testing.T) {
	t.Parallel()
	const s = time.Second
	unsettled := outcome{States: "done, unsettled", Kind: fault.Transient, Text: "nobody can tell"}
	tests := []struct {
		name            string
		set             func(b *bed, items []Item)
		want            []outcome // one stands for all
		fetches, pushes int
		slept           []time.Duration
	}{
		{name: "the token is not accepted", set: func(b *bed, _ []Item) { b.answerPush(0, 401, "") },
			want: []outcome{configuration("401")}, fetches: 1, pushes: 1},
		{name: "no right to write", set: func(b *bed, _ []Item) { b.answerPush(0, 403, "") },
			want: []outcome{configuration("403")}, fetches: 1, pushes: 1},
		{name: "no such mirror", set: func(b *bed, _ []Item) { b.answerPush(0, 404, "") },
			want: []outcome{configuration("404")}, fetches: 1, pushes: 1},
		{name: "throttled once", set: func(b *bed, _ []Item) { b.answerPush(1, 429, "", "Retry-After", "7") },
			want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{7 * s}},
		{name: "403 that asks to wait", set: func(b *bed, _ []Item) { b.answerPush(1, 403, "", "Retry-After", "9") },
			want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{9 * s}},
		{name: "throttled for ever", set: func(b *bed, _ []Item) { b.answerPush(0, 429, "") },
			want: []outcome{transient("the mirror asks to wait longer")}, fetches: 3, pushes: 3,
			slept: []time.Duration{60 * s, 120 * s}},
		{name: "a proxy's size limit", set: func(b *bed, _ []Item) { b.answerPush(1, 413, "") },
			want: []outcome{allDone}, fetches: 3, pushes: 3},
		{name: "a proxy's time limit", set: func(b *bed, _ []Item) { b.answerPush(1, 408, "") },
			want: []outcome{allDone}, fetches: 3, pushes: 3},
		{name: "always too slow", set: func(b *bed, _ []Item) { b.answerPush(0, 408, "") },
			want: []outcome{transient("408")}, fetches: 7, pushes: 7, slept: []time.Duration{60 * s}},
		{name: "the length is required", set: func(b *bed, _ []Item) { b.answerPush(1, 411, "") },
			want: []outcome{allDone}, fetches: 2, pushes: 2},
		{name: "a gateway fails before the push", set: func(b *bed, _ []Item) { b.answerPush(1, 502, "") },
			want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{2 * s}},
		{name: "not available, come back later", set: func(b *bed, _ []Item) { b.answerPush(1, 503, "", "Retry-After", "20") },
			want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{20 * s}},
		{name: "the mirror's git reads a torn pack once", set: func(b *bed, _ []Item) { tearPack(b, 1) },
			want: []outcome{allDone}, fetches: 2, pushes: 2},
		{name: "the mirror's git reads a torn pack always", set: func(b *bed, _ []Item) { tearPack(b, 0) },
			want: []outcome{transient("the pack arrived incomplete")}, fetches: 2, pushes: 2},
		{name: "the answer is lost", set: func(b *bed, _ []Item) {
			b.mirrorFaults.Add(faults.Rule{Path: pushPath, Times: 1, Do: faults.LoseReply()})
		}, want: []outcome{unsettled}, fetches: 1, pushes: 1, slept: []time.Duration{2 * s}},
		{name: "the answer is cut", set: func(b *bed, _ []Item) {
			b.mirrorFaults.Add(faults.Rule{Path: pushPath, Times: 1, Do: faults.Cut(20)})
		}, want: []outcome{unsettled}, fetches: 1, pushes: 1, slept: []time.Duration{2 * s}},
		{name: "the answer is lost, and the mirror with it", set: func(b *bed, _ []Item) {
			b.mirrorFaults.Add(faults.Rule{Path: pushPath, Times: 1, Do: faults.LoseReply()})
			b.mirrorFaults.Add(faults.Rule{Path: regexp.MustCompile("upload-pack"), Do: faults.Answer(500, "")})
		}, want: []outcome{{States: "unsettled, unsettled", Kind: fault.Transient, Text: "nobody can tell"}},
			fetches: 1, pushes: 1, slept: []time.Duration{2 * s, 2 * s, 8 * s}},
		{name: "one want is gone", set: func(_ *bed, it []Item) {
			it[2].Want = sha(5)
			it[2].Updates[0].New, it[2].Updates[1].New = sha(5), sha(5)
		},
			want: []outcome{allDone, allDone,
				{States: "not tried, not tried", Kind: fault.Permanent, Text: "Gerrit no longer offers it"}, allDone},
			fetches: 2, pushes: 1},
		{name: "Gerrit lets nobody in", set: func(b *bed, _ []Item) { b.answerFetch(0, 401) },
			want: []outcome{configuration("failed to fetch from Gerrit")}, fetches: 1},
		{name: "Gerrit is busy once", set: func(b *bed, _ []Item) { b.answerFetch(1, 503, "Retry-After", "5") },
			want: []outcome{allDone}, fetches: 2, pushes: 1, slept: []time.Duration{5 * s}},
		{name: "Gerrit is busy for long", set: func(b *bed, _ []Item) { b.answerFetch(0, 503) },
			want: []outcome{transient("from Gerrit")}, fetches: 3, slept: []time.Duration{2 * s, 8 * s}},
		{name: "Gerrit's pack ends early once", set: func(b *bed, _ []Item) {
			b.sourceFaults.Add(faults.Rule{Path: fetchPath, Times: 1, Do: faults.Truncate(300)})
		}, want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{2 * s}},
		{name: "Gerrit's connection breaks once", set: func(b *bed, _ []Item) {
			b.sourceFaults.Add(faults.Rule{Path: fetchPath, Times: 1, Do: faults.Cut(300)})
		}, want: []outcome{allDone}, fetches: 2, pushes: 2, slept: []time.Duration{2 * s}},
		{name: "Gerrit cannot serve one of them", set: func(b *bed, it []Item) {
			b.sourceFaults.Add(faults.Rule{Path: fetchPath, Do: cutIfWanted(string(it[1].Want))})
		}, want: []outcome{allDone, transient("failed to fetch patchset 2/1"), allDone, allDone}, fetches: 11, pushes: 11,
			slept: []time.Duration{2 * s, 8 * s, 2 * s, 8 * s, 40 * s, 2 * s, 2 * s, 6 * s, 8 * s}},
		{name: "a have that the mirror has not", set: func(b *bed, it []Item) {
			fork := b.commits("refs/changes/fork", b.base, commit{name: "a", files: 2}, commit{name: "b"})
			it[0].Want = fork[1]
			it[0].Updates[0].New, it[0].Updates[1].New = fork[1], fork[1]
			it[0].Haves = append(it[0].Haves, fork[0])
		}, want: []outcome{allDone}, fetches: 2, pushes: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			items := b.single(4)
			tt.set(b, items)
			_, results := b.Move(t.Context(), nil, items)
			want := tt.want
			if len(want) == 1 {
				want = repeat(len(items), want[0])
			}
			check(t, results, want...)
			b.calls(t, tt.fetches, tt.pushes)
			if diff := cmp.Diff(tt.slept, b.slept); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
			b.sound()
			for _, res := range results {
				if res.Refused != "" {
					t.Error("poisoned, but nothing is wrong with the patchsets")
				}
			}
		})
	}
}

// tearPack lets the mirror see only a part of each push, ended as if whole.
func tearPack(b *bed, times int) {
	b.mirrorFaults.Add(faults.Rule{Path: pushPath, Times: times, Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			body = body[:len(body)-40]
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
			next.ServeHTTP(w, r)
		})
	}})
}

// cutIfWanted ends the answer early whenever one object is asked for.
func cutIfWanted(oid string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		short := faults.Truncate(100)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
			if strings.Contains(string(body), "want "+oid) {
				short.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestSpoolIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(2)
	b.answerPush(1, 411, "")
	b.Move(t.Context(), nil, items[:1])
	_, results := b.Move(t.Context(), nil, items[1:])
	check(t, results, allDone)
	var spooled []bool
	for _, p := range b.pushes {
		spooled = append(spooled, p.Spool)
	}
	if diff := cmp.Diff([]bool{false, true, true}, spooled); diff != "" {
		t.Errorf("spooled (-want +got):\n%s", diff)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(2)
	ctx, cancel := context.WithCancel(t.Context())
	b.mirrorFaults.Add(faults.Rule{Path: pushPath, Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // only then the server notices that the client is gone
			cancel()
			<-r.Context().Done()
		})
	}})
	_, results := b.Move(ctx, nil, items)
	check(t, results, repeat(2, outcome{States: "unsettled, unsettled", Kind: fault.Transient, Text: "nobody can tell"})...)
	b.calls(t, 1, 1)
}

func TestPace(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	items := b.single(8)
	for i := range items {
		b.now = b.now.Add(time.Second)
		_, results := b.Move(t.Context(), nil, items[i:i+1])
		check(t, results, allDone)
	}
	// The seventh push comes 6 s after the first, the eighth 1 s later.
	if diff := cmp.Diff([]time.Duration{54 * time.Second}, b.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}
