// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"errors"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// maxBusy is how often one try is repeated because the mirror had trouble.
const maxBusy = 2

// packRefused handles "unpack" not ok: nothing of the push has happened.
func (m *mover) packRefused(list []int, rep *gitwire.Report, p *patience) (verdict, bool) {
	m.cause = packCause(rep.Unpack, anyReason(rep), rep.Messages)
	m.cause.named = named(rep.Messages)
	switch m.cause.class {
	case size:
		m.r.learnSize(m.bytes, m.cause)
		return m.overSize(list)
	case broken:
		if p.broken++; p.broken == 1 {
			return settled, true
		}
		return m.giveUp(list)
	case busy:
		n := p.busy
		if p.busy++; n < maxBusy && m.r.retry(m.ctx, n, m.cause.err) == nil {
			return settled, true
		}
		return m.giveUp(list)
	case missing:
		more, err := m.distrust()
		if err != nil {
			return m.stop(err)
		}
		if more {
			return settled, true
		}
	}
	return refused, m.doubt(list, m.cause, p)
}

// maxDoubts is how many pushes of one move are repeated because nobody knows
// what the mirror's words mean.
const maxDoubts = 8

// doubtful says that a refusal is to be heard again: one that is not definite may
// be trouble that passes. It is heard again before the search for its culprit
// begins, and before one is found.
func (m *mover) doubtful(list []int, c cause, p *patience) bool {
	return c.class == content && c.word == "" && p.doubts < maxBusy && m.doubts < maxDoubts && (len(list) == 1 || m.pushes == 1)
}

// doubt waits before a doubtful refusal is heard again.
func (m *mover) doubt(list []int, c cause, p *patience) (again bool) {
	if !m.doubtful(list, c, p) {
		return false
	}
	p.doubts++
	m.doubts++
	return m.r.wait(m.ctx, p.doubts-1) == nil
}

// giveUp settles the members with the latest cause, without blame.
func (m *mover) giveUp(list []int) (verdict, bool) {
	for _, i := range list {
		m.works[i].fail(m.cause.err)
	}
	return settled, true
}

// refusal is an update that the mirror said no to.
type refusal struct {
	command
	reason string
	cause
}

// report handles an unpacked push: each ref has its own result.
func (m *mover) report(list []int, cmds []command, rep *gitwire.Report, p *patience) (verdict, bool) {
	var no []refusal
	guilty := map[int]bool{} // members refused for what they hold
	for i, c := range cmds {
		if reason := rep.Results[i].Reason; reason == "" {
			m.accept(c)
		} else {
			r := refusal{c, reason, refCause(c.Ref, reason, rep.Messages)}
			r.lost = r.lost || r.unclear
			guilty[c.member] = guilty[c.member] || r.class == content
			no = append(no, r)
		}
	}
	if len(no) == 0 {
		return settled, true
	}
	if len(no) == len(cmds) && unknownToAll(no) {
		for i := range no {
			no[i].class = content // of some of them, for all that one can tell
			guilty[no[i].member] = true
		}
	}
	if len(no) == len(cmds) && count(guilty) > 1 {
		return m.allRefused(list, no, rep, p)
	}
	v, again := m.settle(list, no, p)
	if w := m.works[list[0]]; len(list) == 1 && w.blame != nil {
		m.cause = *w.blame
		return refused, false // so that nothing above it is tried
	}
	return v, again
}

// unknownToAll reports whether the same words, which no rule knows, stand for
// each ref: a verdict over the push as a whole, then.
func unknownToAll(no []refusal) bool {
	return !slices.ContainsFunc(no, func(r refusal) bool { return !r.unknown || r.reason != no[0].reason })
}

func count(set map[int]bool) (n int) {
	for _, in := range set {
		if in {
			n++
		}
	}
	return n
}

// allRefused handles a verdict over the push as a whole, as a pre-receive hook
// gives it: some member's content is the reason, and all are refused for it.
func (m *mover) allRefused(list []int, no []refusal, rep *gitwire.Report, p *patience) (verdict, bool) {
	for _, r := range no {
		if r.class == content {
			m.cause = r.cause
			m.cause.named = named(rep.Messages)
			return refused, m.doubt(list, m.cause, p)
		}
	}
	return settled, true
}

// accept notes that the mirror has the new value.
func (m *mover) accept(c command) {
	c.settle(Done, nil)
	m.arrived(c)
}

// arrived notes that a ref of the mirror holds a member's object.
func (m *mover) arrived(c command) {
	if w := m.works[c.member]; c.New == w.Want {
		m.landed.add(string(w.Want))
	}
}

// found settles an update of which the ref's present value tells all.
func (m *mover) found(c command, now change.Revision) {
	switch {
	case isLedger(c.Ref) && c.Old == "" && now != "":
		if c.lost && now == c.New {
			c.settle(Unsettled, errLost(c.Update, fault.New(fault.Transient, "the ref is there")))
		} else {
			c.settle(Existed, errExisted(c.Update))
		}
	case now == c.New:
		m.accept(c)
	}
}

// settle reads the refused refs again, all in one request, for the reasons say
// little: a create may have been refused because it had happened before.
func (m *mover) settle(list []int, no []refusal, p *patience) (verdict, bool) {
	refs := make([]string, len(no))
	for i, r := range no {
		refs[i] = r.Ref
	}
	now, err := m.r.values(m.ctx, refs)
	var busyOne *refusal
	var doubted *cause
	lacking := false
	for _, r := range no {
		if err != nil && r.lost {
			r.settle(Unsettled, errLost(r.Update, errors.Join(r.err, err)))
			continue
		}
		if err != nil {
			r.settle(NotTried, fault.New(fault.Transient, "%w; and %w", r.err, err))
			continue
		}
		m.found(r.command, now[r.Ref])
		switch {
		case r.settled:
		case now[r.Ref] != r.Old:
			r.settle(Refused, errMoved(r.Update, now[r.Ref]))
		case r.class == busy && p.busy < maxBusy:
			busyOne = &r
		case r.class == missing && m.stage < broad:
			lacking = true
		case m.doubtful(list, r.cause, p):
			doubted = &r.cause
		default:
			m.deny(r)
		}
	}
	if lacking {
		if _, err := m.distrust(); err != nil {
			return m.stop(err)
		}
	}
	if doubted != nil {
		m.doubt(list, *doubted, p)
	}
	if busyOne != nil {
		p.busy++
		m.r.retry(m.ctx, p.busy-1, busyOne.err) // an interrupted wait is try's to see
	}
	return settled, true
}

// deny settles an update that the mirror refuses for good, or at least now.
func (m *mover) deny(r refusal) {
	if r.class == busy {
		r.settle(NotTried, r.err)
		return
	}
	r.settle(Refused, r.err)
	if w := m.works[r.member]; !isLedger(r.Ref) {
		w.refusal = &r.cause
		if r.class == content || r.class == missing {
			w.blame = &r.cause
		}
	}
}
