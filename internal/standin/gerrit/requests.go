// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"net/http"
	"slices"
	"strings"
)

// Request is one request as it came in.
type Request struct {
	Method string
	// Path is the path below the base path, with the query.
	Path string
	// User is the name in the request's credentials, whether they are right or
	// not; empty without any.
	User string
}

func (s *Server) record(r *http.Request) {
	req := Request{Method: r.Method, Path: strings.TrimPrefix(r.URL.RequestURI(), s.o.BasePath)}
	req.User, _, _ = r.BasicAuth()
	s.mu.Lock()
	s.requests = append(s.requests, req)
	hook := s.onRequest
	s.mu.Unlock()
	if hook != nil {
		hook(req)
	}
}

// OnRequest sets a function that runs before each request is answered. It may
// call the builder, so that things change between two requests.
func (s *Server) OnRequest(hook func(Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRequest = hook
}

// Requests returns what was asked since the last call, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.requests
	s.requests = nil
	return list
}

// Unplanned returns the requests for which there is no code here.
func (s *Server) Unplanned() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unplanned)
}
