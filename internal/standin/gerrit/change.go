// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
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
	footer    string // of the commit message
	hashtags  []string
	status    change.Status
	owner     *Account
	wip       bool
	private   bool
	hidden    bool
	broken    bool // it cannot be shown in a list
	imported  bool
	reviewed  bool // it was ready for review at some time
	updates   int
	past      []past
	created   time.Time
	updated   time.Time
	submitted time.Time
	patchsets []patchset
	messages  []Message
	comments  []Comment
	attention map[string]string // user name -> reason
	ccs       []*Account        // who said something without a vote
}

// Message is a message on a change.
type Message struct {
	Author   string // user name
	Behalf   string // the user in whose name the author wrote it, or empty
	Patchset int
	Date     time.Time
	Text     string
	Tag      string
	Notify   string // what the review asked for
	// Mailed are the user names of those who get mail about it.
	Mailed []string
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
		if v.value == 0 {
			continue
		}
		if all[v.label] == nil {
			all[v.label] = map[string]int{}
		}
		all[v.label][v.who.Username] = v.value
	}
	return all
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
	c.status, c.submitted, c.attention = change.Merged, c.updated, nil
	c.tell("merged", "Change has been successfully merged")
}

// Abandon closes the change without merging it.
func (c *Change) Abandon() {
	c.update(func() {
		c.status, c.attention = change.Abandoned, nil
		c.tell("abandon", "Abandoned")
	})
}

// Restore opens an abandoned change again. Its patchset stays as it is.
func (c *Change) Restore() {
	c.update(func() {
		c.status = change.New
		c.tell("restore", "Restored")
	})
}

// SetWIP marks the change as work in progress, or as ready.
func (c *Change) SetWIP(wip bool) {
	c.update(func() {
		c.reviewed = c.reviewed || !wip
		if c.wip = wip; wip {
			c.tell("setWorkInProgress", "Set Work In Progress")
			return
		}
		c.tell("setReadyForReview", "Set Ready For Review")
	})
}

// SetPrivate hides the change from others than its owner, or shows it.
func (c *Change) SetPrivate(private bool) {
	c.update(func() {
		if c.private = private; private {
			c.tell("setPrivate", "Set private")
			return
		}
		c.tell("unsetPrivate", "Unset private")
	})
}

// SetHashtags replaces the hashtags.
func (c *Change) SetHashtags(tags ...string) { c.update(func() { c.hashtags = tags }) }

// Vote sets an account's vote on the current patchset; 0 removes it. The
// account's range is not looked at.
func (c *Change) Vote(username, label string, value int) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.review(c.srv.account(username), len(c.patchsets)-1, reviewInput{}, map[string]int{label: value})
}

// VoteOn votes on a patchset, the first is 1. What newer ones keep of it is copied.
func (c *Change) VoteOn(number int, username, label string, value int) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.review(c.srv.account(username), number-1, reviewInput{}, map[string]int{label: value})
}

// Comment posts a message.
func (c *Change) Comment(username, text string) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.review(c.srv.account(username), len(c.patchsets)-1, reviewInput{Message: text}, nil)
}

// Reply says something as the web page's reply field does: as a comment on the
// patchset, while the message only counts it.
func (c *Change) Reply(username, text string) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	in := reviewInput{Comments: map[string][]commentInput{"/PATCHSET_LEVEL": {{Message: text}}}}
	c.review(c.srv.account(username), len(c.patchsets)-1, in, nil)
}

// CommentFor posts a message of a user in the name of another one.
func (c *Change) CommentFor(username, behalf, text string) {
	c.Comment(username, text)
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.messages[len(c.messages)-1].Behalf = c.srv.account(behalf).Username
}

// update lets something happen to the change at a new time.
func (c *Change) update(do func()) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.touch()
	do()
}

func (c *Change) touch() {
	at := c.srv.tick()
	c.remember(at)
	c.updated = at
	c.updates++
}

// say adds a message with the time of the update.
func (c *Change) say(m Message) {
	m.Date = c.updated
	c.messages = append(c.messages, m)
}

// tell adds a message that Gerrit makes itself of what the owner did.
func (c *Change) tell(what, text string) {
	c.say(Message{Author: c.owner.Username, Patchset: len(c.patchsets), Tag: "autogenerated:gerrit:" + what, Text: text})
}
