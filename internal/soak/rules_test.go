// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// rules are what must be true, and where that is written if it is in a document.
var rules = map[string]string{
	"R1":  "a (patchset, workflow) is done only by a result that stands; each eligible patchset has a result that stands or a printed reason",
	"R2":  "votes equal the oracle's; a vote is set by itself when the right is given; one that a person removed is left alone",
	"R3":  "no vote without a run of that key; +1 only if the run's own conclusion is success",
	"R4":  "README: every patchset gets one run, not none and not two; dispatcher.example.yml: what is skipped",
	"R5":  "calling off a rerun restores the vote that stood before; nobody takes a -1 away by recheck or false positive followed by cancel",
	"R6":  "README: exit status 0, 1, 2; secrets are never printed; a pass with nothing to do writes nothing; design 7: nothing listed is silent",
	"R7":  "docs/verdicts.md, Quiet: nothing is told twice, nothing on a replaced patchset, and mail only with news; the owner is mailed once when CI gives up",
	"R8":  "docs/comments.md: who is obeyed; docs/verdicts.md: a result is not tried again by itself",
	"R9":  "ledger entries are checked against the world before they count",
	"R10": "a finished red result is told at once although another required workflow waits",
	"R11": "a vote that was refused is a problem of the pass: exit status 2",
	"R12": "docs/comments.md: a new patchset, a merge, an abandoned change, one that becomes private or work in progress: its runs are cancelled; also one that the account can no longer see",
	"R14": "what was given up is shown as no verdict, never as up to date",
	"R15": "infrastructure retries have a schedule: at once, then after 1 h, 6 h, 24 h",
	"R16": "nothing of an untrusted patchset reaches the mirror or runs; asked again before each dispatch, also for what a comment asked",
	"R17": "a patchset is refused for good only for its own content; nothing poisoned that the mirror takes",
	"R18": "a change is its project and number in every request; no request about another project's change",
	"R19": "docs/adopt.md: the mirror's branches and tags follow Gerrit's; what others put on the mirror is left alone",
	"R13": "the refs of a change that the account can no longer see leave the mirror",
}

// onStart holds each start of a run to the rules. The run is not in the journal
// yet, nor is a further attempt of it.
func (w *world) onStart(r *run, g github.Run) {
	c, ps, file := r.on, r.key.Patchset, r.key.Workflow
	alive := map[int64]bool{}
	for _, g := range w.github.Runs() {
		alive[g.ID] = g.Status != "completed"
	}
	for _, other := range w.of(c, ps, file) {
		switch {
		case other.id == g.ID || c.erased:
		case other.key == r.key:
			w.violates("R4", "%s was started twice", r.key)
		case alive[other.id]:
			w.violates("R4", "%s was started while %s goes on", r.key, other)
		}
	}
	if ps > c.current() {
		w.violates("R4", "%s was started, and there is no such patchset", r.key)
		return
	}
	if why := w.ineligible(c); why != "" {
		w.violates("R4", "%s was started although %s", r.key, why)
	}
	if ps < c.current() && !w.inherits(c, ps) {
		w.violates("R4", "%s was started although patchset %d is there", r.key, c.current())
	}
	if g.Inputs["revision"] != c.set(ps).revision {
		w.violates("R4", "%s of %s tests %s, want %s", r.key, c.site.name, g.Inputs["revision"], c.set(ps).revision)
	}
	if why := w.barred(c, ps); why != "" {
		w.violates("R16", "%s was started although %s", r.key, why)
	}
	w.shown(c, ps, r.key.String())
	w.justified(c, ps, file, r.key.String())
}

// inherits reports whether the current patchset carries the results of one.
func (w *world) inherits(c *subject, ps int) bool {
	for n := c.current(); n > ps; n-- {
		if !w.carries(c, n) {
			return false
		}
	}
	return true
}

// justified looks for a reason to start a workflow: the filters want it and it
// has no result, or somebody who is obeyed asks. Of a change that could not be
// seen for a while all may have been forgotten, since its refs leave the mirror.
func (w *world) justified(c *subject, ps int, file, key string) {
	if c.forged || c.unseen {
		return
	}
	var since time.Time
	why := ""
	switch runs := w.of(c, ps, file); {
	case len(runs) > 0 && runs[len(runs)-1].last().means.result():
		last := runs[len(runs)-1].last()
		since, why = last.begun, fmt.Sprintf("the attempt before %s", last.means)
	case len(runs) == 0 && w.carries(c, ps) && w.config.Tell != "off": // results are not read there
		if s := w.stands(c, ps-1, file); s.result == passed || s.result == failed {
			why = fmt.Sprintf("patchset %d carries %s", ps, s.result)
		}
	}
	for _, f := range w.config.workflows() {
		if f.file == file && why == "" && !w.wants(c, ps, f) {
			why = "its filter leaves the patchset out"
		}
	}
	asked := slices.ContainsFunc(w.remarks, func(m *remark) bool {
		return m.on == c && m.asks(file) && w.obeyed(m) && (!m.at.Before(since) || w.replied(m, since))
	})
	if c.withdrawn && !w.told(c, file) {
		return // what nobody was told of went with the refs
	}
	if why != "" && !asked {
		w.violates("R8", "%s was started although %s, and nobody who is obeyed asked", key, why)
	}
}

