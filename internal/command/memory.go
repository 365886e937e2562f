// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// promise is the last thing that our answers said about a workflow.
type promise struct {
	key change.Key
	// wanted is false for a run that was cancelled; failedOnly is as in Ask.
	wanted, failedOnly bool
	at                 time.Time
}

// memory is what all our answers on a change say together.
type memory struct {
	answered map[string]bool
	promises map[string]promise // for the current patchset, by workflow
	noted    []int              // issues that the current patchset's failure is noted on
	// last is when an answer last asked for a run of the current patchset, or noted
	// its failure.
	last time.Time
}

// remember reads our answers.
func remember(s Snapshot, self int) memory {
	m := memory{answered: map[string]bool{}, promises: map[string]promise{}}
	for _, msg := range s.ordered() {
		if msg.Author.ID != self || msg.Tag != Tag {
			continue
		}
		r := ParseResidue(msg.Text)
		if s.Elsewhere {
			r.Replies = append(r.Replies, r.LeftOut...)
		}
		for _, id := range r.Replies {
			m.answered[id] = true
		}
		for _, a := range r.Asked {
			if !s.foreign(a.Key) {
				m.promise(promise{a.Key, true, a.FailedOnly, msg.At})
				m.last = msg.At
			}
		}
		for _, k := range slices.DeleteFunc(r.Cancelled, s.foreign) {
			m.promise(promise{k, false, false, msg.At})
		}
		if msg.Patchset == s.Change.Current.Number && len(r.Noted) > 0 {
			m.noted, m.last = append(m.noted, r.Noted...), msg.At
		}
	}
	return m
}

// promise notes what a later answer says; attempts only ever go up.
func (m *memory) promise(p promise) {
	if m.promises[p.key.Workflow].key.Attempt <= p.key.Attempt {
		m.promises[p.key.Workflow] = p
	}
}

// stopFor is how long after its answer a cancelled run is cancelled again while
// it goes on: long enough for a call that was lost or a run that was not seen
// yet, and short enough to leave alone what somebody started again by hand.
const stopFor = time.Hour

// Outstanding returns what our answers said about runs of the current patchset
// and what is not so yet: start was promised and must still be started; stop was
// cancelled, and must be cancelled again where it runs or be kept from starting
// where it does not exist. Neither names a workflow twice. What a gate holds is
// not started: the promise is kept once the gate is open.
func Outstanding(s Snapshot, p Policy, now time.Time) (start []Ask, stop []change.Key) {
	if s.Change.Status != change.New {
		return nil, nil
	}
	latest, promises := s.latest(), remember(s, p.Self).promises
	for _, w := range s.Workflows {
		said, r := promises[w.Name], latest[w.Name]
		exists := said.key.Attempt <= r.Key.Attempt
		switch {
		case exists && (said.wanted || said.key != r.Key || !r.State.busy() || now.Sub(said.at) > stopFor):
		case !said.wanted:
			stop = append(stop, said.key)
		case w.Gate == "" && said.key.Attempt <= p.MaxAttempts:
			start = append(start, Ask{said.key, said.failedOnly})
		}
	}
	return start, stop
}
