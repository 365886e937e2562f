// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// answered is the second half of R8: who is obeyed gets a run, or is told why
// not.
func (w *world) answered(c *subject) {
	for _, m := range w.remarks {
		if m.on != c || m.patchset != c.current() || m.text != "recheck" || !w.obeyed(m) || c.since.IsZero() || c.since.After(m.at) {
			continue
		}
		said, promised, begun := false, false, false
		for _, answer := range c.Messages() {
			mine := ours(answer) && !answer.Date.Before(m.at.Truncate(time.Second)) && strings.Contains(answer.Text, "> recheck")
			said = said || mine
			promised = promised || mine && strings.Contains(answer.Text, "Asked-For")
		}
		for _, r := range w.ordered(func(r *run) bool { return r.on == c && r.key.Patchset == m.patchset }) {
			begun = begun || slices.ContainsFunc(r.attempts, func(a *attempt) bool { return !a.begun.Before(m.at) })
		}
		called := slices.ContainsFunc(w.remarks, func(o *remark) bool { return o.on == c && o.text == "cancel" && o.at.After(m.at) })
		switch {
		case !said:
			w.violates("R8", "%s asked for a recheck of %d/%d, and was not answered", m.who, c.Number(), m.patchset)
		case promised && !begun && !called && c.barredAt.Before(m.at) && w.refuses(c, c.current()) == "":
			w.violates("R8", "%s was promised a recheck of %d/%d, and nothing was started", m.who, c.Number(), m.patchset)
		}
	}
}

// heard is R8 for a change that is left alone: who asks for a recheck of it is told why
// there is none.
func (w *world) heard(c *subject) {
	for _, m := range w.remarks {
		if m.on != c || m.patchset != c.current() || m.text != "recheck" || !w.obeyed(m) || c.closedAt.After(m.at) {
			continue
		}
		if !slices.ContainsFunc(c.Messages(), func(a gerrit.Message) bool {
			return ours(a) && !a.Date.Before(m.at.Truncate(time.Second)) && strings.Contains(a.Text, "> recheck")
		}) {
			w.violates("R8", "%s asked for a recheck of %d/%d, where %s, and was not answered", m.who, c.Number(), m.patchset, w.ineligible(c))
		}
	}
}

// hidden is R13: what the account cannot see is not on the mirror.
func (w *world) hidden() {
	for _, c := range w.changes {
		if w.visible(c) {
			continue
		}
		prefix := fmt.Sprintf("refs/changes/%02d/%d/", c.Number()%100, c.Number())
		for ref := range c.site.refs() {
			if strings.HasPrefix(ref, prefix) {
				w.violates("R13", "%s is on the mirror, and the account cannot see the change", ref)
			}
		}
	}
}

// accounted is the end of R6: each listed change has a line, or is counted once.
func (w *world) accounted(p *pass) {
	for _, s := range w.sites {
		listed, silent := 0, 0
		for _, c := range w.changes {
			if c.site == s && c.status == change.New && w.visible(c) {
				listed++
				silent += map[bool]int{false: 1}[p.names(c)]
			}
		}
		if got := p.of(s).Listed; got != listed {
			w.violates("R6", "%d changes of %s are open, and %d are listed:\n%s", listed, s.name, got, p.text())
		}
		if counted := p.of(s).counted(); silent != counted {
			w.violates("R6", "%d changes of %s have no line, and %d are counted:\n%s", silent, s.name, counted, p.text())
		}
	}
}
