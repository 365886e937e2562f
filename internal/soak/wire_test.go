// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// network carries requests to both servers, which are in this process.
type network struct {
	hosts  map[string]http.Handler // host:port -> server
	mirror string                  // the host of GitHub
	sites  []*site

	mu sync.Mutex
	// served is told of each request that a server has answered.
	served func(*http.Request, *http.Response)
	// lag answers queries of Gerrit's index as they were answered before.
	lag   bool
	index map[string]string
	// lies, if not nil, answers in the place of a server: for the tests of the
	// oracle itself.
	lies func(*http.Request) *http.Response
}

// wire is the network as one pass sees it.
type wire struct {
	net    *network
	cancel context.CancelFunc
	kill   int  // the write at which the process dies; 0 is none
	after  bool // it dies when the server has acted
	hold   int  // so many writes, then wait for go on
	held   chan struct{}
	goOn   chan struct{}
	faults []*fault

	mu     sync.Mutex
	dead   bool
	writes []string
}

var errDead = errors.New("the process is gone")

// fault is something that goes wrong, once or for a whole pass.
type fault struct {
	kind string
	path *regexp.Regexp
	host string // gerrit, github or ""
	once bool
	lose bool // the server acts, and the answer is lost
	code int  // it does not act, and answers so
	used bool
}

// faults are all that can go wrong with a request.
var faults = []fault{
	{kind: "lose-call", path: regexp.MustCompile(`/dispatches$`), once: true, lose: true},
	{kind: "drop-call", path: regexp.MustCompile(`/dispatches$`), once: true, code: 502},
	{kind: "lose-push", path: regexp.MustCompile(`/git-receive-pack$`), once: true, lose: true},
	{kind: "lose-pushes", path: regexp.MustCompile(`/git-receive-pack$`), lose: true},
	{kind: "no-push", path: regexp.MustCompile(`/git-receive-pack$`), code: 500},
	{kind: "lose-review", path: regexp.MustCompile(`/review$`), once: true, lose: true},
	{kind: "lose-reviews", path: regexp.MustCompile(`/review$`), lose: true},
	{kind: "no-review", path: regexp.MustCompile(`/review$`), code: 500},
	{kind: "lose-cancel", path: regexp.MustCompile(`/cancel$`), once: true, lose: true},
	{kind: "no-cancel", path: regexp.MustCompile(`/cancel$`), code: 500},
	{kind: "lose-rerun", path: regexp.MustCompile(`/rerun[a-z-]*$`), once: true, lose: true},
	{kind: "no-rerun", path: regexp.MustCompile(`/rerun[a-z-]*$`), code: 403},
	{kind: "no-list", host: "gerrit", path: regexp.MustCompile(`/changes/\?`), code: 500},
	{kind: "no-change", host: "gerrit", path: regexp.MustCompile(`/changes/.*/detail`), code: 500},
	{kind: "no-comments", host: "gerrit", path: regexp.MustCompile(`/comments$`), code: 500},
	{kind: "no-jobs", host: "github", path: regexp.MustCompile(`/jobs\b`), code: 502},
	{kind: "no-runs", host: "github", path: regexp.MustCompile(`/actions/runs\b`), code: 502},
	{kind: "no-gerrit", host: "gerrit", path: regexp.MustCompile(``), code: 503},
	{kind: "no-github", host: "github", path: regexp.MustCompile(``), code: 503},
}

var writing = regexp.MustCompile(`/(?:git-receive-pack|dispatches|review|cancel|force-cancel|rerun|rerun-failed-jobs|comments)$`)

func isWrite(r *http.Request) bool {
	return r.Method != http.MethodGet && writing.MatchString(r.URL.Path)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := w.begin(r); err != nil {
		return nil, err
	}
	f := w.fault(r)
	if f != nil && f.code != 0 {
		return answer(r, f.code, "text/plain", "not today"), nil
	}
	resp, err := w.net.serve(r)
	if err == nil {
		w.net.served(r, resp)
	}
	switch {
	case w.dies(r):
		return nil, errDead
	case err == nil && f != nil && f.lose:
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

// begin counts writes, and ends or holds the pass where it shall be.
func (w *wire) begin(r *http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errDead
	}
	if err := r.Context().Err(); err != nil {
		return err
	}
	if !isWrite(r) {
		return nil
	}
	n := len(w.writes) + 1
	if w.held != nil && n == w.hold+1 {
		close(w.held)
		w.mu.Unlock()
		<-w.goOn
		w.mu.Lock()
		w.held = nil
	}
	if n == w.kill && !w.after {
		w.dead = true
		w.cancel()
		return errDead
	}
	path, _, _ := strings.Cut(r.URL.RequestURI(), "?")
	w.writes = append(w.writes, path)
	return nil
}

// dies ends the pass after the write at which it shall end.
func (w *wire) dies(r *http.Request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dead && w.after && isWrite(r) && len(w.writes) == w.kill {
		w.dead = true
		w.cancel()
	}
	return w.dead
}

func (w *wire) fault(r *http.Request) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	host := "gerrit"
	if r.URL.Host == w.net.mirror {
		host = "github"
	}
	for _, f := range w.faults {
		if f.used && f.once || f.host != "" && f.host != host || !f.path.MatchString(r.URL.RequestURI()) {
			continue
		}
		f.used = true
		return f
	}
	return nil
}

// serve brings a request to its server, or to who lies in its place.
func (n *network) serve(r *http.Request) (*http.Response, error) {
	if n.lies != nil {
		if resp := n.lies(r); resp != nil {
			return resp, nil
		}
	}
	return n.carry(r)
}

// carry brings a request to its server.
func (n *network) carry(r *http.Request) (*http.Response, error) {
	h := n.hosts[r.URL.Host]
	if h == nil { // a log or an artifact
		return http.DefaultTransport.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	if s, mirror := n.git(r.URL.Host, r.URL.Path); s != nil && s.memory != nil {
		if resp, ok := s.memory.serve(r, mirror); ok {
			return resp, nil
		}
	}
	query := r.URL.Host != n.mirror && strings.HasSuffix(r.URL.Path, "/changes/")
	if query && n.lag {
		if old, ok := n.indexed(r); ok {
			return answer(r, http.StatusOK, "application/json;charset=utf-8", old), nil
		}
	}
	resp, err := handle(h, r)
	if err == nil && query && resp.StatusCode == http.StatusOK {
		n.remember(r, resp)
	}
	return resp, err
}

// handle runs a handler; one that aborts breaks the connection.
func handle(h http.Handler, r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			err = io.ErrUnexpectedEOF
		}
	}()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	resp = rec.Result()
	resp.Request = r
	return resp, nil
}

// indexed returns what the index said last time.
func (n *network) indexed(r *http.Request) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text, ok := n.index[r.URL.RequestURI()]
	return text, ok
}

func (n *network) remember(r *http.Request, resp *http.Response) {
	text, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(text))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.index[r.URL.RequestURI()] = string(text)
}

// armed returns the fault of that name, ready for one pass.
func armed(kind string) (*fault, error) {
	i := slices.IndexFunc(faults, func(f fault) bool { return f.kind == kind })
	if i < 0 {
		return nil, fmt.Errorf("there is no fault %q", kind)
	}
	f := faults[i]
	return &f, nil
}
