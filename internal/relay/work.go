// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// work is an item on its way.
type work struct {
	Item
	branch bool
	// slice says that this is one slice of a branch, which is not cut again.
	slice   bool
	updates []progress
	// err ends the work: nothing more is pushed for it.
	err error
	// blame is why the mirror refuses what the item holds, or nil.
	blame *cause
	// refusal is why the mirror does not set the item's own ref, or nil.
	refusal *cause
	// under is the blamed item that this one stands on, or nil.
	under *work
}

// progress is what became of one update so far.
type progress struct {
	UpdateResult
	settled bool
	// lost says that a push with this update went unanswered once.
	lost bool
}

func newWork(it Item, branch bool) *work {
	w := &work{Item: it, branch: branch, updates: make([]progress, len(it.Updates))}
	for i, u := range it.Updates {
		w.updates[i].Update = u
	}
	return w
}

// open reports whether something is left to push.
func (w *work) open() bool {
	if w.err != nil {
		return false
	}
	for i := range w.updates {
		if !w.updates[i].settled {
			return true
		}
	}
	return false
}

// settle gives an update its result.
func (p *progress) settle(s State, err error) {
	p.State, p.Err, p.settled = s, err, true
}

// fail ends the work: what is not settled was not done.
func (w *work) fail(err error) {
	if w.err != nil || len(w.updates) > 0 && !w.open() {
		return
	}
	w.err = err
	for i := range w.updates {
		if p := &w.updates[i]; !p.settled {
			p.settle(NotTried, err)
		}
	}
}

// refuse ends the work as blamed for c.
func (w *work) refuse(c cause) {
	if w.blame == nil {
		w.blame, w.refusal = &c, &c
	}
	w.err = c.err
	for i := range w.updates {
		if p := &w.updates[i]; !p.settled {
			p.settle(Refused, c.err)
		}
	}
}

// result gives the caller's view. An error of an update stands for the item.
func (w *work) result(word string) ItemResult {
	res := ItemResult{Err: w.err, Refused: word, Updates: make([]UpdateResult, len(w.updates))}
	for i := range w.updates {
		res.Updates[i] = w.updates[i].UpdateResult
		if res.Err == nil {
			res.Err = w.updates[i].Err
		}
	}
	return res
}

// done reports whether one of the item's refs holds its object on the mirror.
func (w *work) done() bool {
	for i := range w.updates {
		if p := &w.updates[i]; p.State == Done && p.New == w.Want {
			return true
		}
	}
	return false
}

// errExisted is the error of an update whose ref somebody else created.
func errExisted(u Update) error {
	return fault.New(fault.Transient, "%s exists already: another pass was first", u.Ref)
}

// errLost is the error of an update that may or may not have happened.
func errLost(u Update, why error) error {
	return fault.New(fault.Transient, "nobody can tell whether this pass updated %s: the mirror's answer was lost: %w", u.Ref, why)
}

// errMoved is the error of an update that came too late.
func errMoved(u Update, now change.Revision) error {
	was := func(r change.Revision) string {
		if r == "" {
			return "absent"
		}
		return "at " + r.Short()
	}
	kind := fault.Transient // the next pass sees the new value
	if u.Old == "" {
		kind = fault.Permanent
	}
	return fault.New(kind, "failed to update %s: it is %s, not %s as it was: another writer moved it", u.Ref, was(now), was(u.Old)).
		WithHint("only one dispatcher should write these refs of the mirror")
}

// kindOr returns err's kind, or other for an error that nobody classified.
func kindOr(err error, other fault.Kind) fault.Kind {
	if k := fault.KindOf(err); k != fault.Unknown {
		return k
	}
	return other
}