// told reports whether a result of a workflow was told on a change.
func (w *world) told(c *subject, file string) bool {
	result := regexp.MustCompile(`/` + regexp.QuoteMeta(file) + `/\d+ run=\d+ attempt=\d+ outcome=(passed|failed|timed-out)`)
	return slices.ContainsFunc(c.Messages(), func(m gerrit.Message) bool { return ours(m) && result.MatchString(m.Text) })
}

// replied reports whether a remark was answered only after a time: who reads
// late obeys late.
func (w *world) replied(m *remark, since time.Time) bool {
	return slices.ContainsFunc(m.on.Messages(), func(a gerrit.Message) bool {
		return ours(a) && !a.Date.Before(since.Truncate(time.Second)) && strings.Contains(a.Text, "> "+m.text)
	})
}

var loud = regexp.MustCompile(`panic:|goroutine [0-9]+ \[|runtime error`)

// afterPass holds what a pass did to the rules.
func (w *world) afterPass(p *pass) {
	if w.lie != nil && w.lie.after != nil {
		w.lie.after(w, p)
	}
	text := p.stdout + p.stderr
	switch {
	case p.status < 0 || p.status > 2:
		w.violates("R6", "exit status %d", p.status)
	case loud.MatchString(text):
		w.violates("R6", "it panicked: %s", text)
	}
	for _, secret := range []string{token, password, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token)), base64.StdEncoding.EncodeToString([]byte("bot:" + password))} {
		if strings.Contains(text, secret) {
			w.violates("R6", "a secret was printed")
		}
	}
	w.arrivals()
	w.touched()
	if p.healthy && p.name == "sync" {
		w.accounted(p)
	}
	for _, c := range w.changes {
		ps := c.current()
		if v := w.vote(c); v != 0 && v != c.set(ps).copied && !w.backed(c, v) {
			rule := "R3"
			if c.forged {
				rule = "R9"
			}
			w.violates(rule, "%d/%d has our vote %+d, and no run that says so", c.Number(), ps, v)
		}
		w.mailbox(c, p)
		w.red(c, p)
		w.forbidden(c, p)
	}
}

// forbidden holds a healthy pass that could not set a vote to saying so (R11).
func (w *world) forbidden(c *subject, p *pass) {
	if !w.forbid || !p.healthy || p.name != "sync" || w.ineligible(c) != "" || len(c.removed) > 0 || p.at.Sub(c.touched) < 11*time.Minute {
		return
	}
	may, _ := w.votes(c)
	got := w.vote(c)
	if len(may) != 1 || may[0] || may[got] || w.unsettled(c) || p.waits(c) {
		return
	}
	if p.status != 2 || !strings.Contains(p.stdout+p.stderr, label) {
		w.violates("R11", "%d/%d should have our vote %s, we may not vote, and the pass ends with status %d:\n%s", c.Number(), c.current(), values(may), p.status, p.text())
	}
}

var coming = regexp.MustCompile(`\b(?:attempt|run of patchset) [0-9]`)

// waits reports whether a pass says that a run of a change is to come.
func (p *pass) waits(c *subject) bool {
	return slices.ContainsFunc(p.about(c), func(l line) bool { return l.State == "waiting" && coming.MatchString(l.Reason) })
}

// unsettled reports whether a run of the change goes on, or the last one of a
// workflow told nothing and may be tried again.
func (w *world) unsettled(c *subject) bool {
	last := map[string]truth{}
	for _, r := range w.ordered(func(r *run) bool { return r.on == c }) {
		last[r.key.Workflow] = r.last().means
	}
	return slices.ContainsFunc(slices.Collect(maps.Values(last)), func(t truth) bool { return t == going || t == nothing })
}

// red holds a healthy pass to telling a failed test at once (R10).
func (w *world) red(c *subject, p *pass) {
	if !p.healthy || p.status != 0 || p.name != "sync" || w.forbid || w.config.Tell != "label" || w.config.Started == "reset" || w.ineligible(c) != "" || len(c.removed) > 0 {
		return
	}
	for _, f := range w.config.workflows() {
		runs := w.of(c, c.current(), f.file)
		if len(runs) == 0 || f.optional {
			continue
		}
		last := runs[len(runs)-1].last()
		late := p.at.Sub(last.ended) > 11*time.Minute // docs: after, 10 minutes
		talked := slices.ContainsFunc(w.remarks, func(m *remark) bool { return m.on == c && m.at.After(last.begun) })
		if last.means == failed && late && !talked && w.vote(c) != -1 {
			w.violates("R10", "%s failed, and the vote is %+d after a healthy pass", runs[len(runs)-1], w.vote(c))
		}
	}
}
