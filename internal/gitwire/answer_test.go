// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// TestServerDiesInThePack makes channel 3 and an ERR packet end a pack.
func TestServerDiesInThePack(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]string{"channel 3": "\x03out of memory", "ERR packet": "ERR out of memory"} {
		b := newBed(t)
		b.breakOnce("upload-pack", faults.Answer(200, packets("packfile\n", "\x01PACK", last), "Content-Type", "application/x-git-upload-pack-result"))
		pack, err := b.remote("x.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(pack)
		if string(got) != "PACK" {
			t.Errorf("%s: got %q, want what came before", name, got)
		}
		wantError(t, err, "the server reports an error: out of memory")
		if _, again := pack.Read(make([]byte, 1)); again != err {
			t.Errorf("%s: the next Read gave %v, want the same error", name, again)
		}
		pack.Close()
	}
}

func TestFetchOfOddAnswers(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body string
		want string
		kind fault.Kind
	}{
		"no section":     {packets("acknowledgments\n", "NAK\n") + "0000", "no packfile section", fault.Permanent},
		"shallow source": {packets("shallow-info\n", "shallow x\n") + "0001", "is shallow", fault.Configuration},
		"garbage":        {"<html>", "is not the length of a packet", fault.Permanent},
		"busy":           {packets("ERR Internal server error"), "Internal server error", fault.Transient},
	}
	for name, c := range cases {
		b := newBed(t)
		b.repo("x.git")
		b.breakOnce("upload-pack$", faults.Answer(200, c.body, "Content-Type", "application/x-git-upload-pack-result"))
		_, err := b.remote("x.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
		if wantError(t, err, c.want, c.kind); t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestFetchV0NeedsSideband(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.v0 = true
	id := strings.Repeat("a", 40)
	b.repo("x.git").history("refs/heads/master", 1, 1)
	b.breakOnce("info/refs", faults.Answer(200, packets("# service=git-upload-pack\n")+"0000"+packets(id+" HEAD\x00multi_ack\n")+"0000", "Content-Type", "application/x-git-upload-pack-advertisement"))
	_, err := b.remote("x.git", Options{}).Fetch(t.Context(), FetchRequest{Wants: []string{id}})
	wantError(t, err, "side-band-64k", fault.Configuration)
}

// TestCloseEndsAFetch closes a pack that never ends.
func TestCloseEndsAFetch(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	r := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		io.WriteString(w, packets("packfile\n"))
		for {
			if _, err := io.WriteString(w, packets("\x01some bytes of a pack", "\x02progress")); err != nil {
				return
			}
		}
	}), Options{})
	pack, err := r.Fetch(t.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(pack, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	pack.Close()
	<-ended
	if _, err := io.Copy(io.Discard, pack); !errors.Is(err, fault.Transient) {
		t.Errorf("reading on gave %v, want an error", err)
	}
}

// TestReplay: a body whose bytes are at hand can be sent again, as net/http
// does when a kept connection turns out to be closed; a stream cannot.
func TestReplay(t *testing.T) {
	t.Parallel()
	for size, replayable := range map[int]bool{100: true, 2 << 20: false} {
		var first, again []byte
		r := open(t, "https://h/r", Options{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			defer req.Body.Close()
			first, _ = io.ReadAll(req.Body)
			if req.GetBody != nil {
				body, err := req.GetBody()
				if err != nil {
					return nil, err
				}
				defer body.Close()
				again, _ = io.ReadAll(body)
			}
			return nil, io.ErrUnexpectedEOF
		})})
		_, err := r.Push(t.Context(), PushRequest{Commands: createX(), Pack: strings.NewReader(string(noise(size)))})
		wantError(t, err, "the connection broke", fault.Transient)
		if got := string(again) == string(first); got != replayable || len(first) < size {
			t.Errorf("a pack of %d bytes: sent %d and %d bytes, want the same again: %v", size, len(first), len(again), replayable)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
