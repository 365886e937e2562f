// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The patchset kinds that the builder makes.
const (
	rework        = string(change.Rework)
	trivialRebase = string(change.TrivialRebase)
	noCodeChange  = string(change.NoCodeChange)
)

// Change is a change under review. Its methods play the people who work on it.
type Change struct {
	srv       *Server
	project   *Project
	parent    *Change // the change that this one builds on, or nil
	number    int
	changeID  string
	branch    string
	topic     string
	hashtags  []string
	status    change.Status
	owner     *Account
	wip       bool
	private   bool
	created   time.Time
	updated   time.Time
	submitted time.Time
	patchsets []patchset
	messages  []Message
}

// patchset is one revision of a change.
type patchset struct {
	revision string
	parent   string
	uploader *Account
	created  time.Time
	kind     string
	subject  string
	files    map[string]string
	votes    []vote
}

type vote struct {
	label string
	value int
	who   *Account
	when  time.Time
}

// Message is a message on a change.
type Message struct {
	Author   string // user name
	Patchset int
	Date     time.Time
	Text     string
	Tag      string
	Notify   string
}

// Number returns the change's number.
func (c *Change) Number() int { return c.number }

// ID returns the number of the change and of its current patchset.
func (c *Change) ID() change.ID {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return change.ID{Change: c.number, Patchset: len(c.patchsets)}
}

// Ref returns the current patchset's ref.
func (c *Change) Ref() string { return change.CustomRefs.Ref(c.ID()) }

// Revision returns the current patchset's commit.
func (c *Change) Revision() change.Revision {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return change.Revision(c.current().revision)
}

// Messages returns all messages, oldest first.
func (c *Change) Messages() []Message {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return slices.Clone(c.messages)
}

// Votes returns the non-zero votes on the current patchset: label -> user name
// -> value.
func (c *Change) Votes() map[string]map[string]int {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	all := map[string]map[string]int{}
	for _, v := range c.current().votes {
		if all[v.label] == nil {
			all[v.label] = map[string]int{}
		}
		all[v.label][v.who.Username] = v.value
	}
	return all
}

// Amend uploads a patchset of the owner with other contents (REWORK).
func (c *Change) Amend(files map[string]string) { c.AmendAs(c.owner.Username, files) }

// AmendAs uploads a patchset of another account with other contents (REWORK).
func (c *Change) AmendAs(uploader string, files map[string]string) {
	c.edit(func(next *patchset) {
		next.kind, next.uploader = rework, c.srv.account(uploader)
		next.files = maps.Clone(next.files)
		maps.Copy(next.files, files)
	})
}

// Reword uploads a patchset with another subject (NO_CODE_CHANGE).
func (c *Change) Reword(subject string) {
	c.edit(func(next *patchset) { next.kind, next.subject = noCodeChange, subject })
}

// Rebase uploads a patchset on the current patchset of the change below, or on
// the branch's tip (TRIVIAL_REBASE).
func (c *Change) Rebase() {
	c.edit(func(next *patchset) { next.kind, next.parent = trivialRebase, c.base() })
}

// base returns the commit that the change would be rebased on.
func (c *Change) base() string {
	if c.parent != nil && c.parent.status == change.New {
		return c.parent.current().revision
	}
	return c.project.branches[c.branch]
}

// Submit merges the change, and before it those it builds on. A change that is
// not on the branch's tip is rebased first (submit type "rebase if necessary").
func (c *Change) Submit() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.submit()
}

func (c *Change) submit() {
	if c.parent != nil && c.parent.status == change.New {
		c.parent.submit()
	}
	tip := c.project.branches[c.branch]
	if c.current().parent != tip {
		next := *c.current()
		next.kind, next.parent = trivialRebase, tip
		c.add(next)
	}
	c.project.branches[c.branch] = c.current().revision
	c.project.check(c.project.repo.point("refs/heads/"+c.branch, c.current().revision))
	c.touch()
	c.status, c.submitted = change.Merged, c.updated
}

