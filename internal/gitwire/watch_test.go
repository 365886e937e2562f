// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// readBody lets a handler meet a client that waits: net/http notices that a
// client left only when the request's body was read.
func readBody(next func(http.Handler) http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		next(nil).ServeHTTP(w, r)
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	r := open(t, serve(t, readBody(faults.Hang())), Options{Idle: 20 * time.Millisecond})
	err := r.ListRefs(t.Context(), nil, nil)
	wantError(t, err, "the server moved no data for 20ms", fault.Transient)
	_, err = r.Fetch(t.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
	wantError(t, err, "the server moved no data for 20ms", fault.Transient)
	_, err = r.Push(t.Context(), PushRequest{Commands: []Command{{"refs/heads/x", strings.Repeat("a", 40), ""}}})
	wantError(t, err, "the server moved no data for 20ms", fault.Transient)
}

func TestServerThatFallsSilentInAPack(t *testing.T) {
	t.Parallel()
	r := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		io.WriteString(w, packets("packfile\n", "\x01PACK"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}), Options{Idle: 50 * time.Millisecond})
	pack, err := r.Fetch(t.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
	if err != nil {
		t.Fatal(err)
	}
	defer pack.Close()
	got, err := io.ReadAll(pack)
	wantError(t, err, "moved no data for 50ms", fault.Transient)
	if string(got) != "PACK" {
		t.Errorf("got %q, want what came before", got)
	}
}

// slowTransport answers a push after it took some time for each of its steps.
type slowTransport struct {
	read, answer time.Duration // before each read of the body; before the answer
	reply        string
}

func (s slowTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	defer req.Body.Close()
	buf := make([]byte, 256<<10)
	for {
		if err := wait(req, s.read); err != nil {
			return nil, err
		}
		if _, err := req.Body.Read(buf); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	if err := wait(req, s.answer); err != nil {
		return nil, err
	}
	h := http.Header{"Content-Type": {"application/x-git-receive-pack-result"}}
	return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader(s.reply))}, nil
}

func wait(req *http.Request, d time.Duration) error {
	select {
	case <-req.Context().Done():
	case <-time.After(d): // the bubble's clock
	}
	return req.Context().Err()
}

// slowSource takes some time before each read.
type slowSource struct {
	io.Reader
	pause time.Duration
}

func (s slowSource) Read(p []byte) (int, error) {
	time.Sleep(s.pause) // the bubble's clock
	return s.Reader.Read(p)
}

// TestIdleTimeCountsTheServerOnly runs in a bubble, whose clock needs no time.
func TestIdleTimeCountsTheServerOnly(t *testing.T) {
	t.Parallel()
	ok := packets("unpack ok\n", "ok refs/heads/x\n") + "0000"
	cases := map[string]struct {
		transport slowTransport
		source    time.Duration
		want      string
	}{
		"slow source":         {slowTransport{reply: ok}, 10 * time.Minute, ""},
		"slow server":         {slowTransport{read: 50 * time.Second, answer: 50 * time.Second, reply: ok}, 0, ""},
		"stalled server":      {slowTransport{read: 70 * time.Second}, 0, "moved no data for 1m0s"},
		"silent after upload": {slowTransport{answer: 70 * time.Second}, 0, "moved no data for 1m0s"},
		"longer than an hour": {slowTransport{reply: ok}, 20 * time.Minute, "took longer than 1h0m0s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, "https://h/r", Options{Transport: c.transport, Idle: time.Minute})
				source := slowSource{strings.NewReader(string(noise(2 << 20))), c.source}
				_, err := r.Push(t.Context(), PushRequest{Commands: []Command{{"refs/heads/x", "", strings.Repeat("a", 40)}}, Pack: source})
				if c.want != "" {
					wantError(t, err, c.want, fault.Transient)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestHooksTakeTimeForEachRef: a server may be silent longer after more refs.
func TestHooksTakeTimeForEachRef(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		silent time.Duration
		want   string
	}{
		{3 * time.Minute, ""}, // 0.6 s a ref
		{5 * time.Minute, "moved no data for 4m0s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var q PushRequest
			reply := "unpack ok\n"
			for i := range 300 {
				ref := fmt.Sprintf("refs/heads/x%d", i)
				q.Commands = append(q.Commands, Command{ref, strings.Repeat("a", 40), ""})
				reply += "ok " + ref + "\n"
			}
			r := open(t, "https://h/r", Options{Idle: time.Minute, Transport: slowTransport{answer: c.silent, reply: packets(strings.SplitAfter(reply, "\n")[:301]...) + "0000"}})
			_, err := r.Push(t.Context(), q)
			if c.want != "" {
				wantError(t, err, c.want, fault.Transient)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReaderMayTakeItsTime: what the reader of a pack does between two reads
// does not count as the server's silence.
func TestReaderMayTakeItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(t.Context(), Options{Idle: time.Minute, Total: time.Hour})
		defer w.stop()
		w.note(func() { w.waiting = false })
		time.Sleep(30 * time.Minute)
		if err := w.ctx.Err(); err != nil {
			t.Fatalf("the request ended while nobody waited for the server: %v", err)
		}
		w.note(func() { w.waiting = true })
		begin := time.Now()
		<-w.ctx.Done()
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("the request ended after %v of waiting, want 1m", took)
		}
		if err := w.explain(io.ErrUnexpectedEOF); !errors.Is(err, errTimeout) {
			t.Errorf("got %v, want the timeout as the cause", err)
		}
	})
}
