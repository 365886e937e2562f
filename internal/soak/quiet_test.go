// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// calmDown ends all trouble and looks at what is left of it. First nothing
// moves but the dispatcher; then runs end, each in the way that the seed has
// for it, and time goes by across the schedule of retries (at once, 1 h, 6 h,
// 24 h; of refusals also a week).
func (w *world) calmDown() {
	w.armed, w.net.lag, w.calm = nil, false, true
	w.gerrit.SetLag(0)
	for _, which := range []string{"first", "second"} {
		w.upset(which, "well", 0)
	}
	if w.forbid {
		w.rights("permit")
	}
	w.repair()
	for range 4 {
		w.pass(&wire{})
	}
	w.still()
	for _, wait := range []time.Duration{0, 65 * time.Minute, 6*time.Hour + 5*time.Minute, 24*time.Hour + 5*time.Minute, 7*24*time.Hour + 5*time.Minute} {
		w.clock.advance(wait)
		if !w.settles() {
			return
		}
	}
	w.ends(w.passes[len(w.passes)-1])
}

// settles lets runs end and passes follow until there is nothing to do.
func (w *world) settles() bool {
	for range 30 {
		for _, r := range w.unfinished() {
			w.finish(r, w.drawn(r))
		}
		w.clock.advance(5 * time.Minute)
		p := w.pass(&wire{})
		if p.status != 0 && !(w.excused() && len(p.writes) > 0) {
			w.violates("R6", "exit status %d in the quiet:\n%s%s", p.status, p.text(), p.stderr)
			return false
		}
		if len(p.writes) == 0 && len(w.unfinished()) == 0 {
			return true
		}
	}
	p := w.passes[len(w.passes)-1]
	w.violates("R6", "there is no end of it: %q\n%s", p.writes, p.text())
	return false
}

// drawn is how a run ends that no event ended.
func (w *world) drawn(r *run) way {
	how := draw(w.history.seed, r.place())
	if r.key.Workflow == w.config.Gone {
		how, _ = wayOf("lost")
	}
	return how
}

// still looks at what must have stopped after some passes (R12). Where nothing
// is told to Gerrit the dispatcher does not look after runs.
func (w *world) still() {
	if w.config.Tell == "off" {
		return
	}
	for _, r := range w.unfinished() {
		c, ps := r.on, r.key.Patchset
		why := w.ineligible(c)
		if why == "" && ps < c.current() && !w.inherits(c, ps) {
			why = fmt.Sprintf("patchset %d is there", c.current())
		}
		if slices.Contains(c.ends, r.key) {
			continue // the ledger says that it has ended, and to look at each such run takes too long
		}
		if r.unnamed {
			continue // to look through all runs takes too long
		}
		if why != "" && r.last().stopped.IsZero() {
			w.violates("R12", "%s goes on although %s", r, why)
		}
	}
}

// ends holds the last pass, and all that it left, to the rules.
func (w *world) ends(last *pass) {
	for _, c := range w.changes {
		if w.ineligible(c) == "" {
			w.done(c, last)
			w.gaveUp(c, last)
			w.right(c)
			w.answered(c)
			w.open(c, last)
			w.taken(c, last)
		} else if c.status == change.New && w.visible(c) && !c.unseen {
			w.heard(c)
		}
	}
	w.follows(last)
	w.hidden()
}

// done is R1. Where nothing is told to Gerrit the dispatcher does not read
// results: one that was started is enough.
func (w *world) done(c *subject, last *pass) {
	ps := c.current()
	for _, f := range w.config.workflows() {
		if f.optional || !w.wants(c, ps, f) {
			continue
		}
		s := w.stands(c, ps, f.file)
		unread := w.config.Tell == "off" && w.tried(c, ps, f.file)
		if s.result == nothing && !unread && !last.names(c) {
			w.violates("R1", "%d/%d has no result of %s, and the pass says nothing of it:\n%s", c.Number(), ps, f.file, last.text())
		}
	}
}

// tried reports whether a workflow was started, and not stopped by us, for a
// patchset or one that it carries.
func (w *world) tried(c *subject, ps int, file string) bool {
	return slices.ContainsFunc(w.of(c, ps, file), func(r *run) bool { return r.last().stopped.IsZero() }) || w.carries(c, ps) && w.tried(c, ps-1, file)
}

// gaveUp is R14 and R15: a workflow whose lab is gone for good. It was tried
// again until the schedule was over, and then that was said.
func (w *world) gaveUp(c *subject, last *pass) {
	ps := c.current()
	for _, f := range w.config.workflows() {
		runs := w.of(c, ps, f.file)
		if w.config.Tell == "off" || f.file != w.config.Gone || f.optional || len(runs) == 0 || !w.wants(c, ps, f) || w.carries(c, ps) || c.forged || !c.barredAt.IsZero() {
			continue
		}
		tried, off := 0, false
		for _, r := range runs {
			for _, a := range r.attempts {
				tried++
				off = off || a.means != nothing || w.off(c, a)
			}
		}
		off = off || slices.ContainsFunc(w.remarks, func(m *remark) bool { return m.on == c && m.text == "cancel" && w.obeyed(m) })
		if off {
			continue
		}
		if tried < 5 {
			w.violates("R15", "%d/%d %s was tried %d times only", c.Number(), ps, f.file, tried)
		}
		if !slices.ContainsFunc(last.about(c), func(l line) bool { return l.State == "no verdict" }) {
			w.violates("R14", "%d/%d %s was given up, and the pass says:\n%s", c.Number(), ps, f.file, last.text())
		}
	}
}

// right is R2 and R5.
func (w *world) right(c *subject) {
	if w.config.Tell != "label" {
		return
	}
	got := w.vote(c)
	may, calledOff := w.votes(c)
	if w.barred(c, c.current()) != "" || w.refuses(c, c.current()) != "" {
		may[0] = true // nothing is started, nor perhaps carried
	}
	if copied := c.set(c.current()).copied; copied != 0 && may[0] {
		may[copied] = true
	}
	for _, gone := range c.removed {
		if gone.patchset == c.current() {
			w.took(c, gone, may)
		}
	}
	if may[got] {
		return
	}
	rule := "R2"
	if calledOff {
		rule = "R5"
	}
	w.violates(rule, "%d/%d has our vote %+d, want %s", c.Number(), c.current(), got, values(may))
}

// took allows for a vote that was taken off: it stays away until there is
// something new. Where what is new says the same, both are right.
func (w *world) took(c *subject, gone removal, may map[int]bool) {
	before := w.lastPass(gone.at)
	news := slices.ContainsFunc(w.remarks, func(m *remark) bool { return m.on == c && m.at.After(before) })
	for ps := c.current(); ps >= 1; ps-- {
		for _, r := range w.ordered(func(r *run) bool { return r.on == c && r.key.Patchset == ps }) {
			news = news || slices.ContainsFunc(r.attempts, func(a *attempt) bool { return a.means.result() && a.ended.After(before) })
		}
		if !w.carries(c, ps) {
			break
		}
	}
	switch {
	case gone.soft || news:
		if may[gone.value] {
			may[0] = true
		}
	default:
		clear(may)
		may[0] = true
	}
}

// lastPass is when the last pass before a time began.
func (w *world) lastPass(at time.Time) time.Time {
	var before time.Time
	for _, p := range w.passes {
		if p.at.Before(at) {
			before = p.at
		}
	}
	return before
}

func values(set map[int]bool) string {
	var list []string
	for _, v := range slices.Sorted(maps.Keys(set)) {
		list = append(list, fmt.Sprintf("%+d", v))
	}
	return strings.Join(list, " or ")
}
