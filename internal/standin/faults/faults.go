// SPDX-License-Identifier: BSD-3-Clause

// Package faults makes a stand-in server misbehave on request: wrong answers,
// cut and truncated bodies, lost replies, silence. A fault is a real thing on
// the wire, so the code under test meets what it would meet in the field.
package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
)

// Rule says which requests go wrong and how.
type Rule struct {
	// Method is the HTTP method; empty is any.
	Method string
	// Path is matched against the request's path and query; nil is any.
	Path *regexp.Regexp
	// Skip lets so many matching requests pass first.
	Skip int
	// Times is how many requests go wrong; 0 is all of them.
	Times int
	// Do answers instead of, or around, the real handler.
	Do func(next http.Handler) http.Handler
}

// Set is a list of rules that may change while the server runs. Its zero value
// has none.
type Set struct {
	mu    sync.Mutex
	rules []*Rule
}

// Add appends a rule; the first one that matches wins.
func (s *Set) Add(r Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &r)
}

// Clear removes all rules.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Wrap returns next with the set's rules in front of it.
func (s *Set) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if do := s.pick(r); do != nil {
			do(next).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Set) pick(r *http.Request) func(http.Handler) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, rule := range s.rules {
		if rule.Method != "" && rule.Method != r.Method ||
			rule.Path != nil && !rule.Path.MatchString(r.URL.RequestURI()) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		if rule.Times == 1 {
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
		} else if rule.Times > 1 {
			rule.Times--
		}
		return rule.Do
	}
	return nil
}

// Answer replies with a status, a body and "Name", "value" header pairs.
func Answer(status int, body string, header ...string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			w.Write([]byte(body))
		})
	}
}

// Truncate passes on the first n bytes of the real answer and then ends the
// body as if it were whole.
func Truncate(n int) func(http.Handler) http.Handler { return shorten(n, false) }

// Cut passes on the first n bytes of the real answer and breaks the connection.
func Cut(n int) func(http.Handler) http.Handler { return shorten(n, true) }

// LoseReply lets the server do its work and breaks the connection instead of
// answering.
func LoseReply() func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	}
}

// Hang never answers; it ends when the client gives up.
func Hang() func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // an unread body hides that the client went away
			<-r.Context().Done()
		})
	}
}

func shorten(n int, abort bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			body := rec.Body.Bytes()
			body = body[:min(n, len(body))]
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			if abort {
				w.Header().Del("Content-Length")
			}
			w.WriteHeader(rec.Code)
			w.Write(body)
			if abort {
				http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		})
	}
}
