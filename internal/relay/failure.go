// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"errors"
	"net"
	"net/http"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// patience counts how often one try failed, by kind of failure.
type patience struct {
	source int // fetches that broke
	broken int // packs that arrived incomplete
	busy   int // refusals that may pass
	lost   int // answers that never came
	doubts int // refusals that are not definite
}

const (
	// maxSlow is how many pushes in a row may be too much for the mirror: enough
	// to find one patchset among a hundred that it has no time for, or two beside
	// each other. A dead server has no time for any.
	maxSlow = 10
	// maxFetchDivisions is how often a batch is divided because the source cannot
	// serve it: enough to find three objects among a hundred that it cannot read.
	maxFetchDivisions = 24
)

// sourceFailed handles a pack that could not be opened or ended early. The
// mirror has stored nothing.
func (m *mover) sourceFailed(list []int, err error, p *patience) (verdict, bool) {
	if m.ctx.Err() != nil {
		return settled, true // try finds out
	}
	if gone, ok := errors.AsType[*gitwire.WantError](err); ok && m.dropWant(list, gone) {
		return settled, true
	}
	if errors.Is(err, fault.Configuration) {
		return m.stop(fault.New(fault.Configuration, "failed to fetch from Gerrit: %w", err))
	}
	if retryable(err) {
		n := p.source
		p.source++
		if m.r.retry(m.ctx, n, err) == nil {
			m.r.logf("fetch failed, trying again: %s", oneLine(err))
			return settled, true
		}
	}
	needing := slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !m.needs(i) })
	kind := kindOr(err, fault.Transient)
	if len(needing) > 1 {
		if m.fetchDivisions++; perhapsOneItem(err) && m.fetchDivisions <= maxFetchDivisions {
			return divided, false
		}
		kind = fault.Transient // nobody can tell whose failure it is
	}
	for _, i := range needing {
		m.works[i].fail(fault.New(kind, "failed to fetch %s from Gerrit: %w", name(m.works[i].Item), err))
	}
	return settled, true
}

// dropWant settles the members that want an object which the server does not
// give, and reports whether there were any.
func (m *mover) dropWant(list []int, gone *gitwire.WantError) (found bool) {
	for _, i := range list {
		w := m.works[i]
		switch {
		case !m.needs(i):
		case string(w.Known) == gone.OID:
			found = true
			w.fail(fault.New(fault.Permanent, "failed to move %s: %w", name(w.Item), ErrForeign).
				WithHint("if they may go, delete the branch on the mirror, and the next pass makes it anew"))
		case string(w.Want) == gone.OID:
			found = true
			w.fail(fault.New(fault.Permanent, "failed to fetch %s: Gerrit no longer offers it (deleted change, or no read permission): %w", name(w.Item), gone).
				WithHint("if the change is still there, let the Gerrit account read it"))
		}
	}
	return found
}

// perhapsOneItem says whether a fetch may fail for what one of the wants is, or
// for their number. Gerrit ends an answer early, and says nothing, when it
// cannot read an object.
func perhapsOneItem(err error) bool {
	switch statusOf(err) {
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, http.StatusRequestEntityTooLarge:
		return true
	}
	return errors.Is(err, gitwire.ErrTruncated) || errors.Is(err, fault.Permanent)
}

// pushFailed handles a push without a report.
func (m *mover) pushFailed(list []int, cmds []command, l *load, err error, p *patience) (verdict, bool) {
	status := statusOf(err)
	switch {
	case m.learnLength(err):
		return settled, true
	case status == http.StatusRequestEntityTooLarge, errors.Is(err, errLarge), errors.Is(err, gitwire.ErrNoRoom):
		return m.tooLarge(list, cmds, l, err)
	case l.broke(err):
		if !m.reread(cmds, err) { // only the end mark may have been missing
			return halted, false
		}
		return m.sourceFailed(list, l.err, p)
	case status == http.StatusRequestTimeout:
		return m.divide(list, err)
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && retryable(err):
		return m.throttled(err)
	case errors.Is(err, fault.Configuration), status >= 400 && status < 500 && !retryable(err):
		return m.stop(fault.Wrap(fault.Configuration, err))
	}
	return m.answerLost(list, cmds, err, p)
}

