// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
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
	case "tag", "untag", "drop", "foreign":
		return w.place(e)
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
