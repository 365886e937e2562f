// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// zipping compresses what a server answers, asked for or not.
func zipping(next http.Handler, forced bool, asked *[]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accept := r.Header.Get("Accept-Encoding")
		*asked = append(*asked, accept)
		if accept != "gzip" && !forced {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(rec.Code)
		w.Write(zipped(rec.Body.Bytes()))
	})
}

// TestCompressedAnswers: lists, packs, reports and refusals of a server that
// compresses. Lists are asked for like that; packs are compressed already.
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	for _, forced := range []bool{false, true} {
		for _, v0 := range []bool{false, true} {
			b := newBed(t)
			b.v0 = v0
			m := b.repo("m.git")
			id := m.history("refs/heads/master", 1, 1)[0]
			var asked []string
			b.breakAlways(func(next http.Handler) http.Handler { return zipping(next, forced, &asked) })
			r := b.remote("m.git", Options{})
			if diff := cmp.Diff([]Ref{{"HEAD", id}, {"refs/heads/master", id}}, listAll(t, r)); diff != "" {
				t.Errorf("refs (-want +got):\n%s", diff)
			}
			if pack := fetchAll(t, r, FetchRequest{Wants: []string{id}}); !bytes.HasPrefix(pack, []byte("PACK")) {
				t.Errorf("got %d bytes that are no pack", len(pack))
			}
			if mustPush(t, r, PushRequest{Commands: []Command{{"refs/heads/a", "", id}}, Pack: emptyPack()}); m.rev("refs/heads/a") != id {
				t.Error("the push did not arrive")
			}
			wantError(t, b.remote("none.git", Options{}).ListRefs(t.Context(), nil, nil), "status 404", fault.Configuration)
			want := []string{"gzip", "identity", "identity", "gzip", "gzip"}
			if v0 {
				want = slices.Insert(want, 1, "gzip", "gzip") // is it v2, and the refs
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		}
	}
}

func TestBadEncodings(t *testing.T) {
	t.Parallel()
	const list = "application/x-git-upload-pack-result"
	refs := []byte(packets("0123456789012345678901234567890123456789 refs/heads/x\n") + "0000")
	z := zipped(refs)
	for name, c := range map[string]struct {
		encoding, body, want string
		kind                 fault.Kind
	}{
		"not gzip":      {"gzip", string(refs), "invalid header", fault.Permanent},
		"cut":           {"gzip", string(z[:len(z)-20]), "", fault.Transient},
		"not asked for": {"br", "x", `content encoding "br"`, fault.Configuration},
	} {
		r := open(t, answerWith(t, 200, c.body, "Content-Type", list, "Content-Encoding", c.encoding), Options{})
		err := r.ListRefs(t.Context(), nil, func(Ref) error { return nil })
		if wantError(t, err, c.want, c.kind); t.Failed() {
			t.Fatal(name)
		}
	}
	// A refusal says enough by its status.
	err := open(t, answerWith(t, 503, "x", "Content-Encoding", "br"), Options{}).ListRefs(t.Context(), nil, nil)
	wantError(t, err, "status 503", fault.Transient)
}

func TestCompressedRefusal(t *testing.T) {
	t.Parallel()
	r := open(t, answerWith(t, 403, string(zipped([]byte("You are not allowed"))), "Content-Encoding", "gzip"), Options{})
	wantError(t, r.ListRefs(t.Context(), nil, nil), "403: You are not allowed")
}

// TestCompressedNothing: an empty body is empty, whatever its header says.
func TestCompressedNothing(t *testing.T) {
	t.Parallel()
	if n, err := io.Copy(io.Discard, &inflater{body: http.NoBody}); n != 0 || err != nil {
		t.Errorf("got %d bytes, %v; want none", n, err)
	}
}

func TestBomb(t *testing.T) {
	t.Parallel()
	z := zipped(make([]byte, 4<<20))
	for free, fine := range map[int64]bool{1 << 20: false, 8 << 20: true} {
		n, err := io.Copy(io.Discard, &inflater{body: io.NopCloser(bytes.NewReader(z)), free: free})
		if fine != (err == nil) || n > free {
			t.Errorf("%d bytes free: read %d, %v", free, n, err)
		}
	}
	text := noise(1 << 20) // is as long as it looks
	if n, err := io.Copy(io.Discard, &inflater{body: io.NopCloser(bytes.NewReader(zipped(text)))}); err != nil || n != int64(len(text)) {
		t.Errorf("read %d bytes, %v; want all %d", n, err, len(text))
	}
}
