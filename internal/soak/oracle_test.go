// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// visible reports whether the dispatcher's account can see a change. Who has
// voted on a private change, or said something, is in its CC and goes on seeing
// it (Gerrit's access-control, "Private Changes").
func (w *world) visible(c *subject) bool {
	return !c.hidden && (!c.private || w.bot.SeesPrivate || slices.ContainsFunc(c.Messages(), func(m gerrit.Message) bool { return m.Author == "bot" }))
}

// ineligible says why nothing may run for a change now, or "".
func (w *world) ineligible(c *subject) string {
	switch {
	case c.status == change.Abandoned:
		return "it is abandoned"
	case c.status != change.New:
		return "it is closed"
	case w.config.Branches != "all" && w.config.Branches != c.branch:
		return "its branch is not tested"
	case c.wip && w.config.SkipWIP:
		return "it is work in progress"
	case c.private && w.config.SkipPriv:
		return "it is private"
	case !w.visible(c):
		return "the account cannot see it"
	}
	return ""
}

// note keeps since when each change has been eligible.
func (w *world) note() {
	for _, c := range w.changes {
		c.unseen = c.unseen || !w.visible(c)
		c.withdrawn = c.withdrawn || c.private && w.config.SkipPriv
		if w.barred(c, c.current()) != "" {
			c.barredAt = w.clock.Now()
		}
		switch why := w.ineligible(c); {
		case why != "":
			c.since = time.Time{}
		case c.since.IsZero():
			c.since = w.clock.Now()
		}
	}
}

// current is the number of a change's current patchset.
func (c *subject) current() int { return len(c.sets) }

func (c *subject) set(patchset int) patchset { return c.sets[patchset-1] }

// wants reports whether the filters let a workflow run for a patchset
// (dispatcher.example.yml: paths, paths-ignore, branches).
func (w *world) wants(c *subject, ps int, f workflow) bool {
	lib, other := false, false
	for path := range c.set(ps).files {
		lib = lib || strings.HasPrefix(path, "lib/")
		other = other || !strings.HasPrefix(path, "doc/")
	}
	switch f.filter {
	case "lib":
		return lib
	case "notdoc":
		return other
	case "master":
		return c.branch == "master"
	}
	return true
}

// carries reports whether a patchset takes the results of the one before it.
func (w *world) carries(c *subject, ps int) bool {
	if ps < 2 {
		return false
	}
	switch c.set(ps).kind {
	case "TRIVIAL_REBASE":
		return w.config.Rebase == "carry"
	case "NO_CODE_CHANGE":
		return w.config.Reword == "carry"
	}
	return false
}

// standing is the result of a workflow for a patchset that stands.
type standing struct {
	result truth
	// calledOff: a rerun was called off by a comment, so the result before it
	// must be back.
	calledOff bool
}

// stands works out the standing of a workflow: the result of the latest attempt
// that has one, or that which the patchset carries. Calling off a rerun restores the
// vote that stood before, and a run that tells nothing leaves the result of the run
// before (docs/verdicts.md).
func (w *world) stands(c *subject, ps int, file string) standing {
	s := standing{result: nothing}
	for _, r := range slices.Backward(w.of(c, ps, file)) {
		for _, a := range slices.Backward(r.attempts) {
			if a.means.result() || a.means == neutral {
				s.result = a.means
				return s
			}
			s.calledOff = s.calledOff || w.off(c, a)
		}
	}
	if w.carries(c, ps) {
		below := w.stands(c, ps-1, file)
		s.result, s.calledOff = below.result, s.calledOff || below.calledOff
	}
	return s
}

// off reports whether an attempt was cancelled because a comment said so.
func (w *world) off(c *subject, a *attempt) bool {
	return !a.stopped.IsZero() && slices.ContainsFunc(w.remarks, func(m *remark) bool {
		return m.on == c && m.text == "cancel" && w.obeyed(m) && m.at.After(a.begun) && !m.at.After(a.stopped)
	})
}

// obeyed reports whether the author of a remark may command (docs/comments.md).
func (w *world) obeyed(m *remark) bool {
	switch {
	case m.who == "bot" || m.who == "robo" || w.config.Commands == "off" || w.config.Tell == "off":
		return false
	case w.config.Commands == "owner":
		return m.who == "cora" || m.who == m.on.owner || m.who == m.on.set(m.patchset).uploader
	}
	return true
}

// asks reports whether a remark wants work for a workflow.
func (m *remark) asks(file string) bool {
	switch name := strings.TrimSuffix(file, ".yml"); m.text {
	case "recheck", "recheck failed", "recheck " + file, "recheck " + name, "false positive: #12":
		return true
	}
	return false
}

// votes are the votes on a change's current patchset that may be right, by the
// results of its required workflows, and whether one of them was called off.
func (w *world) votes(c *subject) (may map[int]bool, calledOff bool) {
	ps := c.current()
	sets := []map[truth]bool{{}}
	for _, f := range w.config.workflows() {
		asked := len(w.of(c, ps, f.file)) > 0
		if f.optional || !w.wants(c, ps, f) && !asked {
			continue
		}
		s := w.stands(c, ps, f.file)
		calledOff = calledOff || s.calledOff
		grown := []map[truth]bool{}
		for _, before := range sets {
			after := maps.Clone(before)
			after[s.result] = true
			grown = append(grown, after)
			if !w.wants(c, ps, f) { // it ran because a comment named it
				grown = append(grown, before)
			}
		}
		sets = grown
	}
	may = map[int]bool{}
	for _, set := range sets {
		may[w.verdict(set)] = true
	}
	return may, calledOff
}

// verdict is the vote for a set of results: docs/verdicts.md, "From runs to one vote".
func (w *world) verdict(set map[truth]bool) int {
	switch {
	case w.config.Tell != "label":
		return 0
	case set[failed]:
		return -1
	case len(set) == 0 && w.config.Nothing == "silent":
		return 0
	case set[nothing] || set[timedOut] || len(set) > 0 && !set[passed]:
		return 0
	}
	return 1
}

// backed reports whether a vote on the current patchset could ever have been
// right: whether runs of its keys, or of those it carries, said so.
func (w *world) backed(c *subject, vote int) bool {
	ps := c.current()
	all, some, none := true, false, true
	for _, f := range w.config.workflows() {
		if f.optional || !w.wants(c, ps, f) && len(w.of(c, ps, f.file)) == 0 {
			continue
		}
		if w.ever(c, ps, f.file, failed) && vote < 0 {
			return true
		}
		yes := w.ever(c, ps, f.file, passed)
		some, none = some || yes, none && !w.wants(c, ps, f)
		all = all && (yes || w.ever(c, ps, f.file, neutral) || !w.wants(c, ps, f))
	}
	return vote > 0 && all && (some || none)
}

// ever reports whether an attempt for a patchset, or for one that it carries
// the results of, has ever ended so.
func (w *world) ever(c *subject, ps int, file string, means truth) bool {
	for _, r := range w.of(c, ps, file) {
		if slices.ContainsFunc(r.attempts, func(a *attempt) bool { return a.means == means }) {
			return true
		}
	}
	return w.carries(c, ps) && w.ever(c, ps-1, file, means)
}
