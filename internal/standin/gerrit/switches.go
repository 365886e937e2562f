// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// SetLabels replaces the labels of all projects. Votes on a label that is gone
// stay and are not shown.
func (s *Server) SetLabels(labels ...Label) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.labels = slices.Clone(labels)
}

// Forbid takes from all accounts the right to vote on a label in a review; the
// votes that stand stay. Builder calls are not held up.
func (s *Server) Forbid(label string) { s.forbid(label, true) }

// Allow gives back what Forbid took.
func (s *Server) Allow(label string) { s.forbid(label, false) }

func (s *Server) forbid(label string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forbidden[label] = on
}

// label finds a label whatever its case, as LabelTypes#byLabel does.
func (s *Server) label(name string) (Label, bool) {
	i := slices.IndexFunc(s.labels, func(l Label) bool { return strings.EqualFold(l.Name, name) })
	if i < 0 {
		return Label{}, false
	}
	return s.labels[i], true
}

// SetActive makes an account active or not. One that is not cannot log in.
func (s *Server) SetActive(username string, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(username).inactive = !active
}

// ShowPrivate shows an account all private changes, or no longer (the right View
// Private Changes).
func (s *Server) ShowPrivate(username string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(username).SeesPrivate = on
}

// ShowAccess lets an account read the projects' access rights, or no longer (Read
// on refs/meta/config).
func (s *Server) ShowAccess(username string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(username).seesAccess = on
}

// Blind takes from an account the right to read branches, and what is on review
// for them, or gives it back.
func (s *Server) Blind(username string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(username).blind = on
}

// Hide hides the change from everybody, or shows it: the right to read its
// branch is taken away.
func (c *Change) Hide(on bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.hidden = on
}

// Break makes the change one that no list can show, as one whose data is damaged; its
// place on a page stays empty (ChangeJson leaves it out).
func (c *Change) Break(on bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.broken = on
}

// Delete removes the change. Its refs stay in the repository.
func (c *Change) Delete() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	delete(c.srv.changes, change.Address{Project: c.project.name, Number: c.number})
}

// VisibleTo reports whether an account may see the change.
func (c *Change) VisibleTo(username string) bool {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.visible(c.srv.account(username))
}

// visible reports whether an account may see the change; nil is anonymous. Owner,
// reviewers and those in CC see a private one: an account that has voted or said
// something goes on seeing it.
func (c *Change) visible(viewer *Account) bool {
	switch {
	case c.hidden, viewer != nil && viewer.blind:
		return false
	case !c.private:
		return true
	}
	return viewer != nil && (viewer == c.owner || viewer.SeesPrivate || c.reviewer(viewer) || slices.Contains(c.ccs, viewer))
}

// reviewer reports whether an account has voted on any patchset.
func (c *Change) reviewer(who *Account) bool {
	return slices.ContainsFunc(c.patchsets, func(p patchset) bool {
		return slices.ContainsFunc(p.votes, func(v vote) bool { return v.who == who })
	})
}

// SetLag makes queries answer what was true so long ago, as a search index does
// that comes late. What is asked by number, and the messages, are as they are now.
// Before the first call nothing is remembered; 0 ends it.
func (s *Server) SetLag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = d
}

// past is what a change was until some time; nil is that it was not there.
type past struct {
	until time.Time
	state *Change
}

// remember keeps the state of the change before it is updated at a time.
func (c *Change) remember(at time.Time) {
	if c.srv.lag <= 0 {
		c.past = nil
		return
	}
	c.past = slices.DeleteFunc(c.past, func(p past) bool { return !p.until.After(at.Add(-c.srv.lag)) })
	p := past{until: at}
	if len(c.patchsets) > 0 {
		old := *c
		old.past = nil
		old.patchsets = slices.Clone(c.patchsets)
		for i := range old.patchsets {
			old.patchsets[i].votes = slices.Clone(old.patchsets[i].votes)
		}
		p.state = &old
	}
	c.past = append(c.past, p)
}

// indexed returns the change as the search index knows it, or nil.
func (c *Change) indexed() *Change {
	if c.srv.lag <= 0 {
		return c
	}
	at := c.srv.now().Add(-c.srv.lag)
	for _, p := range c.past {
		if !p.until.After(at) {
			continue
		}
		if p.state != nil {
			p.state.messages = c.messages
		}
		return p.state
	}
	return c
}

// matches reports whether a kind of patchset is one that a changekind: term means
// (ChangeKind#matches): REWORK means all, and a patchset without any change is of
// every other kind, too.
func matches(term, kind string) bool {
	switch {
	case term == rework, term == kind, kind == string(change.NoChange):
		return true
	}
	return term == "TRIVIAL_REBASE_WITH_MESSAGE_UPDATE" && (kind == trivialRebase || kind == noCodeChange)
}

// copies reports whether votes on a label go along to a patchset of a kind.
func (l Label) copies(kind string) bool {
	return slices.ContainsFunc(l.Copy, func(term string) bool { return matches(term, kind) })
}

// SetVirtualIDs sets whether virtual_id_number is told, as by an upgrade to 3.9.
func (s *Server) SetVirtualIDs(told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.NoVirtualIDs = !told
}
