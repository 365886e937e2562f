// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"net/http"
	"slices"
)

// relatedInfo is a member of a relation chain (RelatedChangeAndCommitInfo).
type relatedInfo struct {
	Project  string     `json:"project"`
	ChangeID string     `json:"change_id"`
	Commit   commitLine `json:"commit"`
	Number   int        `json:"_change_number"`
	Revision int        `json:"_revision_number"`
	Current  int        `json:"_current_revision_number"`
	Status   string     `json:"status"`
	WIP      bool       `json:"work_in_progress,omitempty"`
}

type commitLine struct {
	Commit  string       `json:"commit"`
	Parents []parentInfo `json:"parents"`
	Subject string       `json:"subject"`
}

// listRelated answers with the changes that a patchset builds on and those that
// build on its change, whatever their status, the tip first. A patchset without
// relatives has an empty list.
func (s *Server) listRelated(c call, revision string) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	i := ch.patchset(revision)
	if i < 0 {
		c.fail(http.StatusNotFound, "Not found: %s", revision)
		return
	}
	list := []relatedInfo{ch.related(i)}
	seen := map[*Change]bool{ch: true}
	for _, above := range ch.above(c.viewer, seen) {
		list = slices.Insert(list, 0, above)
	}
	for parent := ch.patchsets[i].parent; ; {
		below, at := s.made(ch.project, parent, c.viewer)
		if below == nil || seen[below] {
			break
		}
		seen[below] = true
		list = append(list, below.related(at))
		parent = below.patchsets[at].parent
	}
	if len(list) == 1 {
		list = []relatedInfo{}
	}
	c.json(map[string]any{"changes": list})
}

func (c *Change) related(index int) relatedInfo {
	p := c.patchsets[index]
	return relatedInfo{
		Project: c.project.name, ChangeID: c.changeID, Number: c.number, Revision: index + 1, Current: len(c.patchsets),
		Commit: commitLine{Commit: p.revision, Subject: p.subject, Parents: []parentInfo{{p.parent}}}, Status: string(c.status), WIP: c.wip,
	}
}

// made returns the visible change and patchset that a commit belongs to.
func (s *Server) made(p *Project, revision string, viewer *Account) (*Change, int) {
	for _, ch := range s.changes {
		if i := ch.patchset(revision); i >= 0 && ch.project == p && ch.visible(viewer) {
			return ch, i
		}
	}
	return nil, 0
}

// above returns the changes that build on any patchset of this one, the nearest
// first, each at its newest patchset that does.
func (c *Change) above(viewer *Account, seen map[*Change]bool) []relatedInfo {
	var list []relatedInfo
	var next []*Change
	for _, ch := range c.srv.changes {
		for i := len(ch.patchsets) - 1; i >= 0 && !seen[ch] && ch.project == c.project && ch.visible(viewer); i-- {
			if ch.patchsets[i].parent != "" && c.patchset(ch.patchsets[i].parent) >= 0 {
				seen[ch] = true
				list, next = append(list, ch.related(i)), append(next, ch)
			}
		}
	}
	slices.SortFunc(list, func(a, b relatedInfo) int { return cmp.Compare(a.Number, b.Number) })
	slices.SortFunc(next, func(a, b *Change) int { return cmp.Compare(a.number, b.number) })
	for _, ch := range next {
		list = append(list, ch.above(viewer, seen)...)
	}
	return list
}
