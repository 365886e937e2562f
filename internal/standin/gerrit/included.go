// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"net/http"
	"slices"
	"strings"
)

// listIncluded answers with the branches that have a commit in their history.
func (s *Server) listIncluded(c call, revision string) {
	p := s.projects[c.parts[1]]
	if p == nil {
		c.fail(http.StatusNotFound, "Not found: %s", c.parts[1])
		return
	}
	p.check(p.repo.flush())
	if !p.reachable(revision, p.view(c.viewer)) {
		c.fail(http.StatusNotFound, "Not found: %s", revision)
		return
	}
	out, err := runGit(p.repo.dir, "for-each-ref", "--format=%(refname)", "--contains="+revision, "refs/heads")
	p.check(err)
	branches := []string{}
	for ref := range strings.FieldsSeq(out) {
		branches = append(branches, strings.TrimPrefix(ref, "refs/heads/"))
	}
	slices.Sort(branches)
	c.json(map[string]any{"branches": branches, "tags": []string{}})
}
