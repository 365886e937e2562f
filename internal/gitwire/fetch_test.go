// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// relayBed has a source with a history, a mirror that has all but its last two
// commits, and remotes for both.
type relayBed struct {
	*bed
	source, mirror         repo
	ids                    []string
	sourceRemote, toMirror *Remote
}

// anyWant lets a v0 C git give commits that no ref points at.
const anyWant = "uploadpack.allowReachableSHA1InWant=true"

func newRelayBed(t *testing.T, b *bed) *relayBed {
	t.Helper()
	r := &relayBed{bed: b, source: b.repo("source.git", anyWant), mirror: b.repo("mirror.git")}
	r.ids = r.source.history("refs/heads/master", 6, 8)
	r.mirror.git("fetch", "--quiet", r.source.dir, r.ids[3]+":refs/heads/master")
	r.sourceRemote, r.toMirror = b.remote("source.git", Options{}), b.remote("mirror.git", Options{})
	return r
}

// change is what brings the last two commits to the mirror.
func (r *relayBed) change() (FetchRequest, []Command) {
	return FetchRequest{Wants: []string{r.ids[5]}, Haves: []string{r.ids[3]}},
		[]Command{{Ref: "refs/changes/01/1/1", New: r.ids[5]}}
}

func TestFetchThinPackAndPushItThrough(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		r := newRelayBed(t, b)
		fetch, commands := r.change()
		pack, err := r.sourceRemote.Fetch(t.Context(), fetch)
		if err != nil {
			t.Fatal(err)
		}
		report, err := r.toMirror.Push(t.Context(), PushRequest{Commands: commands, Pack: pack})
		if err != nil {
			t.Fatal(err)
		}
		if report.Unpack != "ok" || report.Results[0] != (Result{Ref: commands[0].Ref}) {
			t.Errorf("got report %+v, want ok", report)
		}
		if got := r.mirror.rev(commands[0].Ref); got != r.ids[5] {
			t.Errorf("the mirror has %q, want %s", got, r.ids[5])
		}
		r.mirror.git("fsck", "--strict", "--connectivity-only")
		r.mirror.git("fsck", "--strict")
	})
}

func TestThinPacksAreSmaller(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		r := newRelayBed(t, b)
		fetch, _ := r.change()
		thin := fetchAll(t, r.sourceRemote, fetch)
		fetch.NoThin = true
		whole := fetchAll(t, r.sourceRemote, fetch)
		fetch.Haves = nil
		all := fetchAll(t, r.sourceRemote, fetch)
		if len(thin) >= len(whole) || len(whole) >= len(all) {
			t.Errorf("got %d bytes thin, %d not, %d without haves; want each smaller than the next", len(thin), len(whole), len(all))
		}
		fetch.Haves = r.ids
		if empty := fetchAll(t, r.sourceRemote, fetch); !bytes.Equal(empty, EmptyPack()) {
			t.Errorf("got %q for what we have already, want the empty pack", empty)
		}
	})
}

func TestFetchWithManyUnknownHaves(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		r := newRelayBed(t, b)
		fetch, _ := r.change()
		want := len(fetchAll(t, r.sourceRemote, fetch))
		for i := range 300 {
			fetch.Haves = append(fetch.Haves, strings.Repeat("0123456789abcdef"[i%16:i%16+1], 39)+"e")
		}
		if got := len(fetchAll(t, r.sourceRemote, fetch)); got != want {
			t.Errorf("got %d bytes, want %d as without the unknown ones", got, want)
		}
	})
}

func TestFetchWhatIsNotThere(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		r := newRelayBed(t, b)
		listAll(t, r.sourceRemote) // so that the protocol is known
		missing := strings.Repeat("12345", 8)
		_, err := r.sourceRemote.Fetch(t.Context(), FetchRequest{Wants: []string{r.ids[5], missing}})
		want, ok := errors.AsType[*WantError](err)
		if !ok || want.OID != missing {
			t.Fatalf("got error %v, want a WantError for %s", err, missing)
		}
		wantError(t, err, missing, fault.Permanent)
	})
}

func TestWantErrorOfJGit(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	oid := strings.Repeat("ab", 20)
	b.breakOnce("upload-pack", faults.Answer(200, packets("ERR want "+oid+" not valid\n"), "Content-Type", "application/x-git-upload-pack-result"))
	_, err := b.remote("x.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{oid}})
	if want, ok := errors.AsType[*WantError](err); !ok || want.OID != oid {
		t.Errorf("got error %v, want a WantError for %s", err, oid)
	}
	if got := b.seen(); len(got) != 1 {
		t.Errorf("got requests %v, want one: a refused want says nothing about the protocol", got)
	}
}

func TestFetchChecksItsRequest(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := strings.Repeat("a", 40)
	for _, q := range []FetchRequest{{}, {Wants: []string{"master"}}, {Wants: []string{id}, Haves: []string{id + "\n"}}, {Wants: []string{id + id[:24]}}} {
		_, err := b.remote("x.git", Options{}).Fetch(t.Context(), q)
		wantError(t, err, "failed to fetch", fault.Ours)
	}
	if got := b.seen(); got != nil {
		t.Errorf("got requests %v, want none", got)
	}
}

// TestTruncatedPackStoresNothing is the failure that Gerrit hides: the source
// stops in the middle of a pack and ends its answer as if it were whole.
func TestTruncatedPackStoresNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		big bool
		do  func(n int) func(http.Handler) http.Handler
		is  error
	}{
		"small, clean end": {false, faults.Truncate, ErrTruncated},
		"big, clean end":   {true, faults.Truncate, ErrTruncated},
		"big, cut":         {true, faults.Cut, fault.Transient},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			source, mirror := b.repo("source.git"), b.repo("mirror.git")
			size := 20
			if c.big {
				size = 3 << 20
			}
			id := source.bulk("refs/heads/master", size)
			b.breakOnce("/source.git/", c.do(size*3/4))
			pack, err := b.remote("source.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{id}})
			if err == nil {
				_, err = b.remote("mirror.git", Options{}).Push(t.Context(), PushRequest{Commands: []Command{{Ref: "refs/heads/x", New: id}}, Pack: pack})
			}
			wantError(t, err, "", c.is, fault.Transient)
			if n := mirror.objects(); n != 0 || mirror.rev("refs/heads/x") != "" {
				t.Errorf("the mirror has %d objects and x at %q, want nothing", n, mirror.rev("refs/heads/x"))
			}
		})
	}
}

// packets encodes data packets.
func packets(payloads ...string) string {
	var b packetBuffer
	for _, p := range payloads {
		b.packet(p)
	}
	return b.String()
}