// Abandon closes the change without merging it.
func (c *Change) Abandon() { c.update(func() { c.status = change.Abandoned }) }

// Restore opens an abandoned change again.
func (c *Change) Restore() { c.update(func() { c.status = change.New }) }

// SetWIP marks the change as work in progress, or as ready.
func (c *Change) SetWIP(wip bool) { c.update(func() { c.wip = wip }) }

// SetPrivate hides the change from others than its owner, or shows it.
func (c *Change) SetPrivate(private bool) { c.update(func() { c.private = private }) }

// SetHashtags replaces the hashtags.
func (c *Change) SetHashtags(tags ...string) { c.update(func() { c.hashtags = tags }) }

// Vote sets an account's vote on the current patchset; 0 removes it. The
// account's range is not looked at.
func (c *Change) Vote(username, label string, value int) {
	c.update(func() {
		who := c.srv.account(username)
		c.current().vote(vote{label: label, value: value, who: who, when: c.updated})
		c.say(Message{Author: username, Patchset: len(c.patchsets), Text: fmt.Sprintf("Patch Set %d: %s%+d", len(c.patchsets), label, value)})
	})
}

// Comment posts a message.
func (c *Change) Comment(username, text string) {
	c.update(func() {
		c.srv.account(username)
		c.say(Message{Author: username, Patchset: len(c.patchsets), Text: fmt.Sprintf("Patch Set %d:\n\n%s", len(c.patchsets), text)})
	})
}

// update lets something happen to the change at a new time.
func (c *Change) update(do func()) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.touch()
	do()
}

func (c *Change) touch() { c.updated = c.srv.tick() }

// say adds a message with the time of the update.
func (c *Change) say(m Message) {
	m.Date = c.updated
	c.messages = append(c.messages, m)
}

// edit uploads a copy of the current patchset that do has changed.
func (c *Change) edit(do func(next *patchset)) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	next := *c.current()
	next.uploader = c.owner
	do(&next)
	c.add(next)
}

// add writes a patchset's commit and makes it the current one. Votes are
// carried forward where their label says so.
func (c *Change) add(next patchset) {
	c.touch()
	next.created = c.updated
	before := next.votes
	next.votes = nil
	for _, v := range before {
		if l, ok := c.srv.label(v.label); ok && slices.Contains(l.Copy, next.kind) {
			next.votes = append(next.votes, v)
		}
	}
	id := change.ID{Change: c.number, Patchset: len(c.patchsets) + 1}
	next.revision = c.project.write(commit{
		ref: change.CustomRefs.Ref(id), parent: next.parent, author: next.uploader, when: next.created,
		message: c.commitMessage(&next), files: next.files,
	})
	c.patchsets = append(c.patchsets, next)
	c.say(Message{Author: next.uploader.Username, Patchset: id.Patchset, Tag: "autogenerated:gerrit:newPatchSet", Text: fmt.Sprintf("Uploaded patch set %d.", id.Patchset)})
}

func (c *Change) commitMessage(p *patchset) string {
	return p.subject + "\n\nChange-Id: " + c.changeID + "\n"
}

func (c *Change) current() *patchset { return &c.patchsets[len(c.patchsets)-1] }

// vote replaces an account's vote on a label.
func (p *patchset) vote(v vote) {
	p.votes = slices.DeleteFunc(p.votes, func(old vote) bool { return old.label == v.label && old.who == v.who })
	if v.value != 0 {
		p.votes = append(p.votes, v)
	}
}

// visible reports whether an account may see the change; nil is anonymous.
func (c *Change) visible(viewer *Account) bool {
	return !c.private || viewer != nil && (viewer == c.owner || viewer.SeesPrivate)
}

func (s *Server) label(name string) (Label, bool) {
	i := slices.IndexFunc(s.o.Labels, func(l Label) bool { return l.Name == name })
	if i < 0 {
		return Label{}, false
	}
	return s.o.Labels[i], true
}