// divide answers a server that is too slow for a batch, and settles what it is
// too slow for alone.
func (m *mover) divide(list []int, err error) (verdict, bool) {
	err = fault.Wrap(fault.Transient, err)
	if len(list) == 1 {
		m.works[list[0]].fail(err)
	}
	if m.slow++; m.slow > maxSlow {
		return m.stop(err)
	}
	if len(list) == 1 {
		return settled, true
	}
	return divided, false
}

// throttled waits as long as the mirror asks for, but not for ever.
func (m *mover) throttled(err error) (verdict, bool) {
	wait := fault.RetryAfter(err)
	if wait == 0 {
		wait = firstThrottle << min(m.throttles, 10)
	}
	m.throttles++
	if m.waited += wait; m.waited > maxThrottled {
		return m.stop(fault.New(fault.Transient, "the mirror asks to wait longer than this pass will: %w", err))
	}
	m.r.logf("wait %v: the mirror is throttling", wait)
	if err := m.r.Sleep(m.ctx, wait); err != nil {
		return m.stop(fault.New(fault.Transient, "the relay was interrupted: %w", err))
	}
	return settled, true
}

// answerLost reads what really happened before anything is pushed again: a
// second create of the same ref could not tell its own success from another's.
func (m *mover) answerLost(list []int, cmds []command, err error, p *patience) (verdict, bool) {
	if neverSent(err) {
		return m.notSent(err, p)
	}
	before := len(m.landed.ids)
	again := m.r.retry(m.ctx, p.lost, err)
	p.lost++
	if !m.reread(cmds, err) {
		return halted, false
	}
	// A server may also answer too long a list of updates with no report at all.
	doubtful := p.lost > 1 && again == nil || errors.Is(again, fault.Permanent)
	switch {
	case doubtful && len(list) > 1 && len(m.landed.ids) == before:
		return m.divide(list, err)
	case again == nil:
		return settled, true
	}
	if len(list) == 1 {
		return m.divide(list, err)
	}
	for _, i := range list {
		m.works[i].fail(fault.Wrap(fault.Transient, err))
	}
	return settled, true
}

// reread settles what a push without a report may have done all the same. It
// reports false, and ends the move, if the mirror does not tell.
func (m *mover) reread(cmds []command, why error) bool {
	now, err := m.r.values(m.ctx, refsOf(cmds))
	for _, c := range cmds {
		c.lost = true
		if err != nil {
			c.settle(Unsettled, errLost(c.Update, errors.Join(why, err)))
		} else {
			m.found(c, now[c.Ref])
		}
	}
	if err != nil {
		m.stop(fault.New(fault.Transient, "failed to push to the mirror, and to see what came of it: %w", why))
	}
	return err == nil
}

// notSent handles a push of which the mirror saw nothing.
func (m *mover) notSent(err error, p *patience) (verdict, bool) {
	n := p.lost
	p.lost++
	if m.r.retry(m.ctx, n, err) == nil {
		return settled, true
	}
	return m.stop(fault.New(kindOr(err, fault.Transient), "failed to reach the mirror: %w", err))
}

// neverSent recognizes a connection that was not even made.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// statusOf returns the HTTP status behind an error, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[*gitwire.StatusError](err); ok {
		return e.Status
	}
	return 0
}

func refsOf(cmds []command) []string {
	refs := make([]string, len(cmds))
	for i, c := range cmds {
		refs[i] = c.Ref
	}
	return refs
}

// oneLine makes an error fit for one line of the log.
func oneLine(err error) string { return change.OneLine(change.Clip(err.Error(), 300)) }
