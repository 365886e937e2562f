// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/loopback"
)

// Options set up a server. The zero value is a server at the root of its host
// with 500 changes in an answer.
type Options struct {
	// BasePath is the sub-path that the server lives under (/gerrit), or empty.
	BasePath string
	// PageLimit is the most changes in one answer, 500 if 0.
	PageLimit int
	// FirstChange is the number of the first change, 1 if 0.
	FirstChange int
	// Version is what the server calls itself, 3.13.5 if empty.
	Version string
	// Labels are the labels of all projects; nil is Code-Review and Verified.
	Labels []Label
	// StrictLabels refuses reviews with unknown labels or values instead of
	// dropping those votes (change.strictLabels).
	StrictLabels bool
	// StrictAttention refuses a review that calls somebody who cannot be found or
	// may not see the change, as releases about 3.5 did; later ones take it without
	// that.
	StrictAttention bool
	// OwnVoteDates keeps the date of a vote that a new patchset takes over, as
	// releases before 3.6 did; later ones give it the patchset's.
	OwnVoteDates bool
	// CaseSensitiveNames tells user names apart by case
	// (auth.userNameCaseInsensitive is false): what sites from before 3.5 do.
	CaseSensitiveNames bool
	// NoVirtualIDs leaves virtual_id_number out, as releases before 3.9 do.
	NoVirtualIDs bool
	// Slashes is what a proxy before the server makes of %2F in a path.
	Slashes Slashes
	// MaxUpdates is how many updates a change may have (change.maxUpdates), and
	// MaxText how much its comments and messages may take in all, those of programs
	// left out (change.cumulativeCommentSizeLimit); 0 is no limit.
	MaxUpdates, MaxText int
	// Now is the server's clock. If nil, time stands still but for one second
	// that each builder call and each review takes.
	Now func() time.Time
	// Fail is told when a builder call cannot be carried out, and must not
	// return; if nil, the call panics.
	Fail func(error)
}

// Label is something to vote on.
type Label struct {
	Name     string
	Min, Max int
	// Copy are the patchset kinds that carry votes forward: changekind: terms,
	// joined by OR (copyCondition).
	Copy []string
	// Voters are the names of the groups that the project's access rights let vote.
	// What an account may really vote is said by Restrict and Forbid.
	Voters []string
	// Blocks: the lowest value blocks the submission, and so stays when the change
	// moves (a label function with a block, or none but in old sites).
	Blocks bool
}

// Server is a Gerrit server in this process. Its methods may be called while it
// serves.
type Server struct {
	// Faults make requests go wrong.
	Faults faults.Set

	dir string
	o   Options

	mu        sync.Mutex
	clock     time.Time
	url       string
	accounts  []*Account
	groups    []*Group
	projects  map[string]*Project
	changes   map[change.Address]*Change
	labels    []Label
	forbidden map[string]bool // labels by name
	lag       time.Duration
	next      int
	requests  []Request
	unplanned []Request
	onRequest func(Request)
}

// New makes a server whose repositories live below dir.
func New(dir string, o Options) *Server {
	if o.PageLimit == 0 {
		o.PageLimit = 500
	}
	if o.FirstChange == 0 {
		o.FirstChange = 1
	}
	if o.Version == "" {
		o.Version = "3.13.5"
	}
	if o.Labels == nil {
		o.Labels = []Label{
			{Name: "Code-Review", Min: -2, Max: 2, Copy: []string{trivialRebase}},
			{Name: "Verified", Min: -1, Max: 1, Copy: []string{noCodeChange}},
		}
	}
	if o.Fail == nil {
		o.Fail = func(err error) { panic(err) }
	}
	return &Server{
		dir: dir, o: o, next: o.FirstChange, labels: slices.Clone(o.Labels), forbidden: map[string]bool{},
		clock:    time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
		projects: map[string]*Project{},
		changes:  map[change.Address]*Change{},
	}
}

// Serve makes and starts a server that lives as long as the test, fails it when
// a builder call fails, and reports requests that nobody planned.
func Serve(t loopback.Test, o Options) *Server {
	t.Helper()
	o.Fail = func(err error) { t.Fatal(err) }
	s := New(t.TempDir(), o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("failed to close the Gerrit stand-in: %v", err)
		}
		for _, r := range s.Unplanned() {
			t.Errorf("unplanned request to the Gerrit stand-in: %s %s", r.Method, r.Path)
		}
	})
	if _, err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start serves on a free port of 127.0.0.1 until ctx is done and returns the
// server's URL, base path included.
func (s *Server) Start(ctx context.Context) (string, error) {
	url, err := loopback.Serve(ctx, s.Handler(), s.o.Fail)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = url + s.o.BasePath
	return s.url, nil
}

// URL returns the address that Start made.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close ends the processes that write the repositories. It does not end a
// server that was started: that ends with its context.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.projects {
		errs = append(errs, p.repo.close())
	}
	return errors.Join(errs...)
}

// Handler returns the server as a handler, recording and faults included.
func (s *Server) Handler() http.Handler {
	inner := s.Faults.Wrap(s.o.Slashes.proxy(http.HandlerFunc(s.serve)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.record(r)
		if s.o.Now != nil { // of what answers in Gerrit's place, too
			w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
		}
		inner.ServeHTTP(w, r)
	})
}

// tick returns the time of something that happens now. Gerrit keeps its times
// as git does: in whole seconds.
func (s *Server) tick() time.Time {
	if s.o.Now != nil {
		return s.o.Now().UTC().Truncate(time.Second)
	}
	s.clock = s.clock.Add(time.Second)
	return s.clock
}

// now returns the time without letting it pass.
func (s *Server) now() time.Time {
	if s.o.Now != nil {
		return s.o.Now().UTC()
	}
	return s.clock
}

// Advance lets time pass on a server without a clock of its own.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// Project returns the project of that name and makes it if there is none: an
// empty repository whose HEAD is master.
func (s *Server) Project(name string) *Project {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.projects[name]; p != nil {
		return p
	}
	repo, err := newRepository(filepath.Join(s.dir, filepath.FromSlash(name)+".git"))
	if err != nil {
		s.o.Fail(fmt.Errorf("failed to make project %s: %w", name, err))
	}
	p := &Project{srv: s, name: name, repo: repo, branches: map[string]string{}}
	s.projects[name] = p
	return p
}
