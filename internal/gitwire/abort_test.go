// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// stream is a pack that another goroutine writes: first bytes at once, then
// more for ever, or nothing for ever.
type stream struct {
	*io.PipeReader
	wrote  atomic.Int64
	ended  chan error // how the writer ended
	closed atomic.Bool
}

func newStream(first int, endless bool) *stream {
	r, w := io.Pipe()
	s := &stream{PipeReader: r, ended: make(chan error, 1)}
	go func() {
		b := make([]byte, 64<<10)
		for endless || s.wrote.Load() < int64(first) {
			n, err := w.Write(b)
			s.wrote.Add(int64(n))
			if err != nil {
				s.ended <- err
				return
			}
		}
		_, err := w.Write(b[:1]) // blocks until the reader closes
		s.ended <- err
	}()
	return s
}

// Read refuses to be called after Push returned.
func (s *stream) Read(p []byte) (int, error) {
	if s.closed.Load() {
		panic("the pack is read after Push returned")
	}
	return s.PipeReader.Read(p)
}

func createX() []Command { return []Command{{"refs/heads/x", "", strings.Repeat("a", 40)}} }

// early answers at once, without a look at the body.
func early(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestEarlyAnswerStopsThePack(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 413, 500} {
		for name, endless := range map[string]bool{"endless": true, "blocked": false} {
			url := serve(t, early(status, "text/plain", "because I say so"))
			pack := newStream(2<<20, endless)
			_, err := open(t, url, Options{}).Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
			pack.closed.Store(true)
			if ended := <-pack.ended; !errors.Is(ended, io.ErrClosedPipe) {
				t.Errorf("%d, %s: the source ended with %v, want it closed", status, name, ended)
			}
			if n := pack.wrote.Load(); n > 64<<20 {
				t.Errorf("%d, %s: %d bytes of the pack were read, want the reading to stop", status, name, n)
			}
			e, ok := errors.AsType[*StatusError](err)
			if !ok || e.Status != status || e.Body != "because I say so" {
				t.Errorf("%d, %s: got %v, want the status and its reason", status, name, err)
			}
		}
	}
}

func TestEarlyReportStopsThePack(t *testing.T) {
	t.Parallel()
	url := serve(t, early(200, "application/x-git-receive-pack-result", packets("unpack too many commands\n", "ng refs/heads/x refused\n")+"0000"))
	pack := newStream(2<<20, true)
	report := mustPush(t, open(t, url, Options{}), PushRequest{Commands: createX(), Pack: pack})
	pack.closed.Store(true)
	<-pack.ended
	if report.Unpack != "too many commands" || report.Results[0].Reason != "refused" {
		t.Errorf("got report %+v, want what the server said", report)
	}
}

// TestFailedPackBreaksTheRequest: the server must not take what came so far
// for the whole pack.
func TestFailedPackBreaksTheRequest(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})
	broken := errors.New("the source broke")
	pack := io.MultiReader(strings.NewReader(string(noise(3<<20))), errReader{broken})
	_, err := open(t, url, Options{}).Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
	wantError(t, err, "failed to read the pack to push: the source broke", broken)
	if err := <-read; err == nil {
		t.Error("the server saw a body that ended well, want a broken one")
	}
}

// TestNothingIsLeft is not parallel, so that only its own goroutines count.
func TestNothingIsLeft(t *testing.T) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	before := runtime.NumGoroutine()
	for range 10 {
		pack := newStream(2<<20, false)
		r := open(t, serve(t, early(403, "text/plain", "no")), Options{Transport: transport, Idle: time.Minute})
		_, err := r.Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
		wantError(t, err, "status 403", fault.Configuration)
		<-pack.ended
	}
	transport.CloseIdleConnections()
	const servers = 10 // each has an accepting goroutine until the test's end
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		if n := runtime.NumGoroutine(); n <= before+servers {
			return
		} else if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines are left of %d pushes:\n%s", n-before-servers, servers, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
