// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// heavy makes a patchset on main with a file of so many bytes, which takes half
// of that in a pack.
func (b *bed) heavy(number, size int) Item {
	b.t.Helper()
	name := fmt.Sprint("heavy-", number)
	return b.patchset(number, b.commits("refs/changes/"+name, b.base, commit{name: name, files: 1, size: size})[0], b.base)
}

// chunked is the size of a file whose pack is too large to be sent with its
// length from memory.
const chunked = 2200 << 10

// front answers pushes with f where that reports true.
func (b *bed) front(f func(w http.ResponseWriter, r *http.Request) bool) {
	b.mirrorFaults.Add(faults.Rule{Path: pushPath, Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !f(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}})
}

// TestProxySizeLimit: nginx refuses by Content-Length, and chunks once too many
// came. Only what is over the limit alone fails, for no fault of its own, and
// nothing that large is sent twice.
func TestProxySizeLimit(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	const limit = 100_000
	tried := 0
	b.front(func(w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength >= 0 && r.ContentLength <= limit {
			return false
		}
		tried++
		io.CopyN(io.Discard, r.Body, limit)
		http.Error(w, "<html><h1>413 Request Entity Too Large</h1>nginx", http.StatusRequestEntityTooLarge)
		return true
	})
	tooMuch := outcome{States: "refused, refused", Kind: fault.Configuration, Text: "over the size limit of the mirror or of a proxy before it"}
	items := append(b.single(4), b.heavy(5, chunked))
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, allDone, allDone, allDone, allDone, tooMuch)
	if hint := fault.HintOf(results[4].Err); !strings.Contains(hint, "client_max_body_size") {
		t.Errorf("got hint %q", hint)
	}
	before := tried
	if before < 2 || before > 5 {
		t.Errorf("%d pushes over the limit, want the first, again with its length, and few more", before)
	}
	_, results = b.Move(t.Context(), nil, []Item{b.heavy(6, chunked), b.heavy(7, 2000)})
	check(t, results, tooMuch, allDone)
	if tried != before {
		t.Errorf("%d more pushes over a limit that was known", tried-before)
	}
	b.sound()
}

// TestBranchOverProxyLimit: a branch goes in slices that get through.
func TestBranchOverProxyLimit(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.front(func(w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength <= 30_000 {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	})
	chain := b.long("refs/heads/topic", "", 20)
	branches, items := b.Move(t.Context(), []Item{branch("topic", "", chain[19])}, b.single(1))
	check(t, branches, outcome{States: "done"})
	check(t, items, allDone)
	if n := len(b.pushes); n > 14 {
		t.Errorf("got %d pushes, want at most 14\n%s", n, strings.Join(b.logged, "\n"))
	}
	b.checkForward(t, "refs/heads/topic", chain)
}

// TestChunks: what a server or a proxy that takes no chunks may answer is tried
// again with the length, once; later packs have it at once. A reason of git's
// own is believed.
func TestChunks(t *testing.T) {
	t.Parallel()
	refuse := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, status) }
	}
	lostThenFound := []time.Duration{2 * time.Second}
	tests := []struct {
		name   string
		chunks http.HandlerFunc
		spools []bool
		waits  []time.Duration
		want   outcome
	}{
		{"411", refuse(411, "Length Required"), []bool{false, true, true}, nil, allDone},
		{"bare 400", refuse(400, ""), []bool{false, true, true}, nil, allDone},
		{"a page with 400", refuse(400, "<html><title>400 Bad Request</title>"), []bool{false, true, true}, nil, allDone},
		{"501", refuse(501, "Not Implemented"), []bool{false, true, true}, nil, allDone},
		{"505", refuse(505, ""), []bool{false, true, true}, nil, allDone},
		{"bare 403", refuse(403, ""), []bool{false, true, true}, nil, allDone},
		{"502", refuse(502, "<html><h1>502 Bad Gateway</h1>"), []bool{false, true, true}, lostThenFound, allDone},
		{"cut", func(_ http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 1000)
			panic(http.ErrAbortHandler)
		}, []bool{false, true, true}, lostThenFound, allDone},
		{"no body arrives", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		}, []bool{false, true, true}, lostThenFound, allDone},
		{"git's own reason", refuse(400, "0012ERR bad object"), []bool{false, false}, nil, configuration("400")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.front(func(w http.ResponseWriter, r *http.Request) bool {
				if r.ContentLength < 0 {
					tt.chunks(w, r)
				}
				return r.ContentLength < 0
			})
			_, results := b.Move(t.Context(), nil, []Item{b.heavy(1, chunked)})
			check(t, results, tt.want)
			_, results = b.Move(t.Context(), nil, []Item{b.heavy(2, 2000)}) // has its length anyway
			check(t, results, allDone)
			var spools []bool
			for _, p := range b.pushes {
				spools = append(spools, p.Spool)
			}
			if diff := cmp.Diff(tt.spools, spools); diff != "" {
				t.Errorf("pushes with their length (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.waits, b.slept); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
			b.sound()
		})
	}
}

// TestRefusedWithLengthToo: what is refused with its length as well had another
// reason, and is not tried a third time.
func TestRefusedWithLengthToo(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.answerPush(0, 400, "")
	_, results := b.Move(t.Context(), nil, []Item{b.heavy(1, chunked)})
	check(t, results, configuration("400"))
	b.calls(t, 2, 2)
}

// TestSlowForSome: a hundred patchsets, some of which take the mirror longer than
// a proxy waits. The others land; a mirror that has no time for any is left alone.
func TestSlowForSome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		slow   []int // numbers of the slow ones
		pushes int   // at most
	}{{[]int{1}, 16}, {[]int{50, 51}, 30}, {[]int{7, 93}, 30}} {
		f := &fake{}
		f.answer = func(q gitwire.PushRequest) (*gitwire.Report, error) {
			for _, number := range tt.slow {
				ref := change.CustomRefs.Ref(change.ID{Change: number, Patchset: 1})
				if slices.ContainsFunc(q.Commands, func(c gitwire.Command) bool { return c.Ref == ref }) {
					return nil, fault.Wrap(fault.Transient, &gitwire.StatusError{Status: http.StatusRequestTimeout})
				}
			}
			return says(q, "ok", "", ""), nil
		}
		_, results := f.relay().Move(t.Context(), nil, f.items(100))
		for i, res := range results {
			if slow := slices.Contains(tt.slow, i+1); (res.Err != nil) != slow || res.Refused != "" {
				t.Errorf("slow for %v: patchset %d: got %v", tt.slow, i+1, res.Err)
			}
		}
		if f.push > tt.pushes {
			t.Errorf("slow for %v: %d pushes, want at most %d", tt.slow, f.push, tt.pushes)
		}
	}
	f := &fake{answer: func(gitwire.PushRequest) (*gitwire.Report, error) {
		return nil, fault.Wrap(fault.Transient, &gitwire.StatusError{Status: http.StatusRequestTimeout})
	}}
	f.relay().Move(t.Context(), nil, f.items(100))
	if f.push != maxSlow+1 {
		t.Errorf("%d pushes to a mirror that has no time at all, want %d", f.push, maxSlow+1)
	}
}
