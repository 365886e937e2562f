// SPDX-License-Identifier: BSD-3-Clause

// Package s3 is an S3 server for tests: objects, listings and multi-part
// uploads over a folder, for one key. Every request's signature (version 4),
// clock, payload hash and Content-MD5 are checked as Amazon's documentation
// says, so a client's mistake meets the answer that it would meet in the field.
//
// Its code shares nothing with the client library, so that a mistake there
// cannot hide here. It knows no access rights but those of the one key and no
// signatures in chunks, and what it was not made for it answers with 501. What its
// lists remember is lost when it ends. dialect.go has the services that differ.
package s3

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/loopback"
)

// Conditions say what a server makes of "If-None-Match: *" in a write; there are
// servers of each kind.
type Conditions int

// The kinds of servers.
const (
	Obeyed  Conditions = iota
	Ignored            // the object is replaced
	Refused            // 501
)

// Options set up a server.
type Options struct {
	// Key and Secret are the account.
	Key, Secret string
	// Region must be in every signature's scope; empty is us-east-1.
	Region string
	// Buckets are the names of the buckets that exist.
	Buckets []string
	// Base is a path that all addresses begin with, as behind a proxy that serves
	// more than this ("/storage/s3"); it is part of what is signed.
	Base string
	// Domain makes BUCKET.DOMAIN a bucket's host.
	Domain string
	// MinPart is the least size of a part that is not the last one; 0 is
	// Amazon's, 5 MiB.
	MinPart int64
	// PageSize is the longest page of a list; 0 is 1000.
	PageSize int
	// Conditions are obeyed if 0.
	Conditions Conditions
	// Versions are not kept if 0.
	Versions Versions
	// MarkersLast lists delete markers behind all versions of a page.
	MarkersLast bool
	// Lifecycle is the bucket's lifecycle configuration, as XML; empty is none.
	Lifecycle string
	// Deny lists actions that the account may not do: ListBucketVersions,
	// DeleteObjectVersion, GetBucketVersioning, GetLifecycleConfiguration.
	Deny []string
	// PlainUploads refuses Amazon's newer checksums of uploads.
	PlainUploads bool
	// Locked wants a Content-MD5 with each upload, as a bucket with Object Lock
	// does.
	Locked bool
	// Retention is how long Object Lock holds a version.
	Retention time.Duration
	// Now is the server's clock; nil is time.Now.
	Now func() time.Time
}

// Server is an S3 server in this process. Its methods may be called while it
// serves.
type Server struct {
	// Faults make requests go wrong.
	Faults faults.Set

	dir string
	o   Options

	mu       sync.Mutex
	buckets  map[string]map[string]*Object // by bucket, by key: current ones
	history  map[versionKey][]*Object      // all versions, oldest first
	uploads  map[string]*upload            // by id
	files    int                           // made so far
	lose     map[int]int                   // parts to lose, by number
	requests []Request
}

// Request is one request as it came in.
type Request struct {
	Method string
	// Path is the request's path with the query.
	Path string
	// Header holds what was sent, signature included.
	Header http.Header
}

// New makes a server that keeps what objects hold in a folder.
func New(dir string, o Options) *Server {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.PageSize == 0 {
		o.PageSize = 1000
	}
	if o.MinPart == 0 {
		o.MinPart = 5 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		dir: dir, o: o, buckets: map[string]map[string]*Object{}, history: map[versionKey][]*Object{},
		uploads: map[string]*upload{}, lose: map[int]int{},
	}
	for _, name := range o.Buckets {
		s.buckets[name] = map[string]*Object{}
	}
	return s
}

// Serve makes and starts a server that lives as long as the test. It returns
// the endpoint's URL, base path included.
func Serve(t loopback.Test, o Options) (*Server, string) {
	t.Helper()
	s := New(t.TempDir(), o)
	endpoint, err := s.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, endpoint
}

// Start serves on a free port of 127.0.0.1 until ctx is done.
func (s *Server) Start(ctx context.Context) (string, error) {
	url, err := loopback.Serve(ctx, s, func(err error) { panic(err) })
	return url + s.o.Base, err
}

// ServeHTTP records a request and answers it, or lets it go wrong.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone()})
	s.mu.Unlock()
	s.Faults.Wrap(http.HandlerFunc(s.serve)).ServeHTTP(w, r)
}

// Requests returns what was asked since the last call, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.requests
	s.requests = nil
	return list
}
