// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// Move brings branches and patchsets to the mirror and updates their refs: one
// fetch and one push where nothing goes wrong. Results come in the order of the
// arguments; no failure of one item stops another, unless nothing can be pushed
// at all (no right to write, wrong address), which is then everybody's error.
// Pushes, fetches and waits are bounded; what is left then has a Transient
// error and State NotTried.
func (r *Relay) Move(ctx context.Context, branches, items []Item) (branchResults, itemResults []ItemResult) {
	m := &mover{r: r, ctx: ctx, branches: len(branches), most: maxPushes}
	if len(branches) == 0 && !slices.ContainsFunc(items, func(it Item) bool { return !isTag(it) }) {
		m.most = maxTagPushes
	}
	for _, it := range branches {
		m.works = append(m.works, newWork(it, true))
	}
	for _, it := range items {
		m.works = append(m.works, newWork(it, false))
	}
	if m.end = r.ready(); m.end == nil {
		m.check()
		m.run(slices.Concat(branches, items))
	}
	results := m.results()
	return results[:len(branches)], results[len(branches):]
}

// mover is the state of one Move.
type mover struct {
	r        *Relay
	ctx      context.Context
	branches int
	works    []*work // branches, patchsets, then slices of branches
	family   family

	// most is how many pushes it may come to.
	most            int
	pushes, fetches int
	// throttles, slow and fetchDivisions count what servers could not take; slow
	// begins anew with each push that is answered.
	throttles, slow, fetchDivisions int
	// doubts counts the refusals that were heard again.
	doubts int

	waited time.Duration // as the mirror asked
	stage  stage
	tips   *tips
	// landed are objects that came to the mirror during this move.
	landed idSet
	// cause is why the latest push was refused, bytes how much it carried.
	cause cause
	bytes int64
	// end is why nothing more is tried, or nil.
	end error
}

// check refuses, before anything is sent, what must not be pushed.
func (m *mover) check() {
	seen := map[string]bool{}
	for _, w := range m.works {
		if err := m.r.checkItem(w.Item); err != nil {
			w.fail(err)
			continue
		}
		for _, u := range w.Updates {
			if seen[u.Ref] {
				w.fail(fault.New(fault.Ours, "refused to write %s: two updates of one push name it", u.Ref))
			}
			seen[u.Ref] = true
		}
	}
}

func (m *mover) run(items []Item) {
	m.family = arrange(m.branches, items)
	suspect := func(i int) bool { return items[i].Suspect }
	s := search{family: m.family, suspect: suspect, try: m.try, blame: m.blame, hold: m.hold}
	s.run()
}

// blame settles a member that was refused all alone.
func (m *mover) blame(i int) { m.works[i].refuse(m.cause) }

// hold settles a member that stands on a blamed one.
func (m *mover) hold(i, blamed int) {
	m.works[i].under = m.works[blamed]
	m.works[i].fail(errHeld(m.works[blamed].Item))
}

func errHeld(parent Item) error {
	return fault.New(fault.Permanent, "held: its parent %s was refused", name(parent)).
		WithHint("it goes on when it is based on something that the mirror takes")
}

// try pushes members together and again as often as that makes sense.
func (m *mover) try(list []int) (verdict, []int) {
	var p patience
	for {
		open := slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !m.works[i].open() })
		switch {
		case len(open) == 0:
			return settled, nil
		case m.spent():
			return halted, nil
		}
		if v, again := m.once(open, &p); !again {
			return v, m.suspects(v, open)
		}
	}
}

// spent says whether nothing more may be tried in this move.
func (m *mover) spent() bool {
	switch {
	case m.end != nil:
	case m.ctx.Err() != nil:
		m.end = fault.New(fault.Transient, "the relay was interrupted: %w", m.ctx.Err())
	case m.pushes >= m.most || m.fetches >= maxFetches:
		m.end = fault.New(fault.Transient, "not tried: %d pushes and %d fetches were spent on the rest; left for the next pass", m.pushes, m.fetches)
	}
	return m.end != nil
}

// once makes one fetch and one push. again says that what is still open may be
// tried again at once; otherwise the verdict counts.
func (m *mover) once(list []int, p *patience) (v verdict, again bool) {
	if err := m.r.pace(m.ctx); err != nil {
		return m.stop(err)
	}
	l, err := m.fetch(list)
	if err != nil {
		return m.sourceFailed(list, err, p)
	}
	cmds := m.commands(list)
	m.pushes++
	rep, err := m.r.push(m.ctx, wire(cmds), l)
	m.bytes = l.bytes
	l.Close() // before anything waits: it may still be on its way
	switch {
	case err != nil:
		return m.pushFailed(list, cmds, l, err, p)
	case rep.Unpack != "ok":
		m.slow = 0
		return m.packRefused(list, rep, p)
	}
	m.slow = 0
	return m.report(list, cmds, rep, p)
}

// command is one open update of a member.
type command struct {
	*progress
	member int
}

// commands lists what is open: branches first, each member's in its order.
func (m *mover) commands(list []int) []command {
	var cmds []command
	for _, i := range list {
		w := m.works[i]
		for j := range w.updates {
			if p := &w.updates[j]; !p.settled {
				cmds = append(cmds, command{progress: p, member: i})
			}
		}
	}
	return cmds
}

func wire(cmds []command) []gitwire.Command {
	out := make([]gitwire.Command, len(cmds))
	for i, c := range cmds {
		out[i] = gitwire.Command{Ref: c.Ref, Old: string(c.Old), New: string(c.New)}
	}
	return out
}

// suspects are the members whose commits a refusal names.
func (m *mover) suspects(v verdict, list []int) []int {
	if v != refused {
		return nil
	}
	ids := map[change.Revision]bool{}
	for _, id := range m.cause.named {
		ids[id] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !ids[m.works[i].Want] })
}

// stop ends the move for everybody.
func (m *mover) stop(err error) (verdict, bool) {
	if m.end == nil {
		m.end = err
	}
	return halted, false
}
