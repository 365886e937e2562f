// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// maxLostAttempts bounds how often a lost call is made again where the run would
// not show its key: it may be running, and would be started for ever. A run that
// shows its key is found, so such a call is surely lost and made again.
const maxLostAttempts = 5

// showsKey recognizes a run-name that begins with the key we send.
var showsKey = regexp.MustCompile(`^\s*\$\{\{\s*(inputs|github\.event\.inputs|github\.event\.client_payload)\.key\s*\}\}`)

// standing is where one workflow is for one patchset.
type standing int

const (
	unwanted  standing = iota // a filter of the workflow leaves the patchset out
	settled                   // dispatched or carried: nothing to do
	candidate                 // to be dispatched as soon as limits allow
	gated                     // waits for somebody's trust, or for another result
	later                     // tried again at a later time
	silent                    // ended without a result, and nothing more is to come
	found                     // claimed, and its run is known but not noted yet
	doubted                   // claimed without a run, not noted yet
	pending                   // claimed without a run, still within the grace time
	exhausted                 // too many lost calls
)

// verdict on one workflow and patchset. attempt is the one that a candidate
// would claim, otherwise the one that it is about.
type decision struct {
	standing standing
	workflow *config.Workflow
	attempt  int
	reason   string
	claim    change.Revision
	run      change.Run
	// rerun is the run whose failed jobs a candidate runs again, or 0.
	rerun int64
}

// decide looks at one workflow for one patchset that passed the project's filter.
func (b *builder) decide(c *change.Change, w *config.Workflow) decision {
	a := b.attempt(c.ID(), w.Name)
	d := b.decideAttempt(c, w, a)
	if (d.standing == candidate || d.standing == gated) && a.calledOff() {
		d.standing, d.reason = unwanted, "a comment called it off"
	}
	return d
}

func (b *builder) decideAttempt(c *change.Change, w *config.Workflow, a attempt) decision {
	d := decision{workflow: w}
	switch {
	case a.called():
		d.standing, d.attempt, d.reason, d.rerun = candidate, a.asked, "a comment asks for it", a.rerun
		if a.rerun != 0 {
			d.reason = "a comment asks for its failed jobs"
			b.needRun(a.rerun)
		}
		if gate := b.gateReason(c, w.Trust); gate != "" {
			d.standing, d.reason = gated, gate
		} else if b.goesOn(c, w, a) {
			d.standing, d.reason = pending, fmt.Sprintf("attempt %d must end first", a.number)
		}
		return d
	case a.recorded:
		return b.decideRecorded(c, d, a)
	case a.number > 0:
		return b.decideClaimed(c, d, a)
	}
	if d.reason = unwantedReason(c, w); d.reason != "" {
		return d
	}
	if source, ok, known := b.carrySource(c, w); !known {
		d.standing, d.reason = pending, "its earlier patchsets are not known yet"
		return d
	} else if ok && source.word.Result() {
		d.standing = settled // and about to be noted
		return d
	} else if ok && source.word == "" {
		d.standing, d.reason = pending, fmt.Sprintf("%s: waits for the run of patchset %d, whose result will stand", kindText(c.Current.Kind), source.id.Patchset)
		return d
	}
	reason := "new patchset"
	switch {
	case c.Status == change.Merged:
		reason = "merged into " + c.Branch
	case b.startedElse(c.ID(), w.Name):
		reason = "it was started under another key prefix, which does not count"
	}
	return b.begin(c, d, 1, reason)
}

// goesOn reports whether the run of the last attempt has not ended: it was called
// off just now, and there are never two.
func (b *builder) goesOn(c *change.Change, w *config.Workflow, a attempt) bool {
	word, _ := b.ending(c, b.key(c, w, a.number), a)
	if a.number == 0 || !a.recorded || a.runID == 0 || word != "" || b.s.NoGitHub != "" || b.needRun(a.runID) {
		return false
	}
	run, there := b.runByID(a.runID)
	return there && run.Status != "completed"
}

// earlierGoesOn finds an attempt before a claimed one whose run goes on, or 0: a claim
// that somebody else wrote must not make two of them.
func (b *builder) earlierGoesOn(key change.Key) int {
	for _, r := range b.openRuns(key.Change) {
		if r.key.Attempt >= key.Attempt || r.key.ID != key.ID || r.key.Workflow != key.Workflow || r.from > 0 || b.needRun(r.id) {
			continue
		}
		if run, there := b.runByID(r.id); there && run.Status != "completed" {
			return r.key.Attempt
		}
	}
	return 0
}

