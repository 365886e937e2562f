// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// edit is what people do to an open change.
func (w *world) edit(c *subject, e event) {
	switch e[0] {
	case "amend":
		who := cmp.Or(e.arg(3), c.owner)
		files := w.files(c.name, e.arg(2))
		c.AmendAs(who, files)
		w.newSet(c, who, "REWORK", files)
	case "rebase": // by who presses the button
		who := cmp.Or(e.arg(2), c.owner)
		if base := w.base(c); base != c.base {
			c.RebaseAs(who)
			c.base = base
			w.newSet(c, who, "TRIVIAL_REBASE", nil)
		}
	case "reword":
		c.Reword(fmt.Sprintf("%s in other words, step %d", c.name, w.step))
		w.newSet(c, c.owner, "NO_CODE_CHANGE", nil)
	case "wip", "ready":
		if c.wip != (e[0] == "wip") {
			c.wip = !c.wip
			c.SetWIP(c.wip)
		}
	case "private", "public":
		if c.private != (e[0] == "private") {
			c.private = !c.private
			c.SetPrivate(c.private)
		}
	case "abandon":
		c.Abandon()
		c.status, c.closedAt = change.Abandoned, w.clock.Now()
	case "move":
		w.move(c, e.arg(2))
	}
}

// move gives a change another branch. Gerrit drops all votes that block nothing.
func (w *world) move(c *subject, branch string) {
	if branch == c.branch {
		return
	}
	had := w.vote(c)
	c.Move(branch)
	c.branch = branch
	c.sets[c.current()-1].ballots = map[string]ballot{}
	if had != 0 && w.vote(c) == 0 {
		c.removed = append(c.removed, removal{c.ID().Patchset, had, w.clock.Now(), true})
	}
}

// files are what a patchset of a kind touches; what is in them is new each time.
func (w *world) files(name, kind string) map[string]string {
	files := map[string]string{}
	for k := range strings.SplitSeq(kind, "+") {
		path := map[string]string{"doc": "doc/" + name + ".md"}[k]
		if path == "" {
			path = "lib/" + name + ".c"
		}
		files[path] = fmt.Sprintf("step %d\n%s\n", w.step, k)
	}
	return files
}

// upload makes a change:
// upload NAME OWNER BRANCH FILES [second] [same=NAME] [on=NAME] [wip] [private].
func (w *world) upload(e event) {
	if w.find(e.arg(1)) != nil {
		return
	}
	c := &subject{site: w.sites[0], name: e.arg(1), owner: e.arg(2), branch: e.arg(3), status: change.New}
	files := w.files(c.name, e.arg(4))
	d := gerrit.Draft{Owner: c.owner, Branch: c.branch, Subject: "lib: " + c.name, Files: files}
	for _, word := range e[min(5, len(e)):] {
		switch below, on := strings.CutPrefix(word, "on="); {
		case on:
			if p := w.find(below); p != nil && p.status == change.New && p.branch == c.branch && p.site == c.site {
				c.parent, d.Parent = p, p.Change
			}
		case word == "second" && len(w.sites) > 1:
			c.site = w.sites[1]
		case strings.HasPrefix(word, "same="): // imported, with the number that another project's change has
			if other := w.find(word[len("same="):]); other != nil && w.numbered(c.site, other.Number()) == nil {
				d.Imported, c.imported = other.Number(), true
			}
		case word == "wip":
			c.wip, d.WIP = true, true
		case word == "private":
			c.private, d.Private = true, true
		}
	}
	c.base = w.base(c)
	c.Change = c.site.project.Push(d)
	w.mu.Lock()
	w.changes = append(w.changes, c)
	w.mu.Unlock()
	w.newSet(c, c.owner, "REWORK", files)
}

// base is the commit that a change is put on.
func (w *world) base(c *subject) string {
	if c.parent != nil && c.parent.status == change.New {
		return string(c.parent.Revision())
	}
	return string(c.site.project.Tip(c.branch))
}

func (w *world) newSet(c *subject, uploader, kind string, files map[string]string) {
	p := patchset{revision: string(c.Revision()), uploader: uploader, kind: kind, parent: c.base, files: map[string]bool{}, ballots: map[string]ballot{}, at: w.clock.Now(), copied: w.vote(c)}
	if n := len(c.sets); n > 0 {
		p.files = maps.Clone(c.sets[n-1].files)
		p.ballots = w.keep(c.sets[n-1].ballots, kind)
		if files == nil {
			p.content = c.sets[n-1].content
		}
	}
	for path, text := range files {
		p.files[path] = true
		_, kind, _ := strings.Cut(text, "\n")
		if _, refused := contents[strings.TrimSpace(kind)]; refused {
			p.content = strings.TrimSpace(kind)
		}
	}
	c.sets = append(c.sets, p)
	c.happened(p.at)
}

// vote is our vote on the current patchset.
func (w *world) vote(c *subject) int { return c.Votes()[label]["bot"] }

// say writes a comment, as the page's reply field does.
func (w *world) say(c *subject, who, text string) {
	c.Reply(who, text)
	c.happened(w.clock.Now())
	w.remarks = append(w.remarks, &remark{on: c, patchset: c.ID().Patchset, who: who, text: text, at: w.clock.Now()})
}

// unvote lets a maintainer take our vote off.
func (w *world) unvote(c *subject, who string) {
	if had := w.vote(c); had != 0 && c.status == change.New {
		c.RemoveVote(who, "bot", label)
		c.removed = append(c.removed, removal{c.ID().Patchset, had, w.clock.Now(), false})
		c.happened(w.clock.Now())
	}
}
