// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// stream is a pack without end: it gives some bytes, and then more for ever or
// nothing until it is closed.
type stream struct {
	first   int64
	endless bool
	gave    atomic.Int64
	pushed  atomic.Bool // Push returned
	once    sync.Once
	closed  chan struct{}
}

func newStream(first int64, endless bool) *stream {
	return &stream{first: first, endless: endless, closed: make(chan struct{})}
}

func (s *stream) Read(p []byte) (int, error) {
	if s.pushed.Load() {
		panic("the pack is read after Push returned")
	}
	if s.endless || s.gave.Load() < s.first {
		s.gave.Add(int64(len(p)))
		return len(p), nil
	}
	<-s.closed
	return 0, io.ErrClosedPipe
}

func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
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
	eachHTTP(t, func(t *testing.T, serve func(http.HandlerFunc) *Remote) {
		for _, status := range []int{401, 403, 413, 500} {
			for name, endless := range map[string]bool{"endless": true, "blocked": false} {
				r := serve(early(status, "text/plain", "because I say so"))
				pack := newStream(2<<20, endless)
				_, err := r.Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
				pack.pushed.Store(true)
				<-pack.closed
				if n := pack.gave.Load(); n > 64<<20 {
					t.Errorf("%d, %s: %d bytes of the pack were read, want the reading to stop", status, name, n)
				}
				e, ok := errors.AsType[*StatusError](err)
				if !ok || e.Status != status || e.Body != "because I say so" {
					t.Errorf("%d, %s: got %v, want the status and its reason", status, name, err)
				}
			}
		}
	})
}

func TestEarlyReportStopsThePack(t *testing.T) {
	t.Parallel()
	eachHTTP(t, func(t *testing.T, serve func(http.HandlerFunc) *Remote) {
		r := serve(early(200, "application/x-git-receive-pack-result", packets("unpack too many commands\n", "ng refs/heads/x refused\n")+"0000"))
		pack := newStream(2<<20, true)
		report := mustPush(t, r, PushRequest{Commands: createX(), Pack: pack})
		pack.pushed.Store(true)
		<-pack.closed
		if report.Unpack != "too many commands" || report.Results[0].Reason != "refused" {
			t.Errorf("got report %+v, want what the server said", report)
		}
	})
}

// TestFailedPackBreaksTheRequest: the server must not take what came so far
// for the whole pack.
func TestFailedPackBreaksTheRequest(t *testing.T) {
	t.Parallel()
	eachHTTP(t, func(t *testing.T, serve func(http.HandlerFunc) *Remote) {
		read := make(chan error, 1)
		r := serve(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			read <- err
		})
		broken := errors.New("the source broke")
		pack := io.MultiReader(strings.NewReader(string(noise(3<<20))), errReader{broken})
		_, err := r.Push(t.Context(), PushRequest{Commands: createX(), Pack: pack})
		wantError(t, err, "failed to read the pack to push: the source broke", broken)
		if err := <-read; err == nil {
			t.Error("the server saw a body that ended well, want a broken one")
		}
	})
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
