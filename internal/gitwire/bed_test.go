// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// bed is a git server over true repositories whose answers can go wrong.
type bed struct {
	t      *testing.T
	root   string
	url    string
	faults faults.Set

	mu       sync.Mutex
	v0       bool // hide from git that the client asks for v2
	requests []*http.Request
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, root: t.TempDir()}
	var log strings.Builder // complete once the server is closed
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("git said: %s", log.String())
		}
	})
	backend := &githttp.Handler{Root: b.root, User: "tester", Log: &log, Env: gitEnv()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.requests = append(b.requests, r.Clone(context.Background()))
		if b.v0 {
			r.Header.Del("Git-Protocol")
		}
		b.mu.Unlock()
		b.faults.Wrap(backend).ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

// seen returns "METHOD /path" of the requests so far, and forgets them.
func (b *bed) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for _, r := range b.requests {
		lines = append(lines, r.Method+" "+r.URL.RequestURI())
	}
	b.requests = nil
	return lines
}

// repo makes a bare repository; config holds key=value pairs.
func (b *bed) repo(name string, config ...string) repo {
	b.t.Helper()
	r := repo{b.t, filepath.Join(b.root, name)}
	runGit(b.t, b.root, "", "init", "--quiet", "--bare", "--initial-branch=master", r.dir)
	for _, pair := range config {
		key, value, _ := strings.Cut(pair, "=")
		r.git("config", key, value)
	}
	return r
}

func (b *bed) remote(name string, o Options) *Remote {
	b.t.Helper()
	return open(b.t, b.url+"/"+name, o)
}

// breakOnce makes the next request whose path matches go wrong.
func (b *bed) breakOnce(path string, do func(http.Handler) http.Handler) {
	b.faults.Add(faults.Rule{Path: regexp.MustCompile(path), Times: 1, Do: do})
}

// breakAlways puts a handler before all requests.
func (b *bed) breakAlways(do func(http.Handler) http.Handler) { b.faults.Add(faults.Rule{Do: do}) }

// serve runs a handler and returns the address of a repository on it.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL + "/r.git"
}

// serveHTTP2 is serve with TLS and HTTP/2, and the transport to reach it.
func serveHTTP2(t testing.TB, h http.HandlerFunc) (string, http.RoundTripper) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL + "/r.git", srv.Client().Transport
}

// eachHTTP runs a test over HTTP/1.1 and over HTTP/2, which end requests in
// different ways.
func eachHTTP(t *testing.T, test func(t *testing.T, serve func(http.HandlerFunc) *Remote)) {
	t.Run("HTTP/1.1", func(t *testing.T) {
		t.Parallel()
		test(t, func(h http.HandlerFunc) *Remote { return open(t, serve(t, h), Options{}) })
	})
	t.Run("HTTP/2", func(t *testing.T) {
		t.Parallel()
		test(t, func(h http.HandlerFunc) *Remote {
			url, transport := serveHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 2 {
					t.Errorf("got a request over %s, want HTTP/2", r.Proto)
				}
				h(w, r)
			})
			return open(t, url, Options{Transport: transport})
		})
	})
}

func open(t testing.TB, url string, o Options) *Remote {
	t.Helper()
	r, err := Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fetchAll returns the whole pack.
func fetchAll(t *testing.T, r *Remote, q FetchRequest) []byte {
	t.Helper()
	pack, err := r.Fetch(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer pack.Close()
	b, err := io.ReadAll(pack)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listAll returns the refs in the server's order.
func listAll(t *testing.T, r *Remote, prefixes ...string) []Ref {
	t.Helper()
	var refs []Ref
	err := r.ListRefs(t.Context(), prefixes, func(ref Ref) error {
		refs = append(refs, ref)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// wantError checks an error's kinds and text.
func wantError(t *testing.T, err error, text string, targets ...error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want one with %q", err, text)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("got error %v, want one that is %v", err, target)
		}
	}
}
