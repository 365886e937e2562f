// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// call is one request below the base path and "a/", made by viewer (nil for
// anonymous). Handlers run with the server locked.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	viewer *Account
	parts  []string // the path's segments, unescaped
}

// serve checks credentials, takes off the prefixes and finds the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.EscapedPath(), s.o.BasePath+"/")
	path, authenticated := strings.CutPrefix(path, "a/")
	parts, err := split(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	c := call{w: w, r: r, parts: parts}
	if authenticated {
		c.viewer = s.login(r)
	}
	project, rest, isGit := gitPath(parts)
	switch {
	case authenticated && c.viewer == nil:
		w.Header().Set("WWW-Authenticate", `Basic realm="Gerrit Code Review"`)
		c.fail(http.StatusUnauthorized, "Unauthorized")
	case ours && isGit:
		s.serveGit(c, project, rest)
	case !ours || !s.serveREST(c):
		s.unplanned = append(s.unplanned, Request{Method: r.Method, Path: r.URL.RequestURI()})
		c.fail(http.StatusNotFound, "Not Found") // the words of Gerrit's default servlet
	}
}

// split unescapes the segments of a path; like Gerrit it takes "+" for a space.
func split(path string) ([]string, error) {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		text, err := url.PathUnescape(strings.ReplaceAll(part, "+", " "))
		if err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	return parts, nil
}

// login returns the active account whose name and password came along, or nil.
func (s *Server) login(r *http.Request) *Account {
	user, password, _ := r.BasicAuth()
	for _, a := range s.accounts {
		same := a.Username == user || !s.o.CaseSensitiveNames && strings.EqualFold(a.Username, user)
		if same && a.Password == password && !a.inactive {
			return a
		}
	}
	return nil
}

// serveREST reports whether the path is one that this server knows.
func (s *Server) serveREST(c call) bool {
	p := func(i int) string { // segment i, or ""
		if i < len(c.parts) {
			return c.parts[i]
		}
		return ""
	}
	get := c.r.Method == http.MethodGet
	switch n := len(c.parts); {
	case get && p(0) == "changes" && (n == 1 || n == 2 && p(1) == ""):
		s.queryChanges(c)
	case get && p(0) == "changes" && n == 2, get && p(0) == "changes" && n == 3 && p(2) == "detail":
		s.getChange(c, p(2) == "detail")
	case get && p(0) == "changes" && n == 3 && p(2) == "messages":
		s.listMessages(c)
	case get && p(0) == "changes" && n == 3 && p(2) == "comments":
		s.listComments(c)
	case get && p(0) == "changes" && n == 5 && p(2) == "revisions" && p(4) == "related":
		s.listRelated(c, p(3))
	case c.r.Method == http.MethodPost && p(0) == "changes" && n == 5 && p(2) == "revisions" && p(4) == "review":
		s.postReview(c, p(3))
	case s.o.Slashes == SlashesDecoded && p(0) == "changes" && s.find(c) == nil: // it was told
	case get && p(0) == "projects" && n == 2 && p(1) == "":
		s.listProjects(c)
	case get && p(0) == "projects" && n == 4 && p(2) == "branches" && p(3) == "":
		s.listBranches(c)
	case get && p(0) == "projects" && n == 5 && p(2) == "commits" && p(4) == "in":
		s.listIncluded(c, p(3))
	case get && p(0) == "groups" && n == 2 && p(1) == "":
		s.findGroup(c)
	case get && p(0) == "groups" && n == 4 && p(2) == "members" && p(3) == "":
		s.listMembers(c)
	case s.o.Slashes == SlashesDecoded && (p(0) == "groups" || p(0) == "projects"):
		c.fail(http.StatusNotFound, "%s", p(1))
	case get && p(0) == "access" && (n == 1 || n == 2 && p(1) == ""):
		s.listAccess(c)
	case get && strings.Join(c.parts, "/") == "config/server/version":
		c.json(s.o.Version)
	case get && strings.Join(c.parts, "/") == "accounts/self":
		s.getSelf(c)
	default:
		return false
	}
	return true
}

// json answers with the prefix that Gerrit puts before all JSON.
func (c call) json(v any) {
	c.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	c.w.Write([]byte(")]}'\n"))
	json.NewEncoder(c.w).Encode(v) // the client is told nothing more if it is gone
}

// fail answers as Gerrit does: in plain text.
func (c call) fail(status int, format string, args ...any) {
	http.Error(c.w, fmt.Sprintf(format, args...), status)
}

// options reads the o= parameters.
func (c call) options() options {
	o := options{}
	for _, name := range c.r.URL.Query()["o"] {
		o[name] = true
	}
	return o
}
