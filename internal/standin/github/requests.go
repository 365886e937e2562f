// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"slices"
)

// Request is one request as it came in.
type Request struct {
	Method string
	// Path is the request's path with the query.
	Path string
	// Token is the token in the request's credentials, whether it is known or
	// not; empty without any.
	Token string
}

func (s *Server) record(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, newRequest(r))
}

func newRequest(r *http.Request) Request {
	return Request{Method: r.Method, Path: r.URL.RequestURI(), Token: tokenOf(r)}
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

// serveUnplanned answers what there is no code for.
func (s *Server) serveUnplanned(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.unplanned = append(s.unplanned, newRequest(r))
	s.mu.Unlock()
	fail(w, http.StatusNotFound, "Not Found")
}
