// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// decideRecorded looks at an attempt whose run is known. It is done by a result
// that stands, or while it goes on. All other ends told nothing: they count as
// long as their cause lasts.
func (b *builder) decideRecorded(c *change.Change, d decision, a attempt) decision {
	d.standing, d.attempt = settled, a.number
	word, at := b.ending(c, b.key(c, d.workflow, a.number), a)
	if a.ended == "" && word.Retryable() {
		a.wasted++
	}
	switch {
	case word == "" && a.runID == 0 && b.p.Report.On():
		return b.decideNameless(c, d, a)
	case word == "", !b.p.Report.On():
		return d
	case word == verdict.Superseded:
		return b.begin(c, d, a.number+1, fmt.Sprintf("attempt %d was stopped, and the reason for that is gone", a.number))
	case word.Retryable():
		return b.retry(c, d, a, word, at)
	case word == verdict.Passed, word == verdict.Failed, word == verdict.TimedOut, b.before(c, d.workflow, a).attempt > 0:
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
		if b.before(c, d.workflow, a).attempt > 0 {
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
