// SPDX-License-Identifier: BSD-3-Clause

package relay

import "github.com/spdk-community-ci/dispatcher/internal/fault"

// results closes the books: what is still open was not tried.
func (m *mover) results() []ItemResult {
	if m.end != nil {
		for _, w := range m.works {
			if w.open() {
				w.fail(m.end)
			}
		}
	}
	m.holdRefused()
	poisonable := m.poisonable()
	results := make([]ItemResult, len(m.works))
	for i, w := range m.works {
		poisoned := w.blame != nil && w.under == nil && !w.branch && poisonable(*w.blame)
		if w.blame != nil && !poisoned {
			w.soften()
		}
		results[i] = w.result(poisoned)
	}
	return results
}

// holdRefused finds the patchsets that were refused one by one, in a single
// push, for what the one below them holds: only the lowest is to blame.
func (m *mover) holdRefused() {
	for _, i := range m.family.order {
		w := m.works[i]
		for _, p := range m.family.parents[i] {
			root := m.works[p]
			if root.under != nil {
				root = root.under
			}
			if w.blame != nil && w.under == nil && root.blame != nil {
				w.under = root
				w.restate(errHeld(root.Item))
			}
		}
	}
}

// poisonable says which causes are a patchset's own fault for good. Nobody can
// tell while a branch is refused, whose objects each patchset above it brings
// along; and a text that nobody knows may be the mirror's own trouble, unless
// other objects got through.
func (m *mover) poisonable() func(cause) bool {
	branchRefused, landed := false, false
	for _, w := range m.works {
		branchRefused = branchRefused || w.branch && w.blame != nil
		landed = landed || w.landed
	}
	return func(c cause) bool {
		return !branchRefused && c.err.Kind == fault.Permanent && (c.sure || landed)
	}
}

// soften makes an error that may be another's fault one to try again.
func (w *work) soften() {
	if w.under != nil || w.blame.err.Kind != fault.Permanent || w.branch {
		return
	}
	err := *w.blame.err
	err.Kind = fault.Transient
	w.restate(&err)
}

// restate replaces the error of what was refused.
func (w *work) restate(err error) {
	if w.err != nil {
		w.err = err
	}
	for i := range w.updates {
		if p := &w.updates[i]; p.State == Refused && p.Err == error(w.blame.err) {
			p.Err = err
		}
	}
}
