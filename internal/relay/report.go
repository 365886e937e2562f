// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"errors"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// maxBusy is how often one try is repeated because the mirror had trouble.
const maxBusy = 2

// packRefused handles "unpack" not ok: nothing of the push has happened.
func (m *mover) packRefused(list []int, rep *gitwire.Report, p *patience) (verdict, bool) {
	m.cause = packCause(rep.Unpack, rep.Messages)
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
	return refused, false
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
			r := refusal{c, refCause(c.Ref, reason, rep.Messages)}
			r.lost = r.lost || r.unclear
			guilty[c.member] = guilty[c.member] || r.class == content
			no = append(no, r)
		}
	}
	if len(no) == 0 {
		return settled, true
	}
	if len(no) == len(cmds) && count(guilty) > 1 {
		return m.allRefused(list, no, rep)
	}
	v, again := m.settle(no, p)
	if w := m.works[list[0]]; len(list) == 1 && w.blame != nil {
		m.cause = *w.blame
		return refused, false // so that nothing above it is tried
	}
	return v, again
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
func (m *mover) allRefused(list []int, no []refusal, rep *gitwire.Report) (verdict, bool) {
	for _, r := range no {
		if r.class == content {
			m.cause = r.cause
			m.cause.named = named(rep.Messages)
			return refused, false
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
		w.landed = w.landed || !w.OnMirror
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
func (m *mover) settle(no []refusal, p *patience) (verdict, bool) {
	refs := make([]string, len(no))
	for i, r := range no {
		refs[i] = r.Ref
	}
	now, err := m.r.values(m.ctx, refs)
	var busyOne *refusal
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
		default:
			m.deny(r)
		}
	}
	if lacking {
		if _, err := m.distrust(); err != nil {
			return m.stop(err)
		}
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
	if w := m.works[r.member]; !isLedger(r.Ref) && (r.class == content || r.class == missing) {
		w.blame = &r.cause
	}
}
