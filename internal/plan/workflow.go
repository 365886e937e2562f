// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
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
	carries                   // an earlier result stands, and that is not noted yet
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
	// from is the patchset whose result is carried, or 0.
	from int
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
		d.standing, d.attempt, d.from = carries, source.number, source.id.Patchset
		d.reason = fmt.Sprintf("%s: the result of patchset %d stands", kindText(c.Current.Kind), d.from)
		return d
	} else if ok && source.word == "" {
		d.standing, d.reason = pending, fmt.Sprintf("%s: waits for the run of patchset %d, whose result will stand", kindText(c.Current.Kind), source.id.Patchset)
		return d
	}
	reason := "new patchset"
	if c.Status == change.Merged {
		reason = "merged into " + c.Branch
	}
	return b.begin(c, d, 1, reason)
}

// begin makes a candidate of a workflow, unless a gate holds it.
func (b *builder) begin(c *change.Change, d decision, attempt int, reason string) decision {
	d.standing, d.attempt, d.reason = candidate, attempt, reason
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

func carriedText(c *change.Change) string {
	return fmt.Sprintf("%s: the result of patchset %d stands", kindText(c.Current.Kind), c.Current.Number-1)
}

// decideRecorded looks at an attempt whose run is known. It is done by a result
// that stands, or while it goes on. All other ends told nothing: they count as
// long as their cause lasts.
func (b *builder) decideRecorded(c *change.Change, d decision, a attempt) decision {
	d.standing, d.attempt = settled, a.number
	word, at := a.ended, a.endedAt
	if word == "" { // the run's own report comes before our note of it
		said, i, told := b.toldAt(c, b.key(c, d.workflow, a.number), a.runID)
		if told {
			word, at = said.Outcome, b.own(c)[i].At
		}
		if word.Retryable() {
			a.wasted++
		}
	}
	switch {
	case word == "" && a.runID == 0 && b.p.Report.On():
		return b.decideNameless(c, d, a)
	case word == "", !b.p.Report.On():
		return d
	case word == verdict.Superseded:
		if d.reason = unwantedReason(c, d.workflow); d.reason != "" {
			d.standing = unwanted
			return d
		}
		return b.begin(c, d, a.number+1, fmt.Sprintf("attempt %d was stopped, and the reason for that is gone", a.number))
	case word.Retryable():
		return b.retry(c, d, a, word, at)
	case word == verdict.Passed, word == verdict.Failed, word == verdict.TimedOut, a.before.attempt > 0:
		return d
	}
	d.standing, d.reason = silent, fmt.Sprintf("attempt %d %s; a comment \"recheck\" starts it again", a.number, word.Phrase())
	return d
}

// retry tries a run again that ended without a verdict: at once, and then later,
// a bounded number of times.
func (b *builder) retry(c *change.Change, d decision, a attempt, word verdict.Outcome, at time.Time) decision {
	most := b.p.Report.Retries
	if a.wasted > most {
		if a.before.attempt > 0 {
			return d // that result stands
		}
		d.standing, d.reason = silent, fmt.Sprintf("given up: attempt %d %s; a comment \"recheck\" starts it again", a.number, word.Phrase())
		return d
	}
	due := at.Add(b.p.Report.Wait(a.wasted))
	if b.now.Before(due) {
		d.standing, d.reason = later, fmt.Sprintf("attempt %d %s; retry %d of %d from %s on", a.number, word.Phrase(), a.wasted, most, due.UTC().Format("2006-01-02 15:04"))
		return d
	}
	return b.begin(c, d, a.number+1, fmt.Sprintf("retry %d of %d: attempt %d ended as %s", a.wasted, most, a.number, word))
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
	d.standing, d.attempt = candidate, a.number+1
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

// source is the state of an earlier patchset that a later one takes over.
type source struct {
	id     change.ID
	number int // of the attempt
	// word is how it ended, "" while it goes on.
	word verdict.Outcome
}

// carrySource finds the patchset whose state the current one takes over: the
// nearest one that was tested, if nothing but kinds that carry lies between. known
// is false while the kinds of those between must be read.
func (b *builder) carrySource(c *change.Change, w *config.Workflow) (s source, ok, known bool) {
	kind := c.Current.Kind
	for n := c.Current.Number; n > 1; {
		if kindPolicy(w, kind) != config.CarryKind {
			return s, false, true
		}
		earlier, listed := patchsetBefore(c, n)
		s.id = change.ID{Change: c.Number, Patchset: earlier.Number}
		if a := b.attempt(s.id, w.Name); a.number > 0 {
			s = b.sourceOf(c, w, s.id, a)
			return s, s.number > 0, true
		}
		if !listed {
			if b.s.Fresh[c.Number] { // its earlier patchsets cannot be seen
				return s, false, true
			}
			b.touch(c)
			return s, false, earlier.Number == 1
		}
		kind, n = earlier.Kind, earlier.Number
	}
	return s, false, true
}

// patchsetBefore is the one before a patchset; listed is false where only its
// number is known.
func patchsetBefore(c *change.Change, n int) (p change.Patchset, listed bool) {
	for _, e := range slices.Backward(c.Earlier) {
		if e.Number < n {
			return e, true
		}
	}
	return change.Patchset{Number: n - 1}, false
}

// sourceOf reads the state of a tested patchset, or that of the one before whose
// result it carries itself. Where an attempt told nothing, the result of an
// earlier one stands; nobody waits for a run that is not known (number 0). Where
// nothing is reported, results are not known, and each run counts as one.
func (b *builder) sourceOf(c *change.Change, w *config.Workflow, id change.ID, a attempt) source {
	if a.from > 0 {
		id.Patchset = a.from
		a = b.attempt(id, w.Name)
	}
	s := source{id: id, number: a.number, word: a.ended}
	switch {
	case !b.p.Report.On() && a.recorded:
		s.word = verdict.Passed
	case s.word == "" && (!a.recorded || a.runID == 0):
		return source{}
	case s.word == "":
		key := b.key(c, w, a.number)
		key.ID = id
		said, _ := b.told(c, key, a.runID)
		if s.word = said.Outcome; a.recorded && s.word.Result() {
			s.word = "" // until the ledger says so, too
		}
	}
	if !s.word.Result() && s.word != "" && a.before.attempt > 0 {
		s.number, s.word = a.before.attempt, a.before.word
	}
	return s
}

// kindPolicy maps Gerrit's change kinds to the two policies. A kind that
// changes both the parent and the message needs both.
func kindPolicy(w *config.Workflow, kind change.Kind) config.KindPolicy {
	switch kind {
	case change.TrivialRebase:
		return w.TrivialRebase
	case change.NoCodeChange, change.NoChange:
		return w.NoCodeChange
	case change.TrivialRebaseMessage:
		if w.TrivialRebase == config.CarryKind {
			return w.NoCodeChange
		}
	}
	return config.RunKind
}

func kindText(kind change.Kind) string {
	switch kind {
	case change.TrivialRebase, change.TrivialRebaseMessage:
		return "trivial rebase"
	case change.NoChange:
		return "nothing changed"
	default:
		return "message only"
	}
}
