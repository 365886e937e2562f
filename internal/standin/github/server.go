// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/loopback"
)

// Details says how the server treats return_run_details of a dispatch.
type Details int

const (
	// ReturnDetails answers with the new run's id, as github.com does.
	ReturnDetails Details = iota
	// IgnoreDetails answers 204 whatever is asked for.
	IgnoreDetails
	// RefuseDetails does not permit the field (Enterprise Server 3.20 and older).
	RefuseDetails
)

// Options set up a server.
type Options struct {
	// Tokens are the tokens that the server knows and what they allow.
	Tokens map[string]Access
	// Apps are the GitHub Apps that the server knows.
	Apps []App
	// Details is how return_run_details is treated.
	Details Details
	// VisibilityDelay is how long after its creation a run appears in lists.
	VisibilityDelay time.Duration
	// PartialReruns leaves out of the jobs of an attempt those that were not run again:
	// GitHub has listed them and has not (cli/cli#9341, r-universe-org/help#607).
	PartialReruns bool
	// NoJobs makes all lists of jobs empty, those of completed runs too
	// (go-gitea/gitea#38286).
	NoJobs bool
	// LateAttempts counts an attempt in run_attempt only once it has begun, where others
	// count it from the rerun on: both were seen (Team-Commonly/commonly#1281).
	LateAttempts bool
	// Gitea describes runs as Gitea 1.25 does: run_attempt is 0, and started_at stands in
	// the place of created_at and updated_at, which came later (go-gitea/gitea#35382).
	Gitea bool
	// GiteaAPI has the API at /api/v1 as Gitea 1.25 has it, and describes runs like
	// that: what differs is told at the head of the package.
	GiteaAPI bool
	// ForgejoAPI has the API at /api/v1 as Forgejo 16 has it.
	ForgejoAPI bool
	// NoJobCalls takes the calls for jobs away, which Gitea before 1.25 and Forgejo before
	// 16 do not have.
	NoJobCalls bool
	// PlainTitles gives runs the titles of their workflows, as a Forgejo does that does
	// not know run-name.
	PlainTitles bool
	// OldestFirst turns the lists of runs round. They come newest first (seen in
	// max-sixty/tend#886), which the documentation does not promise.
	OldestFirst bool
	// Retitle, if not nil, makes the title of a run anew for each further attempt. Whether
	// GitHub evaluates run-name again is not known.
	Retitle func(Run) string
	// Wedged answers 500 to each cancel: some runs stay in_progress although all of their
	// jobs have ended, and cannot be stopped (JiRaska/open-bank-oss#6472).
	Wedged bool
	// DeafQueue lets jobs that wait for a runner wait on when their run is cancelled,
	// until it is made to (paiml/paiml-mcp-agent-toolkit#1318).
	DeafQueue bool
	// MaxPush is the largest pack that may be pushed, in bytes; 0 is no limit.
	MaxPush int64
	// ImmutableReleases lets nothing of a release change once it is published.
	ImmutableReleases bool
	// RefuseRefs are pushes of refs that are refused one by one.
	RefuseRefs []RefRule
	// Wrap, if not nil, is put around everything but the faults: a check of
	// what is asked and answered, say.
	Wrap func(http.Handler) http.Handler
	// Now is the server's clock. If nil, time stands still but for what Advance
	// adds.
	Now func() time.Time
	// Fail is told when a builder call cannot be carried out, and must not
	// return; if nil, the call panics.
	Fail func(error)
}

// Server is a GitHub server in this process. Its methods may be called while it
// serves.
type Server struct {
	// Faults make requests go wrong, those of downloads included: their paths
	// begin with /blobs/.
	Faults faults.Set

	dir string
	o   Options

	mu           sync.Mutex
	clock        time.Time
	url          string
	repositories map[string]*Repository // by lower-case OWNER/NAME
	minted       map[string]mintedToken // installation tokens
	runs         []*Run                 // oldest first
	runCount     int64
	lag          Lag
	past         map[int64][]past // by the runs' ids, oldest first
	fresh        []*Run           // started and not told to onRun yet
	jobs         map[attempt][]*Job
	ended        map[attempt]Run // attempts before the last
	jobCount     int64
	artifacts    []*Artifact
	packages     map[string][]PackageVersion // by orgs/OWNER/NAME or users/OWNER/NAME
	releases     []*Release                  // oldest first
	releaseCount int64
	blobURL      string
	blobs        []blob
	downloads    []Request
	requests     []Request
	unplanned    []Request
	onRun        func(Run)
	stops        map[attempt]context.CancelFunc // of RunWith
}

// New makes a server whose repositories live below dir.
func New(dir string, o Options) *Server {
	if o.Fail == nil {
		o.Fail = func(err error) { panic(err) }
	}
	o.GiteaAPI = o.GiteaAPI || o.ForgejoAPI
	if o.GiteaAPI {
		o.Gitea, o.Details = true, IgnoreDetails
	}
	return &Server{
		dir: dir, o: o,
		clock:        time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
		repositories: map[string]*Repository{},
		past:         map[int64][]past{},
		minted:       map[string]mintedToken{},
		jobs:         map[attempt][]*Job{}, ended: map[attempt]Run{},
		stops: map[attempt]context.CancelFunc{},
	}
}

// Serve makes and starts a server that lives as long as the test, fails it when
// a builder call fails, and reports requests that nobody planned.
func Serve(t loopback.Test, o Options) *Server {
	t.Helper()
	o.Fail = func(err error) { t.Fatal(err) }
	s := New(t.TempDir(), o)
	t.Cleanup(func() {
		for _, r := range s.Unplanned() {
			t.Errorf("unplanned request to the GitHub stand-in: %s %s", r.Method, r.Path)
		}
	})
	if _, err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start serves on a free port of 127.0.0.1 until ctx is done and returns the
// server's URL, which is both the API's and that of the repositories. Logs and
// artifacts are downloaded from another port.
func (s *Server) Start(ctx context.Context) (string, error) {
	main, err := loopback.Serve(ctx, s.Handler(), s.o.Fail)
	if err != nil {
		return "", err
	}
	blobs, err := loopback.Serve(ctx, s.blobHandler(), s.o.Fail)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url, s.blobURL = main, blobs
	return s.url, nil
}

// URL returns the address that Start made.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Handler returns the server as a handler, recording and faults included.
func (s *Server) Handler() http.Handler {
	inner := s.routes()
	if s.o.GiteaAPI {
		inner = gitea(inner, s.o.giteaLacks())
	}
	if s.o.Wrap != nil {
		inner = s.o.Wrap(inner)
	}
	inner = s.Faults.Wrap(inner)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.record(r)
		if s.o.Now != nil {
			w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
		}
		inner.ServeHTTP(w, r)
	})
}

// now returns the time; GitHub keeps its times in whole seconds.
func (s *Server) now() time.Time {
	if s.o.Now != nil {
		return s.o.Now().UTC().Truncate(time.Second)
	}
	return s.clock
}

// Advance lets time pass on a server without a clock of its own.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}
