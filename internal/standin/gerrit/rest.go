// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
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
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), s.o.BasePath+"/")
	if !ok {
		s.refuse(w, r)
		return
	}
	path, authenticated := strings.CutPrefix(path, "a/")
	c := call{w: w, r: r}
	s.mu.Lock()
	if authenticated {
		c.viewer = s.login(r)
	}
	s.mu.Unlock()
	if authenticated && c.viewer == nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="Gerrit Code Review"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	for part := range strings.SplitSeq(path, "/") {
		text, err := url.PathUnescape(strings.ReplaceAll(part, "+", " "))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.parts = append(c.parts, text)
	}
	if project, rest, ok := gitPath(c.parts); ok {
		s.serveGit(c, project, rest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.serveREST(c) {
		s.unplanned = append(s.unplanned, Request{Method: r.Method, Path: r.URL.RequestURI()})
		http.Error(w, "Not found", http.StatusNotFound)
	}
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unplanned = append(s.unplanned, Request{Method: r.Method, Path: r.URL.RequestURI()})
	http.Error(w, "Not found", http.StatusNotFound)
}

// login returns the account whose name and password came along, or nil.
func (s *Server) login(r *http.Request) *Account {
	user, password, _ := r.BasicAuth()
	for _, a := range s.accounts {
		if a.Username == user && a.Password == password {
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
	case c.r.Method == http.MethodPost && p(0) == "changes" && n == 5 && p(2) == "revisions" && p(4) == "review":
		s.postReview(c, p(3))
	case get && p(0) == "projects" && n == 4 && p(2) == "branches" && p(3) == "":
		s.listBranches(c)
	case get && p(0) == "groups" && n == 4 && p(2) == "members" && p(3) == "":
		s.listMembers(c)
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
	c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
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

func (s *Server) queryChanges(c call) {
	queries := c.r.URL.Query()["q"]
	if len(queries) == 0 {
		queries = []string{"status:open"}
	}
	var answers [][]changeInfo
	for _, q := range queries {
		list, err := s.query(q, c)
		if err != nil {
			c.fail(http.StatusBadRequest, "%s", err)
			return
		}
		answers = append(answers, list)
	}
	if len(answers) == 1 {
		c.json(answers[0])
		return
	}
	c.json(answers)
}

func (s *Server) query(text string, c call) ([]changeInfo, error) {
	tree, err := parseQuery(text)
	if err != nil {
		return nil, err
	}
	matches, err := compile(tree, c.viewer, s.now())
	if err != nil {
		return nil, err
	}
	values := c.r.URL.Query()
	limit := s.o.PageLimit
	if n, err := strconv.Atoi(values.Get("n")); err == nil && n > 0 {
		limit = min(limit, n)
	}
	start, _ := strconv.Atoi(cmp.Or(values.Get("S"), values.Get("start"), "0"))
	var found []*Change
	for _, ch := range s.changes {
		if ch.visible(c.viewer) && matches(ch) {
			found = append(found, ch)
		}
	}
	slices.SortFunc(found, func(a, b *Change) int {
		return cmp.Or(b.updated.Compare(a.updated), cmp.Compare(b.number, a.number))
	})
	found = found[min(max(start, 0), len(found)):]
	list := []changeInfo{}
	for _, ch := range found[:min(limit, len(found))] {
		list = append(list, ch.info(c.options()))
	}
	if len(found) > limit {
		list[len(list)-1].MoreChanges = true
	}
	return list, nil
}

// find returns the change that the path's second segment names, by number or
// PROJECT~NUMBER, and answers 404 itself if there is none to be seen.
func (s *Server) find(c call) *Change {
	name := c.parts[1]
	number, err := strconv.Atoi(name[strings.LastIndexByte(name, '~')+1:])
	if ch := s.changes[number]; err == nil && ch != nil && ch.visible(c.viewer) {
		return ch
	}
	c.fail(http.StatusNotFound, "Not found: %s", name)
	return nil
}

func (s *Server) getChange(c call, detail bool) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	o := c.options()
	if detail {
		for _, name := range []string{"LABELS", "DETAILED_LABELS", "DETAILED_ACCOUNTS", "MESSAGES"} {
			o[name] = true
		}
	}
	c.json(ch.info(o))
}

func (s *Server) listBranches(c call) {
	p := s.projects[c.parts[1]]
	if p == nil {
		c.fail(http.StatusNotFound, "Not found: %s", c.parts[1])
		return
	}
	type branch struct {
		Ref      string `json:"ref"`
		Revision string `json:"revision"`
	}
	list := []branch{{"HEAD", "master"}}
	for name, revision := range p.branches {
		list = append(list, branch{"refs/heads/" + name, revision})
	}
	slices.SortFunc(list, func(a, b branch) int { return cmp.Compare(a.Ref, b.Ref) })
	c.json(list)
}

func (s *Server) listMembers(c call) {
	g := s.group(c.parts[1])
	if g == nil || c.viewer == nil {
		c.fail(http.StatusNotFound, "Not found: %s", c.parts[1])
		return
	}
	list := []accountInfo{}
	for _, a := range g.all(c.r.URL.Query().Has("recursive")) {
		list = append(list, a.info(options{"DETAILED_ACCOUNTS": true}))
	}
	c.json(list)
}

func (s *Server) getSelf(c call) {
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Authentication required")
		return
	}
	c.json(c.viewer.info(options{"DETAILED_ACCOUNTS": true}))
}

// reviewInput is what POST .../review takes (ReviewInput).
type reviewInput struct {
	Message string         `json:"message"`
	Tag     string         `json:"tag"`
	Labels  map[string]int `json:"labels"`
	Notify  string         `json:"notify"`
}

// postReview stores a message and votes. As on a real server a vote outside the
// account's range refuses the whole review, and an unknown label or value is
// dropped without a word: the answer's labels are what was applied.
func (s *Server) postReview(c call, revision string) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Authentication required")
		return
	}
	var in reviewInput
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 1<<20)).Decode(&in); err != nil {
		c.fail(http.StatusBadRequest, "Expected JSON object: %s", err)
		return
	}
	i := slices.IndexFunc(ch.patchsets, func(p patchset) bool { return p.revision == revision })
	if revision == "current" {
		i = len(ch.patchsets) - 1
	}
	if i < 0 {
		c.fail(http.StatusNotFound, "Not found: %s", revision)
		return
	}
	applied := map[string]int{}
	for name, value := range in.Labels {
		l, known := s.label(name)
		if !known || value < l.Min || value > l.Max {
			continue
		}
		if !c.viewer.mayVote(l, value) {
			c.fail(http.StatusForbidden, "Applying label %q: %d is restricted", name, value)
			return
		}
		if ch.status == change.Merged {
			c.fail(http.StatusConflict, "change is closed")
			return
		}
		applied[name] = value
	}
	ch.touch()
	ch.review(c.viewer, i, in, applied)
	c.json(map[string]any{"labels": applied})
}

// review applies what postReview found good.
func (c *Change) review(who *Account, index int, in reviewInput, applied map[string]int) {
	text := fmt.Sprintf("Patch Set %d:", index+1)
	for name, value := range applied {
		c.patchsets[index].vote(vote{label: name, value: value, who: who, when: c.updated})
		text += fmt.Sprintf(" %s%+d", name, value)
	}
	if in.Message != "" {
		text += "\n\n" + in.Message
	}
	c.say(Message{Author: who.Username, Patchset: index + 1, Text: text, Tag: in.Tag, Notify: in.Notify})
}
