// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// play lets a history happen, and the quiet after it, and returns which rules
// were broken. What happens is written to trace.
func play(h history, l *lie, trace func(string, ...any)) (broken []violation, err error) {
	w, err := build(h, trace)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := w.close(); err == nil {
			err = e
		}
	}()
	w.lie = l
	if l != nil && l.tell != nil {
		w.net.lies = func(r *http.Request) *http.Response { return l.tell(w, r) }
	}
	for i, e := range h.events {
		w.step = i + 1
		w.clock.advance(20 * time.Second)
		trace("%d: %s", w.step, strings.Join(e, " "))
		if err := w.happen(e); err != nil {
			return nil, fmt.Errorf("step %d: %s: %w", w.step, strings.Join(e, " "), err)
		}
		w.note()
	}
	w.step++
	trace("quiet")
	w.calmDown()
	return w.broken, nil
}

// find returns the change of that name, or nil.
func (w *world) find(name string) *subject {
	for _, c := range w.changes {
		if c.name == name {
			return c
		}
	}
	return nil
}

// numbered returns the change of a project with a number, or nil.
func (w *world) numbered(s *site, number int) *subject {
	for _, c := range w.changes {
		if c.site == s && c.Number() == number {
			return c
		}
	}
	return nil
}

// happen carries out one event. Those of a change that is not there do nothing.
func (w *world) happen(e event) error {
	switch e[0] {
	case "upload":
		w.upload(e)
	case "grow":
		w.grow(e.arg(1))
	case "pass":
		w.pass(&wire{})
	case "kill":
		w.pass(&wire{kill: e.number(1), after: e.arg(2) == "after"})
	case "both":
		w.both(e.number(1), e.number(2))
	case "clock":
		d, err := time.ParseDuration(e.arg(1))
		w.clock.advance(d)
		return err
	case "fault":
		f, err := armed(e.arg(1))
		if err == nil {
			w.armed = append(w.armed, f)
		}
		return err
	case "lag":
		w.net.lag = true
	case "forbid", "unlabel", "permit":
		w.rights(e[0])
	case "mirror":
		return w.upset(e.arg(1), e.arg(2), e.number(3))
	case "see", "blind":
		w.gerrit.ShowPrivate("bot", e[0] == "see")
	default:
		c := w.find(e.arg(1))
		if c == nil {
			return nil
		}
		return w.befall(c, e)
	}
	return nil
}

// rights lets the account vote, or not: by its rights, or because the label is
// not there.
func (w *world) rights(verb string) {
	w.forbid = verb != "permit"
	switch verb {
	case "forbid":
		w.gerrit.Restrict("bot", label, 0, 0)
	case "unlabel":
		w.gerrit.SetLabels(slices.DeleteFunc(slices.Clone(w.labels), func(l gerrit.Label) bool { return l.Name == label })...)
	default:
		w.gerrit.Restrict("bot", label, -1, 1)
		w.gerrit.SetLabels(w.labels...)
	}
	for _, c := range w.changes {
		c.happened(w.clock.Now())
	}
}

// befall is what happens to one change.
func (w *world) befall(c *subject, e event) error {
	switch open := c.status == change.New; e[0] {
	case "begin", "end", "reported":
		return w.work(c, e)
	case "say":
		w.say(c, e.arg(2), strings.Join(e[3:], " "))
	case "forge":
		return w.forges(c, e)
	case "erase":
		return w.erases(c, e.arg(2))
	case "unvote":
		w.unvote(c, e.arg(2))
	case "allow":
		w.allow(c, e.arg(2), e.number(3))
	case "hide", "show":
		c.hidden = e[0] == "hide"
		c.Hide(c.hidden)
		c.happened(w.clock.Now())
	case "restore":
		if c.status == change.Abandoned {
			c.Restore()
			c.status = change.New
		}
	default:
		if open {
			w.edit(c, e)
		}
	}
	return nil
}

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

// work lets the latest run of a workflow go on or end.
func (w *world) work(c *subject, e event) error {
	going := w.ordered(func(r *run) bool {
		return r.on == c && r.key.Workflow == e.arg(2) && r.last().means == going
	})
	if len(going) == 0 {
		return nil
	}
	r := going[len(going)-1]
	if e[0] == "begin" {
		if len(w.github.Jobs(r.id, len(r.attempts))) == 0 {
			w.begin(r)
		}
		return nil
	}
	how, err := wayOf(e.arg(3))
	if err != nil {
		return err
	}
	if e[0] == "reported" && w.config.Tell != "off" {
		w.reports(r, how)
	} else {
		w.finish(r, how)
	}
	return nil
}

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