// begin makes a candidate of a workflow, unless a filter leaves it out that no
// comment has overruled, or a gate holds it.
func (b *builder) begin(c *change.Change, d decision, attempt int, reason string) decision {
	if left := unwantedReason(c, d.workflow); left != "" && b.attempt(c.ID(), d.workflow.Name).asked == 0 {
		d.standing, d.attempt, d.reason = unwanted, attempt-1, left
		return d
	}
	d.standing, d.attempt, d.reason = candidate, b.unspoken(c, d.workflow, attempt), reason
	if gate := cmp.Or(b.gateReason(c, d.workflow.Trust), b.redParent(c)); gate != "" {
		d.standing, d.attempt, d.reason = gated, attempt-1, gate
	}
	return d
}

// unwantedReason says which filter of a workflow leaves a patchset out, or "".
func unwantedReason(c *change.Change, w *config.Workflow) string {
	if len(w.Branches) > 0 && !matchAny(w.Branches, c.Branch) {
		return "not for branch " + c.Branch
	}
	return pathsReason(w, c.Files)
}

// decideNameless looks for a run that GitHub accepted without telling its number.
func (b *builder) decideNameless(c *change.Change, d decision, a attempt) decision {
	switch {
	case b.s.NoGitHub != "":
		d.standing, d.reason = pending, b.s.NoGitHub
	case b.s.Runs == nil:
		b.needRuns(c.Current.Created)
	default:
		d.standing, d.reason, d.claim = pending, "GitHub took the call without telling the run, which is not seen yet", a.claim
		if run, ok := b.s.Runs[b.key(c, d.workflow, a.number)]; ok {
			d.standing, d.run, d.reason = found, run, "its run was found by its key"
		}
	}
	return d
}

// decideClaimed looks at a claim without a run record: either the run is there
// and was not noted, or it is not visible yet, or the call was lost.
func (b *builder) decideClaimed(c *change.Change, d decision, a attempt) decision {
	key := b.key(c, d.workflow, a.number)
	d.attempt, d.claim = a.number, a.claim
	if b.s.NoGitHub != "" {
		d.standing, d.reason = pending, b.s.NoGitHub
		return d
	}
	if run, ok := b.rerunSeen(a); ok {
		d.standing, d.run, d.reason = found, run, "its failed jobs run again"
		return d
	}
	if b.s.Runs == nil {
		b.needRuns(c.Current.Created)
	} else if run, ok := b.s.Runs[key]; ok {
		d.standing, d.run, d.reason = found, run, "its run was found by its key"
		return d
	}
	if a.lostAt.IsZero() {
		d.standing, d.reason = doubted, fmt.Sprintf("attempt %d is claimed and no run is seen; lost if that lasts %s", a.number, b.p.Grace)
		return d
	}
	if left := a.lostAt.Add(b.p.Grace).Sub(b.now); left > 0 {
		d.standing, d.reason = pending, fmt.Sprintf("attempt %d has no run yet; counts as lost in %s", a.number, left.Round(time.Second))
		return d
	}
	if a.number >= maxLostAttempts && !b.showsKey(d.workflow) {
		d.standing, d.reason = exhausted, fmt.Sprintf("%d calls were lost, and its runs do not show their keys", a.number)
		return d
	}
	if gate := b.gateReason(c, d.workflow.Trust); gate != "" {
		d.standing, d.reason = gated, gate
		return d
	}
	if n := b.earlierGoesOn(key); n > 0 {
		d.standing, d.reason = pending, fmt.Sprintf("attempt %d must end first", n)
		return d
	}
	d.standing, d.attempt = candidate, b.unspoken(c, d.workflow, a.number+1)
	d.reason = fmt.Sprintf("the call of attempt %d was lost", a.number)
	if a.rerun != 0 && a.asked == a.number { // of failed jobs again
		key.Attempt, d.rerun = d.attempt, a.rerun
		b.ask(c, command.Ask{Key: key, FailedOnly: true})
	}
	return d
}

// rerunSeen looks for a claimed rerun whose call's answer was lost: its run has
// then more attempts than we know of.
func (b *builder) rerunSeen(a attempt) (change.Run, bool) {
	if a.rerun == 0 || a.asked != a.number {
		return change.Run{}, false
	}
	b.needRun(a.rerun)
	run, ok := b.runByID(a.rerun)
	return run, ok && run.Attempt > a.known
}

// showsKey reports whether runs of a workflow begin with their key. Of an event
// nobody knows which files it starts.
func (b *builder) showsKey(w *config.Workflow) bool {
	f, ok := b.s.Workflows[w.File]
	if !ok && w.File != "" {
		b.files[w.File] = true
		return true // until it is known
	}
	return showsKey.MatchString(f.RunName)
}

// clockSlack is how far Gerrit's clock may be ahead of GitHub's.
const clockSlack = 10 * time.Minute

func (b *builder) needRuns(created time.Time) {
	since := created.Add(-clockSlack)
	if n := &b.plan.Needs; !n.Runs || since.Before(n.RunsSince) {
		n.Runs, n.RunsSince = true, since
	}
}
