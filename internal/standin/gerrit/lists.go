// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
		if ch = ch.indexed(); ch == nil {
			continue
		}
		if ch.visible(c.viewer) && matches(ch) {
			found = append(found, ch)
		}
	}
	slices.SortFunc(found, func(a, b *Change) int {
		return cmp.Or(b.updated.Compare(a.updated), cmp.Compare(b.number, a.number), cmp.Compare(a.project.name, b.project.name))
	})
	found = found[min(max(start, 0), len(found)):]
	list := []changeInfo{}
	for _, ch := range found[:min(limit, len(found))] {
		if !ch.broken {
			list = append(list, ch.info(c.options(), c.viewer))
		}
	}
	if len(found) > limit && len(list) > 0 {
		list[len(list)-1].MoreChanges = true
	}
	return list, nil
}

// find returns the change that the path's second segment names, by number or
// PROJECT~NUMBER, and answers 404 itself if there is none to be seen: Gerrit does
// not tell what is hidden from what is not there, and takes no number that several
// changes have (ChangesCollection#parse, ChangeFinder#find).
func (s *Server) find(c call) *Change {
	name := c.parts[1]
	project, digits, long := strings.Cut(name, "~")
	if !long {
		digits = name
	}
	number, _ := strconv.Atoi(digits) // no change is 0
	var all []*Change
	for at, ch := range s.changes {
		if at.Number == number && (!long || at.Project == project) {
			all = append(all, ch)
		}
	}
	switch {
	case len(all) > 1:
		c.fail(http.StatusNotFound, "Multiple changes found for %s", name)
	case len(all) == 0 || !all[0].visible(c.viewer):
		c.fail(http.StatusNotFound, "Not found: %s", name)
	default:
		return all[0]
	}
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
	c.json(ch.info(o, c.viewer))
}

func (s *Server) listMessages(c call) {
	if ch := s.find(c); ch != nil {
		c.json(ch.messageInfos(detailed))
	}
}

// listProjects lists the projects that match r as a whole, n at most
// (rest-api-projects.html, "Project Options"); a bad expression is a 400.
func (s *Server) listProjects(c call) {
	pattern, err := regexp.Compile("^(?:" + c.r.URL.Query().Get("r") + ")$")
	if err != nil {
		c.fail(http.StatusBadRequest, "invalid regex")
		return
	}
	most, _ := strconv.Atoi(c.r.URL.Query().Get("n"))
	type project struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	list := map[string]project{}
	for _, name := range slices.Sorted(maps.Keys(s.projects)) {
		if pattern.MatchString(name) && (most == 0 || len(list) < most) {
			list[name] = project{url.PathEscape(name), "ACTIVE"}
		}
	}
	c.json(list)
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
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Authentication required")
		return
	}
	g := s.group(c.parts[1])
	if g == nil {
		c.fail(http.StatusNotFound, "%s", c.parts[1])
		return
	}
	list := []accountInfo{}
	for _, a := range g.all(c.r.URL.Query().Has("recursive")) {
		list = append(list, a.info(detailed))
	}
	c.json(list)
}

// findGroup answers as ListGroups does where one is named: 3.13.5, by its name.
func (s *Server) findGroup(c call) {
	found := map[string]any{}
	if g := s.group(c.r.URL.Query().Get("g")); g != nil {
		found[g.name] = map[string]string{"id": g.id()}
	}
	c.json(found)
}

func (s *Server) getSelf(c call) {
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Resolving account 'self' requires login")
		return
	}
	c.json(c.viewer.info(detailed))
}
